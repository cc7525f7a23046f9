//! Datagrams: sending and receiving them one by one, in batches, and in segments of one buffer.
//!
//! As in [`socket`](super::socket), nothing here waits: what would, answers `WouldBlock`.

use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, SockRef, Socket, Type};

use super::message::{Control, room_for};
use super::socket::Address;

/// The most bytes in a datagram, and in what one call sends in segments.
pub const MOST_BYTES: usize = 0xffff;
/// The most segments that one call sends (`UDP_MAX_SEGMENTS`).
pub const MOST_SEGMENTS: usize = 64;

/// Makes a UDP socket for addresses of the same family as `address`, CLOEXEC and non-blocking.
pub fn udp(address: &SocketAddr) -> io::Result<OwnedFd> {
    let domain = Domain::for_address(*address);
    Ok(Socket::new(domain, Type::DGRAM.nonblocking(), Some(Protocol::UDP))?.into())
}

/// Makes a datagram socket of the Unix family, CLOEXEC and non-blocking.
pub fn unix() -> io::Result<OwnedFd> {
    Ok(Socket::new(Domain::UNIX, Type::DGRAM.nonblocking(), None)?.into())
}

/// Makes two datagram sockets of the Unix family that are connected to each other.
pub fn unix_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (a, b) = Socket::pair(Domain::UNIX, Type::DGRAM.nonblocking(), None)?;
    Ok((a.into(), b.into()))
}

/// Sets whom datagrams go to and come from. For a datagram socket this never waits.
pub fn connect(fd: impl AsFd, to: &Address) -> io::Result<()> {
    SockRef::from(&fd).connect(&to.0)
}

/// Sends one datagram to `to`.
pub fn send_to_now(fd: impl AsFd, bytes: &[u8], to: &Address) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    SockRef::from(&fd).send_to_with_flags(bytes, &to.0, flags)
}

/// Receives one datagram, as far as there is room, and says whom it is from. With `peek` it stays.
pub fn recv_from_now(fd: impl AsFd, room: &mut [u8], peek: bool) -> io::Result<(usize, Address)> {
    let len = room.len();
    // SAFETY: the same bytes, and nothing but initialised bytes is written to them: the kernel
    // writes what it has received.
    let room =
        unsafe { std::slice::from_raw_parts_mut(room.as_mut_ptr().cast::<MaybeUninit<u8>>(), len) };
    let flags = libc::MSG_DONTWAIT | if peek { libc::MSG_PEEK } else { 0 };
    let (n, from) = SockRef::from(&fd).recv_from_with_flags(room, flags)?;
    Ok((n, Address(from)))
}

/// Adds what tells the kernel to cut a message into datagrams of `segment` bytes (GSO).
pub fn push_segment_size(control: &mut Control, segment: u16) {
    control.push(libc::SOL_UDP, libc::UDP_SEGMENT, &segment.to_ne_bytes());
}

/// Whether the kernel may join datagrams of one sender into one message (GRO).
pub fn gro(fd: impl AsFd) -> io::Result<bool> {
    let (mut on, mut len) = (0_i32, size_of::<i32>() as libc::socklen_t);
    let (raw, into) = (fd.as_fd().as_raw_fd(), (&raw mut on).cast());
    // SAFETY: the kernel writes at most `len` bytes to `on`, which has as many, and the length to
    // `len`.
    match unsafe { libc::getsockopt(raw, libc::SOL_UDP, libc::UDP_GRO, into, &raw mut len) } {
        0 => Ok(on != 0),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sets [`gro`].
pub fn set_gro(fd: impl AsFd, on: bool) -> io::Result<()> {
    let (on, len) = (i32::from(on), size_of::<i32>() as libc::socklen_t);
    let (raw, from) = (fd.as_fd().as_raw_fd(), (&raw const on).cast());
    // SAFETY: the kernel reads `len` bytes of `on`, which has as many.
    match unsafe { libc::setsockopt(raw, libc::SOL_UDP, libc::UDP_GRO, from, len) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends datagrams in one call, in order; says how many went.
pub fn send_many_now(fd: impl AsFd, datagrams: &[(&[u8], Option<&Address>)]) -> io::Result<usize> {
    let mut pieces: Vec<libc::iovec> = datagrams
        .iter()
        .map(|(bytes, _)| libc::iovec {
            iov_base: bytes.as_ptr().cast_mut().cast(),
            iov_len: bytes.len(),
        })
        .collect();
    let headers = datagrams.iter().zip(&mut pieces).map(|((_, to), piece)| {
        let mut header = empty();
        header.msg_hdr.msg_iov = piece;
        header.msg_hdr.msg_iovlen = 1;
        if let Some(to) = to {
            header.msg_hdr.msg_name = to.as_ptr().cast_mut().cast();
            header.msg_hdr.msg_namelen = to.len();
        }
        header
    });
    let mut headers: Vec<libc::mmsghdr> = headers.collect();
    let (raw, count) = (fd.as_fd().as_raw_fd(), count(headers.len()));
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: headers, pieces, bytes and names are borrowed for longer than the call, which reads
    // them, and writes to the headers alone, of which there are `count`.
    let sent = unsafe { libc::sendmmsg(raw, headers.as_mut_ptr(), count, flags) };
    usize::try_from(sent).map_err(|_failed| io::Error::last_os_error())
}

/// Room for many datagrams, and those that a receive has put there.
///
/// ```
/// # use henge_driver::sys::datagram::{Batch, Datagram};
/// use std::net::UdpSocket;
///
/// let (a, b) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
/// a.send_to(b"one", b.local_addr()?)?;
/// a.send_to(b"two", b.local_addr()?)?;
/// # b.peek(&mut [0; 8])?;
/// let mut batch = Batch::new(8, 1500);
/// # while batch.is_empty() {
/// batch.recv_now(&b)?; // what `recv_many` does
/// # }
/// assert_eq!(batch.get(0).map(|datagram| datagram.bytes), Some(&b"one"[..]));
/// assert_eq!(batch.get(0).map(|datagram| datagram.from), a.local_addr().ok());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    /// The room for each, in bytes.
    room: usize,
    names: Vec<libc::sockaddr_storage>,
    /// Words, because the kernel wants control headers aligned.
    controls: Vec<usize>,
    filled: Vec<Filled>,
}

/// What is known of a datagram in a batch.
#[derive(Clone, Copy, Debug)]
struct Filled {
    len: usize,
    name_len: libc::socklen_t,
    segment: usize,
    truncated: bool,
}

/// A datagram of a [`Batch`].
///
/// ```
/// # use henge_driver::sys::datagram::{Batch, Datagram};
/// use std::net::UdpSocket;
///
/// let (a, b) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
/// a.send_to(b"one", b.local_addr()?)?;
/// a.send_to(b"two", b.local_addr()?)?;
/// # b.peek(&mut [0; 8])?;
/// let mut batch = Batch::new(8, 1500);
/// # while batch.is_empty() {
/// batch.recv_now(&b)?; // what `recv_many` does
/// # }
/// let Datagram { bytes, from, truncated, .. } = batch.get(0).expect("the first");
/// assert_eq!((bytes, from, truncated), (&b"one"[..], a.local_addr()?, false));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// What is in it; with GRO, perhaps several datagrams.
    pub bytes: &'a [u8],
    /// Whom it is from.
    pub from: SocketAddr,
    /// How long each of several datagrams is that the kernel has joined; the last may be shorter.
    /// As long as `bytes` where it has joined none.
    pub segment: usize,
    /// It was longer than the room for it.
    pub truncated: bool,
}

/// The room for the one control message that a batch asks for, in words.
const CONTROL: usize = room_for(size_of::<i32>()) / size_of::<usize>();

impl Batch {
    /// Room for `datagrams` of `room` bytes each.
    ///
    /// ```
    /// # use henge_driver::sys::datagram::Batch;
    /// let batch = Batch::new(64, 1500); // 64 packets of an Ethernet
    /// assert_eq!((batch.capacity(), batch.len()), (64, 0));
    /// ```
    pub fn new(datagrams: usize, room: usize) -> Batch {
        // SAFETY: plain numbers, for which zero is valid.
        let name: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
        Batch {
            bytes: vec![0; datagrams * room],
            room,
            names: vec![name; datagrams],
            controls: vec![0; datagrams * CONTROL],
            filled: Vec::with_capacity(datagrams),
        }
    }

    /// How many datagrams there is room for.
    ///
    /// ```
    /// # use henge_driver::sys::datagram::Batch;
    /// assert_eq!(Batch::new(64, 1500).capacity(), 64);
    /// ```
    pub fn capacity(&self) -> usize {
        self.names.len()
    }

    /// How many the last receive has brought.
    ///
    /// ```
    /// # use henge_driver::sys::datagram::{Batch, Datagram};
    /// use std::net::UdpSocket;
    ///
    /// let (a, b) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    /// a.send_to(b"one", b.local_addr()?)?;
    /// a.send_to(b"two", b.local_addr()?)?;
    /// # b.peek(&mut [0; 8])?;
    /// let mut batch = Batch::new(8, 1500);
    /// # while batch.is_empty() {
    /// batch.recv_now(&b)?; // what `recv_many` does
    /// # }
    /// assert_eq!(batch.get(batch.len() - 1).map(|last| last.bytes.len()), Some(3));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.filled.len()
    }

    /// Whether the last receive has brought none.
    ///
    /// ```
    /// # use henge_driver::sys::datagram::Batch;
    /// assert!(Batch::new(64, 1500).is_empty()); // nothing has been received yet
    /// ```
    pub fn is_empty(&self) -> bool {
        self.filled.is_empty()
    }

    /// A datagram that the last receive has brought.
    ///
    /// ```
    /// # use henge_driver::sys::datagram::{Batch, Datagram};
    /// use std::net::UdpSocket;
    ///
    /// let (a, b) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    /// a.send_to(b"one", b.local_addr()?)?;
    /// a.send_to(b"two", b.local_addr()?)?;
    /// # b.peek(&mut [0; 8])?;
    /// let mut batch = Batch::new(8, 1500);
    /// # while batch.is_empty() {
    /// batch.recv_now(&b)?; // what `recv_many` does
    /// # }
    /// assert_eq!(batch.get(0).expect("the first").bytes, b"one");
    /// assert!(batch.get(batch.len()).is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get(&self, at: usize) -> Option<Datagram<'_>> {
        let filled = self.filled.get(at)?;
        let bytes = &self.bytes[at * self.room..][..filled.len.min(self.room)];
        let mut storage = SockAddrStorage::zeroed();
        // SAFETY: the type is that of every socket address, and as large as the storage.
        *unsafe { storage.view_as::<libc::sockaddr_storage>() } = self.names[at];
        // SAFETY: the kernel has written a name of this length.
        let name = unsafe { SockAddr::new(storage, filled.name_len) };
        let unknown = || SocketAddr::from(([0, 0, 0, 0], 0));
        let from = name.as_socket().unwrap_or_else(unknown);
        let segment = if filled.segment == 0 { bytes.len() } else { filled.segment };
        Some(Datagram { bytes, from, segment, truncated: filled.truncated })
    }

    /// Receives what there is, up to the capacity; says how many came.
    #[doc(hidden)]
    pub fn recv_now(&mut self, fd: impl AsFd) -> io::Result<usize> {
        self.filled.clear();
        let room = self.room;
        let starts = self.bytes.chunks_exact_mut(room.max(1)).map(<[u8]>::as_mut_ptr);
        let mut pieces: Vec<libc::iovec> =
            starts.map(|start| libc::iovec { iov_base: start.cast(), iov_len: room }).collect();
        pieces.resize(
            self.names.len(),
            libc::iovec {
                iov_base: std::ptr::NonNull::<u8>::dangling().as_ptr().cast(),
                iov_len: 0,
            },
        );
        let beside = self.names.iter_mut().zip(self.controls.chunks_exact_mut(CONTROL));
        let headers = pieces.iter_mut().zip(beside).map(|(piece, (name, control))| {
            let mut header = empty();
            header.msg_hdr.msg_iov = piece;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_namelen = size_of_val(name) as libc::socklen_t;
            header.msg_hdr.msg_name = (&raw mut *name).cast();
            header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = size_of_val(control);
            header
        });
        let mut headers: Vec<libc::mmsghdr> = headers.collect();
        let (raw, count) = (fd.as_fd().as_raw_fd(), count(headers.len()));
        let now = std::ptr::null_mut();
        // SAFETY: pieces, names and control room are borrowed exclusively for longer than the call,
        // each header points to its own of them with its length, and there are `count` headers.
        let came =
            unsafe { libc::recvmmsg(raw, headers.as_mut_ptr(), count, libc::MSG_DONTWAIT, now) };
        let came = usize::try_from(came).map_err(|_failed| io::Error::last_os_error())?;
        for (at, header) in headers[..came].iter().enumerate() {
            let control = &self.controls[at * CONTROL..][..CONTROL];
            self.filled.push(Filled {
                len: header.msg_len as usize,
                name_len: header.msg_hdr.msg_namelen,
                segment: segment(control, header.msg_hdr.msg_controllen),
                truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
            });
        }
        Ok(came)
    }
}

/// The segment size that a receive has been told, zero if none.
fn segment(control: &[usize], len: usize) -> usize {
    let control = Control::from_words(control, len);
    segment_size(&control).unwrap_or(0)
}

/// The size of the datagrams that the kernel has joined into one message (GRO).
pub fn segment_size(control: &Control) -> Option<usize> {
    let told = |kind| kind == (libc::SOL_UDP, libc::UDP_GRO);
    let message = control.iter().find(|message| told((message.level, message.kind)))?;
    let size = i32::from_ne_bytes(*message.data.first_chunk()?);
    usize::try_from(size).ok()
}

fn empty() -> libc::mmsghdr {
    // SAFETY: plain numbers and pointers, for which zero is valid.
    unsafe { std::mem::zeroed() }
}

fn count(len: usize) -> libc::c_uint {
    libc::c_uint::try_from(len).unwrap_or(libc::c_uint::MAX)
}

/// Joins a multicast group on the interface with this address (or any).
pub fn join_v4(fd: impl AsFd, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
    SockRef::from(&fd).join_multicast_v4(group, interface)
}

/// Leaves it.
pub fn leave_v4(fd: impl AsFd, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
    SockRef::from(&fd).leave_multicast_v4(group, interface)
}

/// Joins a multicast group on the interface of this number (0: any).
pub fn join_v6(fd: impl AsFd, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
    SockRef::from(&fd).join_multicast_v6(group, interface)
}

/// Leaves it.
pub fn leave_v6(fd: impl AsFd, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
    SockRef::from(&fd).leave_multicast_v6(group, interface)
}

#[cfg(test)]
mod tests {
    use super::{Batch, push_segment_size, send_many_now, set_gro};
    use crate::sys::message::{Control, send_now};
    use std::io::IoSlice;
    use std::net::UdpSocket;

    fn pair() -> (UdpSocket, UdpSocket) {
        let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let [a, b] = sockets;
        a.connect(b.local_addr().unwrap()).unwrap();
        b.connect(a.local_addr().unwrap()).unwrap();
        (a, b)
    }

    #[test]
    fn a_batch_brings_each_datagram_with_its_sender() {
        let (a, b) = pair();
        let sent: [&[u8]; 4] = [b"one", b"", b"three and more", b"4"];
        assert_eq!(send_many_now(&a, &sent.map(|bytes| (bytes, None))).unwrap(), 4);
        let mut batch = Batch::new(3, 8);
        assert_eq!(batch.recv_now(&b).unwrap(), 3);
        for (at, sent) in sent[..3].iter().enumerate() {
            let got = batch.get(at).unwrap();
            assert_eq!(got.bytes, &sent[..sent.len().min(8)]);
            assert_eq!(got.truncated, sent.len() > 8);
            assert_eq!(got.from, a.local_addr().unwrap());
        }
        assert_eq!(batch.recv_now(&b).unwrap(), 1);
        assert!(batch.get(1).is_none());
        let none = batch.recv_now(&b).unwrap_err();
        assert_eq!(none.kind(), std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn segments_arrive_one_by_one_or_joined() {
        let (a, b) = pair();
        let mut control = Control::new();
        push_segment_size(&mut control, 1_000);
        let bytes: Vec<u8> = (0..2_500).map(|n| (n / 1_000) as u8).collect();
        send_now(&a, None, &[IoSlice::new(&bytes)], &control).unwrap();
        let mut batch = Batch::new(4, 4_096);
        assert_eq!(batch.recv_now(&b).unwrap(), 3);
        assert_eq!(batch.get(2).unwrap().bytes, &[2; 500][..]);

        set_gro(&b, true).unwrap();
        send_now(&a, None, &[IoSlice::new(&bytes)], &control).unwrap();
        assert_eq!(batch.recv_now(&b).unwrap(), 1);
        let joined = batch.get(0).unwrap();
        assert_eq!((joined.bytes, joined.segment), (&bytes[..], 1_000));
    }
}
