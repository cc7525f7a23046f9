//! UDP sockets.

mod address;
mod batch;
mod convert;
mod message;
mod multicast;
mod options;
mod peek;
mod send_to;

use std::net::SocketAddr;

use henge_driver::Fd;

pub use batch::{Batch, Datagram, Outgoing};
pub use message::Message;

use crate::datagram::receive::receives;
use crate::datagram::receive_from::receives_from;
use crate::datagram::send::sends;
use crate::datagram::wait::waits;
use crate::descriptor::descriptor;
use crate::readiness::watched::Watched;

/// A UDP socket.
///
/// [`bind`](UdpSocket::bind) it, then use [`send_to`](UdpSocket::send_to) and
/// [`recv_from`](UdpSocket::recv_from) for many peers, or [`connect`](UdpSocket::connect) it and
/// use [`send`](UdpSocket::send) and [`recv`](UdpSocket::recv) for one. It needs no splitting: all
/// calls take `&self`, so share it by an `Arc`, among tasks and among shards.
///
/// Where there are many datagrams, [`recv_many`](UdpSocket::recv_many),
/// [`send_many`](UdpSocket::send_many) and [`send_segments`](UdpSocket::send_segments) move them
/// with few system calls.
///
/// # Examples
///
/// ```
/// # use henge_net::UdpSocket;
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let a = UdpSocket::bind("127.0.0.1:0").await?;
/// let b = UdpSocket::bind("127.0.0.1:0").await?;
/// a.send_to(b"hello", b.local_addr()?).await?;
/// let mut word = [0; 8];
/// let (n, from) = b.recv_from(&mut word).await?;
/// assert_eq!((&word[..n], from), (&b"hello"[..], a.local_addr()?));
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UdpSocket {
    core: Watched,
}

impl UdpSocket {
    fn new(fd: Fd) -> UdpSocket {
        UdpSocket { core: Watched::new(fd) }
    }

    fn fd(&self) -> &Fd {
        self.core.fd()
    }
}

waits!(UdpSocket);
sends!(UdpSocket);
receives!(UdpSocket);
receives_from!(UdpSocket, SocketAddr);
descriptor!(UdpSocket, |socket| socket.core.fd(), std::net::UdpSocket);
