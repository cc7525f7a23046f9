//! Addresses that a socket is asked for.

use std::io;
use std::net::SocketAddr;

use henge_driver::Fd;
use henge_driver::sys::socket::{self as sys, Address};

/// The addresses of a family's sockets.
pub(crate) trait OfSocket: Sized {
    /// The address of the socket itself.
    fn of(socket: &Fd) -> io::Result<Self>;

    /// The address of its peer.
    fn of_peer(socket: &Fd) -> io::Result<Self>;

    /// One that the kernel has told.
    fn from_kernel(address: Address) -> io::Result<Self>;
}

impl OfSocket for SocketAddr {
    fn of(socket: &Fd) -> io::Result<SocketAddr> {
        sys::local_addr(socket)
    }

    fn of_peer(socket: &Fd) -> io::Result<SocketAddr> {
        sys::peer_addr(socket)
    }

    fn from_kernel(address: Address) -> io::Result<SocketAddr> {
        address.internet()
    }
}
