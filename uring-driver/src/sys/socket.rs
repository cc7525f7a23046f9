//! Sockets: the system calls and options that no ring entry is used for.
//!
//! Everything here returns at once: what may have to wait (connect, accept, receive, send) is an
//! operation of the ring. [`send_now`] and [`recv_now`] are the two exceptions that look like
//! I/O; they carry `MSG_DONTWAIT`, so they fail with `WouldBlock` where they would wait.

use std::io;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr, ToSocketAddrs as _};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::slice;
use std::time::Duration;

use super::message::{self, Control};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

/// The most connections that may wait to be accepted, where the caller names no number.
pub const BACKLOG: u32 = 1024;

/// A socket address in the kernel's form, to be kept by the operation that uses it.
///
/// ```
/// use henge_driver::ops::Address;
/// use std::net::SocketAddr;
///
/// let server = SocketAddr::from(([127, 0, 0, 1], 7000));
/// let address = Address::from(server); // as the kernel reads it
/// assert_eq!(address.len(), 16);
/// assert_eq!(address.internet().ok(), Some(server));
/// ```
#[derive(Debug, Clone)]
pub struct Address(pub(super) SockAddr);

impl Address {
    /// Where the kernel reads it.
    ///
    /// ```
    /// use henge_driver::ops::Address;
    /// use std::net::SocketAddr;
    ///
    /// const AF_INET: u16 = 2;
    ///
    /// let address = Address::from(SocketAddr::from(([127, 0, 0, 1], 7000)));
    /// // SAFETY: a `struct sockaddr` begins with its family, and is aligned for it.
    /// assert_eq!(unsafe { address.as_ptr().cast::<u16>().read() }, AF_INET);
    /// ```
    pub fn as_ptr(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }

    /// How many bytes of it count.
    ///
    /// ```
    /// use henge_driver::ops::Address;
    /// use std::net::SocketAddr;
    ///
    /// let [v4, v6]: [SocketAddr; 2] = [([127, 0, 0, 1], 80).into(), ([0_u16; 8], 80).into()];
    /// assert_eq!((Address::from(v4).len(), Address::from(v6).len()), (16, 28));
    /// ```
    pub fn len(&self) -> u32 {
        self.0.len()
    }

    /// The internet address that it is.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is of another family.
    ///
    /// ```
    /// use henge_driver::ops::Address;
    /// use std::net::SocketAddr;
    ///
    /// let server = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1_u16], 7000));
    /// assert_eq!(Address::from(server).internet()?, server);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn internet(self) -> io::Result<SocketAddr> {
        internet(self.0)
    }

    /// No name at all: that of a sender that has none.
    ///
    /// ```
    /// use henge_driver::ops::Address;
    /// use std::net::SocketAddr;
    ///
    /// assert!(!Address::from(SocketAddr::from(([127, 0, 0, 1], 7000))).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address(address.into())
    }
}

/// Makes a TCP socket for addresses of the same family as `address`.
///
/// It is close-on-exec, and blocking: ring entries wait in the kernel either way, and direct
/// calls say so themselves.
pub fn tcp(address: &SocketAddr) -> io::Result<OwnedFd> {
    let domain = Domain::for_address(*address);
    Ok(Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?.into())
}

/// Gives the socket a name.
pub fn bind(fd: impl AsFd, address: &SocketAddr) -> io::Result<()> {
    SockRef::from(&fd).bind(&(*address).into())
}

/// Starts to take connections, at most `backlog` of them waiting.
pub fn listen(fd: impl AsFd, backlog: u32) -> io::Result<()> {
    SockRef::from(&fd).listen(i32::try_from(backlog).unwrap_or(i32::MAX))
}

/// The name of this end.
pub fn local_addr(fd: impl AsFd) -> io::Result<SocketAddr> {
    internet(SockRef::from(&fd).local_addr()?)
}

/// The name of the other end.
pub fn peer_addr(fd: impl AsFd) -> io::Result<SocketAddr> {
    internet(SockRef::from(&fd).peer_addr()?)
}

/// The name of the other end, also of a connection that has been reset since.
///
/// A multishot accept reports no address, and `getpeername` refuses once the peer has reset the
/// connection. `SO_PEERNAME` is what `accept4` itself would have told.
pub fn accepted_from(fd: impl AsFd) -> io::Result<SocketAddr> {
    // The kernel refuses a length that is larger than the name's: the short one first.
    let name = peer_name(fd.as_fd().as_raw_fd(), size_of::<libc::sockaddr_in>())?;
    if name.is_ipv6() {
        return internet(peer_name(fd.as_fd().as_raw_fd(), size_of::<libc::sockaddr_in6>())?);
    }
    internet(name)
}

/// The first `len` bytes of `SO_PEERNAME`.
fn peer_name(fd: i32, len: usize) -> io::Result<SockAddr> {
    let length = len as libc::socklen_t;
    let ask = |storage: *mut socket2::SockAddrStorage, written: *mut libc::socklen_t| {
        // SAFETY: `try_init` hands pointers that are valid for writes.
        unsafe { *written = length };
        let (level, name) = (libc::SOL_SOCKET, libc::SO_PEERNAME);
        // SAFETY: the storage is larger than `length`, which is at most that of an IPv6 name, and
        // the kernel writes no more than that into it.
        match unsafe { libc::getsockopt(fd, level, name, storage.cast(), written) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: `ask` initialises a name, of the length that it leaves, in zeroed storage.
    let named = unsafe { SockAddr::try_init(ask) };
    Ok(named?.1)
}

fn internet(name: SockAddr) -> io::Result<SocketAddr> {
    name.as_socket().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the socket is not an internet socket")
    })
}

/// Takes a connection that waits to be accepted; `WouldBlock` if none does. The socket must have
/// been made non-blocking before.
pub fn accept_now(fd: impl AsFd) -> io::Result<OwnedFd> {
    retry(|| SockRef::from(&fd).accept()).map(|(connection, _name)| connection.into())
}

/// Sends what fits without waiting; `WouldBlock` if nothing does.
pub fn send_now(fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    retry(|| SockRef::from(&fd).send_with_flags(bytes, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL))
}

/// As [`send_now`], of bytes that more will follow at once: the kernel need not make a packet of
/// them alone.
pub fn send_more_now(fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL | libc::MSG_MORE;
    retry(|| SockRef::from(&fd).send_with_flags(bytes, flags))
}

/// Sends what fits of `pieces`, in order, without waiting; `WouldBlock` if nothing does.
pub fn send_vectored_now(fd: impl AsFd, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    retry(|| SockRef::from(&fd).send_vectored_with_flags(&pieces[..most(pieces.len())], flags))
}

/// So many of a stream's pieces go in one call: with more (`UIO_MAXIOV`) the kernel takes none.
fn most(pieces: usize) -> usize {
    pieces.min(1_024)
}

/// Receives what there is without waiting; `WouldBlock` if there is nothing, 0 at the end of the
/// stream.
pub fn recv_now(fd: impl AsFd, room: &mut [u8]) -> io::Result<usize> {
    recv_with(fd, room, libc::MSG_DONTWAIT)
}

/// As [`recv_now`], into several pieces.
pub fn recv_vectored_now(fd: impl AsFd, pieces: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    let (most, none) = (most(pieces.len()), &mut Control::new());
    message::recv_now(fd, None, &mut pieces[..most], none, false).map(|received| received.bytes)
}

/// As [`recv_now`], and leaves it there.
pub fn peek_now(fd: impl AsFd, room: &mut [u8]) -> io::Result<usize> {
    recv_with(fd, room, libc::MSG_DONTWAIT | libc::MSG_PEEK)
}

fn recv_with(fd: impl AsFd, room: &mut [u8], flags: i32) -> io::Result<usize> {
    let len = room.len();
    // SAFETY: the same bytes, and nothing but initialised bytes is written to them: the kernel
    // writes what it has received.
    let room =
        unsafe { slice::from_raw_parts_mut(room.as_mut_ptr().cast::<MaybeUninit<u8>>(), len) };
    retry(|| SockRef::from(&fd).recv_with_flags(room, flags))
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// The error of a send where the sending side was shut down, without asking the kernel.
pub fn broken_pipe() -> io::Error {
    io::Error::from_raw_os_error(libc::EPIPE)
}

/// The error of a `bind` to an address that somebody listens at, without asking the kernel.
pub(crate) fn address_in_use() -> io::Error {
    io::Error::from_raw_os_error(libc::EADDRINUSE)
}

/// Ends one direction, or both, for every holder of the descriptor.
pub fn shutdown(fd: impl AsFd, how: Shutdown) -> io::Result<()> {
    SockRef::from(&fd).shutdown(how)
}

/// The error that the socket has noted since the last call.
pub fn take_error(fd: impl AsFd) -> io::Result<Option<io::Error>> {
    SockRef::from(&fd).take_error()
}

/// Whether `O_NONBLOCK` is set.
pub fn nonblocking(fd: impl AsFd) -> io::Result<bool> {
    SockRef::from(&fd).nonblocking()
}

/// Sets or clears `O_NONBLOCK`, which the socket's other holders see too.
pub fn set_nonblocking(fd: impl AsFd, on: bool) -> io::Result<()> {
    SockRef::from(&fd).set_nonblocking(on)
}

/// Name resolution by the system's resolver. It may block for seconds: for the blocking pool.
pub fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

macro_rules! options {
    ($($(#[$doc:meta])* $get:ident, $set:ident: $type:ty = $of:ident, $to:ident;)*) => {$(
        $(#[$doc])*
        pub fn $get(fd: impl AsFd) -> io::Result<$type> {
            SockRef::from(&fd).$of()
        }

        /// Sets it; see the reader above.
        pub fn $set(fd: impl AsFd, value: $type) -> io::Result<()> {
            SockRef::from(&fd).$to(value)
        }
    )*};
}

options! {
    /// `TCP_NODELAY`: small segments are not held back.
    nodelay, set_nodelay: bool = tcp_nodelay, set_tcp_nodelay;
    /// `TCP_QUICKACK`: acknowledgements are not held back.
    quickack, set_quickack: bool = tcp_quickack, set_tcp_quickack;
    /// `SO_KEEPALIVE`: an idle connection is probed.
    keepalive, set_keepalive: bool = keepalive, set_keepalive;
    /// `SO_LINGER`: how long `close` keeps trying.
    linger, set_linger: Option<Duration> = linger, set_linger;
    /// `IP_TTL`: how many hops a packet may take.
    ttl, set_ttl: u32 = ttl_v4, set_ttl_v4;
    /// `IP_TOS`: the service class of IPv4 packets.
    tos_v4, set_tos_v4: u32 = tos_v4, set_tos_v4;
    /// `IPV6_TCLASS`: the service class of IPv6 packets.
    tclass_v6, set_tclass_v6: u32 = tclass_v6, set_tclass_v6;
    /// `SO_REUSEADDR`: a name in TIME_WAIT may be bound.
    reuse_address, set_reuse_address: bool = reuse_address, set_reuse_address;
    /// `SO_REUSEPORT`: several listeners share a name, and the kernel spreads over them.
    reuse_port, set_reuse_port: bool = reuse_port, set_reuse_port;
    /// `SO_BROADCAST`: datagrams may go to broadcast addresses.
    broadcast, set_broadcast: bool = broadcast, set_broadcast;
    /// `IP_MULTICAST_LOOP`: what goes to a group comes back to this machine.
    multicast_loop_v4, set_multicast_loop_v4: bool = multicast_loop_v4, set_multicast_loop_v4;
    /// `IP_MULTICAST_TTL`: how many hops a datagram to a group may take.
    multicast_ttl_v4, set_multicast_ttl_v4: u32 = multicast_ttl_v4, set_multicast_ttl_v4;
    /// `IPV6_MULTICAST_LOOP`: what goes to a group comes back to this machine.
    multicast_loop_v6, set_multicast_loop_v6: bool = multicast_loop_v6, set_multicast_loop_v6;
    /// `SO_SNDBUF`, in bytes; the kernel doubles what is set.
    send_buffer_size, set_send_buffer_size: usize = send_buffer_size, set_send_buffer_size;
    /// `SO_RCVBUF`, in bytes; the kernel doubles what is set.
    recv_buffer_size, set_recv_buffer_size: usize = recv_buffer_size, set_recv_buffer_size;
}

/// The interface that the socket is bound to.
pub fn device(fd: impl AsFd) -> io::Result<Option<Vec<u8>>> {
    SockRef::from(&fd).device()
}

/// Binds the socket to an interface, or to none.
pub fn bind_device(fd: impl AsFd, interface: Option<&[u8]>) -> io::Result<()> {
    SockRef::from(&fd).bind_device(interface)
}

/// The kernel ended an operation because it was asked to.
pub fn is_cancelled(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ECANCELED)
}

/// Nothing has happened, and the same is worth another try: there was no room, or a signal came.
pub fn is_for_later(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR | libc::ECANCELED))
}

/// A receive found no buffer in the pool.
pub fn is_out_of_buffers(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOBUFS)
}

/// This process, or the machine, may open no more files.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
