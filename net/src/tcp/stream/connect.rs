//! How a connection is made.

use std::io;
use std::time::Duration;

use henge_driver::ops::Connect;
use henge_driver::sys::socket as sys;
use henge_driver::{Fd, submit};

use super::TcpStream;
use crate::addr::{ToSocketAddrs, none_resolved, resolve};

impl TcpStream {
    /// Connects to `addr`; of several addresses, to the first that answers.
    ///
    /// # Errors
    ///
    /// What the kernel answers for the last address.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and closes the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
    /// assert_eq!(a.peer_addr()?, b.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        TcpStream::connect_within(addr, None).await
    }

    /// As [`connect`](TcpStream::connect), for so long at most for each address: the kernel ends
    /// the attempt.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the time is over; what the kernel answers for the last address.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and closes the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use henge_net::{TcpListener, TcpStream};
    /// use std::time::Duration;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let stream = TcpStream::connect_timeout(listener.local_addr()?,
    /// Duration::from_secs(5)).await?;
    /// # drop(stream);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn connect_timeout<A: ToSocketAddrs>(
        addr: A,
        limit: Duration,
    ) -> io::Result<TcpStream> {
        TcpStream::connect_within(addr, Some(limit)).await
    }

    async fn connect_within<A: ToSocketAddrs>(
        addr: A,
        limit: Option<Duration>,
    ) -> io::Result<TcpStream> {
        let mut failure = None;
        for address in resolve(addr).await? {
            let mut connect = Connect::new(Fd::from(sys::tcp(&address)?), address);
            if let Some(limit) = limit {
                connect = connect.with_limit(limit);
            }
            match submit(connect).await {
                Ok(connected) => return Ok(TcpStream::new(connected)),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(none_resolved))
    }
}
