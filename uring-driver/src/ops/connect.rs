//! Connect a socket.

use std::io;

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::op::{Next, Operation};
use crate::sqe::Sqe;
use crate::sys::socket::Address;

/// Connects a socket, and gives it back connected. Dropping the future closes the socket, when
/// the kernel has let go of it.
#[derive(Debug)]
pub struct Connect {
    socket: Option<Fd>,
    address: Address,
}

impl Connect {
    /// Connects `socket` to `address`.
    pub fn new(socket: Fd, address: impl Into<Address>) -> Connect {
        Connect { socket: Some(socket), address: address.into() }
    }
}

// SAFETY: the entry points to `address`, which is plain data in the operation itself: it stays
// where it is until the last completion.
unsafe impl Operation for Connect {
    type Output = io::Result<Fd>;

    fn prepare(&mut self) -> Sqe {
        match &self.socket {
            Some(socket) => Sqe::connect(socket, self.address.as_ptr().cast(), self.address.len()),
            None => unreachable!("prepared once, before its completion"),
        }
    }

    fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
        Next::Done(match (cqe.into_result(), self.socket.take()) {
            (Ok(_), Some(socket)) => Ok(socket),
            (Err(error), _) => Err(error),
            (Ok(_), None) => unreachable!("completed once"),
        })
    }
}
