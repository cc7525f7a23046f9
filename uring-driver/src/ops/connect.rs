//! Connect a socket.

use std::io;
use std::time::Duration;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{Next, Operation};
use crate::sqe::{Sqe, Timespec};
use crate::sys::socket::{self, Address};

/// Connects a socket, and gives it back connected. Dropping the future closes the socket, when
/// the kernel has let go of it.
///
/// ```
/// use henge_driver::{Driver, Fd, ops, submit};
/// use socket2::{Domain, Socket, Type};
/// use std::net::{TcpListener, TcpStream};
/// use std::os::fd::OwnedFd;
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let socket = Fd::from(OwnedFd::from(Socket::new(Domain::IPV4, Type::STREAM, None)?));
/// let connect = ops::Connect::new(socket, listener.local_addr()?);
/// let stream = Driver::new()?.block_on(submit(connect))??;
/// let stream = TcpStream::from(OwnedFd::from(stream));
/// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Connect {
    socket: Option<Fd>,
    address: Address,
    limit: Option<Timespec>,
}

impl Connect {
    /// Connects `socket` to `address`.
    ///
    /// ```
    /// use henge_driver::{Driver, Fd, ops, submit};
    /// use socket2::{Domain, Socket, Type};
    /// use std::{io::ErrorKind, net::SocketAddr, os::fd::OwnedFd};
    ///
    /// let silent = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    /// silent.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?; // and does not listen
    /// let address = silent.local_addr()?.as_socket().expect("a port");
    /// let socket = Fd::from(OwnedFd::from(Socket::new(Domain::IPV4, Type::STREAM, None)?));
    /// let refused = Driver::new()?.block_on(submit(ops::Connect::new(socket, address)))?;
    /// assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(socket: Fd, address: impl Into<Address>) -> Connect {
        Connect { socket: Some(socket), address: address.into(), limit: None }
    }

    /// Gives up after so long, with `TimedOut`.
    ///
    /// ```
    /// use henge_driver::{Driver, Fd, ops, submit};
    /// use socket2::{Domain, Socket, Type};
    /// use std::{net::TcpListener, os::fd::OwnedFd, time::Duration};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let socket = Fd::from(OwnedFd::from(Socket::new(Domain::IPV4, Type::STREAM, None)?));
    /// let connect = ops::Connect::new(socket, listener.local_addr()?);
    /// // Instead of the kernel's two minutes, where nobody answers.
    /// let stream = Driver::new()?.block_on(submit(connect.with_limit(Duration::from_secs(60))))?;
    /// assert!(stream.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Connect {
        self.limit = Some(Timespec::from(limit));
        self
    }
}

// SAFETY: the entry points to `address`, and its time limit is `limit`: plain data in the operation
// itself, which stays where it is until the last completion.
unsafe impl Operation for Connect {
    type Output = io::Result<Fd>;

    fn prepare(&mut self) -> Sqe {
        match &self.socket {
            Some(socket) => Sqe::connect(socket, self.address.as_ptr().cast(), self.address.len()),
            None => unreachable!("prepared once, before its completion"),
        }
    }

    fn time_limit(&self) -> Option<&Timespec> {
        self.limit.as_ref()
    }

    fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
        Next::Done(match (cqe.into_result(), self.socket.take()) {
            (Err(error), _) if self.limit.is_some() && socket::is_cancelled(&error) => {
                Err(io::ErrorKind::TimedOut.into())
            }
            (Ok(_), Some(socket)) => Ok(socket),
            (Err(error), _) => Err(error),
            (Ok(_), None) => unreachable!("completed once"),
        })
    }
}
