//! Connect a socket.

use std::io;
use std::time::Duration;

use super::limit::Limit;
use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{AtLeave, Next, Operation};
use crate::sqe::{Sqe, Timespec};
use crate::sys::abi;
use crate::sys::socket::Address;

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
    limit: Option<Limit>,
    /// The socket connects already, and is waited for.
    is_under_way: bool,
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
        Connect { socket: Some(socket), address: address.into(), limit: None, is_under_way: false }
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
        self.limit = Some(Limit::new(limit));
        self
    }
}

// SAFETY: the entry points to `address`, and its time limit is in `limit`: plain data in the
// operation itself, which stays where it is until the last completion.
unsafe impl Operation for Connect {
    type Output = io::Result<Fd>;

    const AT_LEAVE: AtLeave = AtLeave::Renews;

    fn prepare(&mut self) -> Sqe {
        if let Some(limit) = &mut self.limit {
            limit.begin();
        }
        match &self.socket {
            Some(socket) if self.is_under_way => Sqe::poll_add(socket, abi::POLLOUT),
            Some(socket) => Sqe::connect(socket, self.address.as_ptr().cast(), self.address.len()),
            None => unreachable!("prepared before its result"),
        }
    }

    fn time_limit(&self) -> Option<&Timespec> {
        self.limit.as_ref().map(Limit::left)
    }

    fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
        match cqe.result() {
            0.. if self.is_under_way => {
                self.is_under_way = false;
                return Next::Again;
            }
            // It was begun on another ring, and given back: the kernel tells what came of it once
            // the socket is writable.
            result if result == -abi::EALREADY => {
                self.is_under_way = true;
                return Next::Again;
            }
            result if result == -abi::ECANCELED || cqe.is_interrupted() => {
                if self.limit.as_ref().is_some_and(Limit::is_over) {
                    return Next::Done(Err(io::ErrorKind::TimedOut.into()));
                }
                if cqe.is_interrupted() {
                    return Next::Again;
                }
            }
            _ => {}
        }
        match (cqe.into_result(), self.socket.take()) {
            (Ok(_), Some(socket)) => Next::Done(Ok(socket)),
            (Err(error), _) => Next::Done(Err(error)),
            (Ok(_), None) => unreachable!("completed once"),
        }
    }
}
