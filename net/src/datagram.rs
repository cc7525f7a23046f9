//! What the sockets that move datagrams have in common: UDP's, and those of the Unix family.
//!
//! Transfers are direct calls that cannot wait; where one finds nothing, or no room, a poll on the
//! ring tells when to try again. The socket is used by `&self`, from as many tasks and shards as
//! one likes, and nothing is received ahead of a call, so a dropped future loses no datagram.
//!
//! As with streams (see [`methods`](crate::stream::methods)) each method is written once, in a
//! macro that both types apply. In the examples `a` and `b` are connected to each other.

pub(crate) mod pair;
pub(crate) mod receive;
pub(crate) mod receive_from;
pub(crate) mod send;
pub(crate) mod wait;

use std::io;

use bytes::BufMut;
use henge_driver::Fd;
use henge_driver::sys::datagram;
use henge_driver::sys::socket::{self, Address};

use crate::addr::OfSocket;
use crate::buf;
use crate::readiness::Interest;

/// What a receive waits for. What became of a datagram that was sent (a port that is closed) is an
/// error of the socket, which the next receive tells.
pub(crate) const RECEIVES: Interest = Interest::READABLE.add(Interest::ERROR);

/// Receives behind what is in `buf`.
pub(crate) fn recv_buf<B: BufMut>(fd: &Fd, buf: &mut B) -> io::Result<usize> {
    buf::fill(buf, datagram::MOST_BYTES, |room| socket::recv_now(fd, room))
}

/// As [`recv_buf`], and says where the datagram is from.
pub(crate) fn recv_buf_from<B: BufMut>(fd: &Fd, buf: &mut B) -> io::Result<(usize, Address)> {
    buf::fill_with(buf, datagram::MOST_BYTES, |room| datagram::recv_from_now(fd, room, false))
}

/// What was received, with the sender's address as the family has it.
pub(crate) fn named<A: OfSocket>(received: io::Result<(usize, Address)>) -> io::Result<(usize, A)> {
    let (n, from) = received?;
    Ok((n, A::from_kernel(from)?))
}
