//! Halves of a stream that borrow it.

use std::net::SocketAddr;

use super::stream::TcpStream;
use crate::stream::methods::half::half;
use crate::stream::methods::read::reads;
use crate::stream::methods::write::writes;
use crate::stream::spliced::{destination, source};

/// The reading half of a stream; see [`TcpStream::split`].
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
/// let (mut read, _write) = b.split();
/// a.write_all(b"hello").await?;
/// assert_eq!(read.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ReadHalf<'a>(&'a TcpStream);

/// The writing half of a stream; see [`TcpStream::split`].
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
/// let (_read, mut write) = b.split();
/// write.write_all(b"hello").await?;
/// assert_eq!(a.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WriteHalf<'a>(&'a TcpStream);

impl TcpStream {
    /// Splits into halves that borrow the stream, for one task.
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
    /// let (mut read, mut write) = b.split();
    /// a.write_all(b"hello").await?;
    /// let mut word = [0; 5];
    /// read.read_exact(&mut word).await?;
    /// write.write_all(&word).await?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf(self), WriteHalf(self))
    }
}

reads!(TcpStream, ReadHalf<'_>, |half| &half.0.core.recv, "let (mut b, _write) = b.split();");
writes!(TcpStream, WriteHalf<'_>, |half| &half.0.core.send, "let (_read, mut a) = a.split();");
source!(ReadHalf<'_>, |half| &half.0.core.recv);
destination!(WriteHalf<'_>, |half| &half.0.core.send);
half! {
    TcpStream, ReadHalf<'_>, "let (half, _write) = b.split();",
    address: SocketAddr, |half| half.0.core.fd(),
    ready: "READABLE", |half, interest| half.0.ready(interest),
}
half! {
    TcpStream, WriteHalf<'_>, "let (_read, half) = b.split();",
    address: SocketAddr, |half| half.0.core.fd(),
    ready: "WRITABLE", |half, interest| half.0.ready(interest),
}

impl AsRef<TcpStream> for ReadHalf<'_> {
    fn as_ref(&self) -> &TcpStream {
        self.0
    }
}

impl AsRef<TcpStream> for WriteHalf<'_> {
    fn as_ref(&self) -> &TcpStream {
        self.0
    }
}
