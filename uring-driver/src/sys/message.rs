//! Messages: bytes, an address, and control messages beside them.
//!
//! As in [`socket`](super::socket), nothing here waits.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

use super::socket::Address;

/// The most descriptors that the kernel passes with one message (`SCM_MAX_FD`).
pub const MOST_DESCRIPTORS: usize = 253;

const WORD: usize = size_of::<usize>();
/// A header: its length, a level and a type, padded to a word.
const HEADER: usize = size_of::<libc::cmsghdr>().next_multiple_of(WORD);

/// How much room control messages with so many bytes of data take.
///
/// ```
/// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
/// // For one number of four bytes, and for two.
/// assert!(room_for(4) > 4);
/// assert_eq!(Control::with_room(2 * room_for(4)).iter().count(), 0);
/// ```
pub const fn room_for(data: usize) -> usize {
    HEADER + data.next_multiple_of(WORD)
}

/// Control messages, as they are sent and received (`cmsg(3)`).
///
/// ```
/// use henge_driver::sys::message::{Control, room_for};
///
/// let mut control = Control::with_room(room_for(4));
/// control.push(1, 2, &7_u32.to_ne_bytes());
/// let message = control.iter().next().unwrap();
/// assert_eq!((message.level, message.kind, message.data), (1, 2, &7_u32.to_ne_bytes()[..]));
/// ```
#[derive(Clone, Default)]
pub struct Control {
    /// Words, because the kernel wants the headers aligned.
    words: Vec<usize>,
    /// Bytes that count.
    len: usize,
}

/// One control message.
///
/// ```
/// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
/// const SOL_SOCKET: i32 = 1;
/// const SO_TIMESTAMP: i32 = 29;
///
/// let mut control = Control::new();
/// control.push(SOL_SOCKET, SO_TIMESTAMP, &[0; 16]);
/// let stamp: ControlMessage<'_> = control.iter().next().expect("one");
/// assert_eq!((stamp.level, stamp.kind, stamp.data.len()), (SOL_SOCKET, SO_TIMESTAMP, 16));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlMessage<'a> {
    /// The protocol that it belongs to (`SOL_SOCKET` …).
    pub level: i32,
    /// What it says (`SCM_RIGHTS` …).
    pub kind: i32,
    /// What belongs to it.
    pub data: &'a [u8],
}

impl Control {
    /// None, and no room for any.
    ///
    /// ```
    /// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
    /// let mut control = Control::new(); // to send: there is room for whatever is added
    /// control.push(1, 2, b"data");
    /// assert_eq!(control.iter().count(), 1);
    /// ```
    pub const fn new() -> Control {
        Control { words: Vec::new(), len: 0 }
    }

    /// Room for so many bytes; see [`room_for`].
    ///
    /// ```
    /// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
    /// let control = Control::with_room(room_for(16)); // to receive a time stamp
    /// assert!(control.is_empty());
    /// ```
    pub fn with_room(bytes: usize) -> Control {
        Control { words: vec![0; bytes.div_ceil(WORD)], len: 0 }
    }

    /// Room for so many descriptors: as many as one message can have, at most, and 16 at least.
    ///
    /// ```
    /// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
    /// let control = Control::for_descriptors(3); // to receive as many
    /// assert!(control.is_empty());
    /// ```
    pub fn for_descriptors(count: usize) -> Control {
        Control::with_room(room_for(count.clamp(16, MOST_DESCRIPTORS) * size_of::<RawFd>()))
    }

    /// What a receive has left in the first `len` bytes of somebody's room.
    pub(super) fn from_words(words: &[usize], len: usize) -> Control {
        let words = words.to_vec();
        let len = len.min(words.len() * WORD);
        Control { words, len }
    }

    /// Adds a message.
    ///
    /// ```
    /// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
    /// const IPPROTO_IP: i32 = 0;
    /// const IP_TTL: i32 = 2;
    ///
    /// let mut control = Control::new();
    /// control.push(IPPROTO_IP, IP_TTL, &1_i32.to_ne_bytes()); // this message goes no further
    /// assert_eq!(control.iter().next().map(|ttl| ttl.data), Some(&1_i32.to_ne_bytes()[..]));
    /// ```
    pub fn push(&mut self, level: i32, kind: i32, data: &[u8]) {
        let (at, len) = (self.len, HEADER + data.len());
        self.len = at + room_for(data.len());
        if self.words.len() < self.len / WORD {
            self.words.resize(self.len / WORD, 0);
        }
        let bytes = self.bytes_mut();
        bytes[at..at + WORD].copy_from_slice(&len.to_ne_bytes());
        bytes[at + WORD..at + WORD + 4].copy_from_slice(&level.to_ne_bytes());
        bytes[at + WORD + 4..at + WORD + 8].copy_from_slice(&kind.to_ne_bytes());
        bytes[at + HEADER..at + len].copy_from_slice(data);
    }

    /// Adds descriptors, which the receiver gets copies of.
    ///
    /// ```
    /// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
    /// use std::os::fd::AsFd;
    ///
    /// let file = std::fs::File::open("/dev/null")?;
    /// let mut control = Control::new();
    /// control.push_descriptors(&[file.as_fd(), file.as_fd()]);
    /// let rights = control.iter().next().expect("one message, of both");
    /// assert_eq!(rights.data.len(), 8);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn push_descriptors(&mut self, descriptors: &[BorrowedFd<'_>]) {
        let numbers: Vec<u8> =
            descriptors.iter().flat_map(|fd| fd.as_raw_fd().to_ne_bytes()).collect();
        self.push(libc::SOL_SOCKET, libc::SCM_RIGHTS, &numbers);
    }

    /// The messages.
    ///
    /// ```
    /// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
    /// let mut control = Control::new();
    /// control.push(1, 2, b"one");
    /// control.push(1, 3, b"two");
    /// let kinds: Vec<i32> = control.iter().map(|message| message.kind).collect();
    /// assert_eq!(kinds, [2, 3]);
    /// ```
    pub fn iter(&self) -> ControlMessages<'_> {
        ControlMessages { rest: &self.bytes()[..self.len] }
    }

    /// None any more; the room stays.
    ///
    /// ```
    /// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
    /// let mut control = Control::new();
    /// control.push(1, 2, b"of the last message");
    /// control.clear(); // for the next one
    /// assert!(control.is_empty());
    /// ```
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Whether there are none.
    ///
    /// ```
    /// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
    /// let mut control = Control::with_room(room_for(4));
    /// assert!(control.is_empty(), "room, and nothing in it");
    /// control.push(1, 2, b"data");
    /// assert!(!control.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn bytes(&self) -> &[u8] {
        let (start, len) = (self.words.as_ptr().cast(), self.words.len() * WORD);
        // SAFETY: the bytes of initialised words.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        let (start, len) = (self.words.as_mut_ptr().cast(), self.words.len() * WORD);
        // SAFETY: the bytes of initialised words; any bytes are valid words.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// The descriptors among what a receive has just brought. They must be taken once, or they
    /// stay open for ever.
    fn take_descriptors(&self) -> Vec<OwnedFd> {
        let rights = |found: &ControlMessage<'_>| {
            found.level == libc::SOL_SOCKET && found.kind == libc::SCM_RIGHTS
        };
        let mut taken = Vec::new();
        for message in self.iter().filter(rights) {
            for number in message.data.as_chunks::<{ size_of::<RawFd>() }>().0 {
                // SAFETY: the kernel has installed this descriptor for us, and told nobody else:
                // the caller has just received it, and takes it once.
                taken.push(unsafe { OwnedFd::from_raw_fd(RawFd::from_ne_bytes(*number)) });
            }
        }
        taken
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// An iterator over control messages; made by [`Control::iter`].
///
/// ```
/// # use henge_driver::sys::message::{Control, ControlMessage, ControlMessages, room_for};
/// let mut control = Control::new();
/// control.push(1, 2, b"data");
/// let mut messages: ControlMessages<'_> = control.iter();
/// assert_eq!(messages.next().map(|message| message.data), Some(&b"data"[..]));
/// assert!(messages.next().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct ControlMessages<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for ControlMessages<'a> {
    type Item = ControlMessage<'a>;

    fn next(&mut self) -> Option<ControlMessage<'a>> {
        let (len, tail) = self.rest.split_first_chunk::<WORD>()?;
        let (level, tail) = tail.split_first_chunk::<4>()?;
        let (kind, _) = tail.split_first_chunk::<4>()?;
        let len = usize::from_ne_bytes(*len);
        let data = self.rest.get(HEADER..len)?;
        self.rest = self.rest.get(len.next_multiple_of(WORD)..).unwrap_or_default();
        Some(ControlMessage {
            level: i32::from_ne_bytes(*level),
            kind: i32::from_ne_bytes(*kind),
            data,
        })
    }
}

/// What a receive brought beside the bytes and the control messages.
#[derive(Debug)]
pub struct Received {
    /// How many bytes.
    pub bytes: usize,
    /// The descriptors that were passed, CLOEXEC.
    pub descriptors: Vec<OwnedFd>,
    /// The message was longer than the room for it (`MSG_TRUNC`).
    pub truncated: bool,
    /// There were control messages without room for them (`MSG_CTRUNC`); descriptors among them
    /// are closed.
    pub control_truncated: bool,
}

/// Sends one message; `WouldBlock` if that would wait.
pub fn send_now(
    fd: impl AsFd,
    to: Option<&Address>,
    pieces: &[IoSlice<'_>],
    control: &Control,
) -> io::Result<usize> {
    let mut message = empty();
    if let Some(to) = to {
        message.msg_name = to.as_ptr().cast_mut().cast();
        message.msg_namelen = to.len();
    }
    message.msg_iov = pieces.as_ptr().cast_mut().cast();
    message.msg_iovlen = pieces.len();
    message.msg_control = control.words.as_ptr().cast_mut().cast();
    message.msg_controllen = control.len;
    let (fd, flags) = (fd.as_fd().as_raw_fd(), libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL);
    // SAFETY: name, pieces (an `IoSlice` is an `iovec`) and control messages are borrowed for
    // longer than the call, which only reads them.
    retry(|| unsafe { libc::sendmsg(fd, &raw const message, flags) })
}

/// Receives one message into `pieces`, what comes beside it into `control`, and the sender's name
/// into `from`; `WouldBlock` if there is none.
pub fn recv_now(
    fd: impl AsFd,
    from: Option<&mut Address>,
    pieces: &mut [IoSliceMut<'_>],
    control: &mut Control,
    peek: bool,
) -> io::Result<Received> {
    let mut message = empty();
    let room = control.bytes_mut();
    message.msg_control = room.as_mut_ptr().cast();
    message.msg_controllen = room.len();
    message.msg_iov = pieces.as_mut_ptr().cast();
    message.msg_iovlen = pieces.len();
    let mut storage = socket2::SockAddrStorage::zeroed();
    if from.is_some() {
        message.msg_name = (&raw mut storage).cast();
        message.msg_namelen = storage.size_of();
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC | if peek { libc::MSG_PEEK } else { 0 };
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: pieces (an `IoSliceMut` is an `iovec`), control room and storage are borrowed
    // exclusively for longer than the call; the kernel writes as much as their lengths allow.
    let bytes = retry(|| unsafe { libc::recvmsg(fd, &raw mut message, flags) })?;
    control.len = message.msg_controllen;
    if let Some(from) = from {
        // SAFETY: the kernel has written a name of this length (none: length zero, of zeroes).
        *from = Address(unsafe { socket2::SockAddr::new(storage, message.msg_namelen) });
    }
    Ok(Received {
        bytes,
        descriptors: control.take_descriptors(),
        truncated: message.msg_flags & libc::MSG_TRUNC != 0,
        control_truncated: message.msg_flags & libc::MSG_CTRUNC != 0,
    })
}

fn empty() -> libc::msghdr {
    // SAFETY: plain numbers and pointers, for which zero is valid.
    unsafe { std::mem::zeroed() }
}

fn retry(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        if let Ok(done) = usize::try_from(call()) {
            return Ok(done);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Control, recv_now, room_for, send_now};
    use std::io::{IoSlice, IoSliceMut, Read as _, Write as _};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn messages_are_found_again_whatever_their_length() {
        let mut control = Control::new();
        for n in 0..20_u8 {
            control.push(n.into(), 7, &vec![n; n.into()]);
        }
        for (n, message) in control.iter().enumerate() {
            assert_eq!((message.level as usize, message.kind, message.data.len()), (n, 7, n));
        }
        assert_eq!(control.iter().count(), 20);
    }

    #[test]
    fn descriptors_travel() {
        let (a, b) = UnixStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut control = Control::new();
        control.push_descriptors(&[writer.as_fd(), a.as_fd()]);
        assert_eq!(send_now(&a, None, &[IoSlice::new(b"two")], &control).unwrap(), 3);
        drop(writer);
        let mut room = [0; 8];
        let mut control = Control::with_room(room_for(16));
        let pieces = &mut [IoSliceMut::new(&mut room)];
        let mut got = recv_now(&b, None, pieces, &mut control, false).unwrap();
        assert_eq!((got.bytes, got.control_truncated, got.descriptors.len()), (3, false, 2));
        let mut writer = std::io::PipeWriter::from(got.descriptors.remove(0));
        writer.write_all(b"through").unwrap();
        drop((writer, got));
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
    }

    #[test]
    fn those_without_room_are_closed_and_reported() {
        let (a, b) = UnixStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut control = Control::new();
        control.push_descriptors(&[a.as_fd(), a.as_fd(), writer.as_fd(), writer.as_fd()]);
        send_now(&a, None, &[IoSlice::new(b"x")], &control).unwrap();
        drop(writer);
        let mut room = [0; 1];
        let mut control = Control::with_room(room_for(4));
        let pieces = &mut [IoSliceMut::new(&mut room)];
        let got = recv_now(&b, None, pieces, &mut control, false).unwrap();
        assert!(got.control_truncated);
        drop(got);
        assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0, "nobody holds the other end");
    }
}
