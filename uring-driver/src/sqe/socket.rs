//! Entries for sockets.

use std::ffi::c_void;
use std::ptr;

use super::{IOSQE_BUFFER_SELECT, Opcode, Sqe};
use crate::Fd;
use crate::sys::abi;

const RECVSEND_POLL_FIRST: u16 = 1 << 0;
const RECV_MULTISHOT: u16 = 1 << 1;
const ACCEPT_MULTISHOT: u16 = 1 << 0;
const SEND_ZC_REPORT_USAGE: u16 = 1 << 3;

impl Sqe {
    /// Accepts connections until it is cancelled or fails; each completion is a descriptor,
    /// CLOEXEC.
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Fd, Next, Operation, Sqe, submit};
    /// use std::os::fd::{FromRawFd, OwnedFd};
    /// use std::{io, net::TcpListener, net::TcpStream};
    ///
    /// struct Accept(Fd);
    ///
    /// // SAFETY: the entry points to no memory; the descriptor is the operation's.
    /// unsafe impl Operation for Accept {
    ///     type Output = io::Result<OwnedFd>;
    ///     fn prepare(&mut self) -> Sqe { Sqe::accept_multishot(&self.0) }
    ///     fn complete(&mut self, cqe: Cqe) -> Next<io::Result<OwnedFd>> {
    ///         // The first is the result; others are dropped, and closed.
    ///         // SAFETY: the kernel made it for this completion, so it is nobody else's.
    ///         let owned = |number: u32| unsafe { OwnedFd::from_raw_fd(number.cast_signed()) };
    ///         Next::Done(cqe.into_result().map(owned))
    ///     }
    /// }
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let client = TcpStream::connect(listener.local_addr()?)?;
    /// let accept = submit(Accept(Fd::from(OwnedFd::from(listener))));
    /// let stream = TcpStream::from(Driver::new()?.block_on(accept)??);
    /// assert_eq!(stream.peer_addr()?, client.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accept_multishot(fd: &Fd) -> Sqe {
        let mut sqe = Sqe::accept(fd, ptr::null_mut(), ptr::null_mut());
        sqe.ioprio = ACCEPT_MULTISHOT;
        sqe
    }

    /// Accepts one connection, CLOEXEC, and says who it is (`struct sockaddr`, `socklen_t`)
    /// unless the pointers are null.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::os::fd::{FromRawFd, OwnedFd};
    /// use std::{net::TcpListener, net::TcpStream, ptr::null_mut};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let client = TcpStream::connect(listener.local_addr()?)?;
    /// let (number, _) = ask(Fd::from(OwnedFd::from(listener)), |listener| {
    ///     Sqe::accept(listener, null_mut(), null_mut()) // whoever it is
    /// })?;
    /// // SAFETY: the kernel made it for this completion, so it is nobody else's.
    /// let stream = unsafe { TcpStream::from_raw_fd(number.cast_signed()) };
    /// assert_eq!(stream.peer_addr()?, client.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accept(fd: &Fd, address: *mut c_void, len: *mut u32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Accept, fd.number(), address as u64, 0, len as u64);
        sqe.op_flags = abi::SOCK_CLOEXEC.cast_unsigned();
        sqe
    }

    /// Connects to the `struct sockaddr` of `len` bytes.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use socket2::{Domain, Socket, Type};
    /// use std::{net::TcpListener, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    /// let owned = (Fd::from(OwnedFd::from(socket)), listener.local_addr()?.into());
    /// ask(owned, |(socket, address): &mut (Fd, socket2::SockAddr)| {
    ///     Sqe::connect(socket, address.as_ptr().cast(), address.len())
    /// })?;
    /// assert!(listener.accept().is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect(fd: &Fd, address: *const c_void, len: u32) -> Sqe {
        Sqe::new(Opcode::Connect, fd.number(), address as u64, 0, u64::from(len))
    }

    /// Ends one or both directions (`SHUT_RD` …) of a connection.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{io::Read, os::fd::OwnedFd, os::unix::net::UnixStream};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const SHUT_WR: i32 = 1;
    ///
    /// let (a, mut b) = UnixStream::pair()?;
    /// ask(Fd::from(OwnedFd::from(a.try_clone()?)), |a| Sqe::shutdown(a, SHUT_WR))?;
    /// assert_eq!(b.read(&mut [0])?, 0, "the end of what `a` sends; it may still receive");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown(fd: &Fd, how: i32) -> Sqe {
        Sqe::new(Opcode::Shutdown, fd.number(), 0, how.cast_unsigned(), 0)
    }

    /// Receives once into memory of the caller's.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{io::Write, os::fd::OwnedFd, os::unix::net::UnixStream};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let (a, mut b) = UnixStream::pair()?;
    /// b.write_all(b"hello")?;
    /// let (n, owned) = ask((Fd::from(OwnedFd::from(a)), [0; 64]), |(a, to)| {
    ///     Sqe::recv(a, to.as_mut_ptr(), 64, 0)
    /// })?;
    /// assert_eq!(&owned.1[..n as usize], b"hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv(fd: &Fd, to: *mut u8, len: u32, flags: i32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Recv, fd.number(), to as u64, len, 0);
        sqe.op_flags = flags.cast_unsigned();
        sqe
    }

    /// Receives into buffers of a group until it is cancelled, fails, or the group is empty.
    #[doc(hidden)]
    pub fn recv_multishot(fd: &Fd, group: u16) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Recv, fd.number(), 0, 0, 0).with_buffer_group(group);
        sqe.ioprio = RECV_MULTISHOT;
        sqe
    }

    /// Sends from memory of the caller's, never raising SIGPIPE.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{io::Read, os::fd::OwnedFd, os::unix::net::UnixStream};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let (a, mut b) = UnixStream::pair()?;
    /// let (n, _) = ask((Fd::from(OwnedFd::from(a)), *b"hello"), |(a, from)| {
    ///     Sqe::send(a, from.as_ptr(), 5, 0)
    /// })?;
    /// let mut text = String::new();
    /// b.read_to_string(&mut text)?;
    /// assert_eq!((n, &*text), (5, "hello"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send(fd: &Fd, from: *const u8, len: u32, flags: i32) -> Sqe {
        Sqe::send_number(fd.number(), from, len, flags)
    }

    #[inline]
    pub(crate) fn send_number(number: i32, from: *const u8, len: u32, flags: i32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Send, number, from as u64, len, 0);
        sqe.op_flags = (flags | abi::MSG_NOSIGNAL).cast_unsigned();
        sqe
    }

    /// As [`send`](Sqe::send) without a copy: a second completion, a notification, says when the
    /// kernel has let go of the memory.
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Fd, Next, Operation, Sqe, submit};
    /// use std::net::{TcpListener, TcpStream};
    /// use std::{io, io::Read, os::fd::OwnedFd};
    ///
    /// struct Send(Fd, &'static [u8], io::Result<u32>);
    ///
    /// // SAFETY: the memory lives for ever; the descriptor is the operation's.
    /// unsafe impl Operation for Send {
    ///     type Output = io::Result<u32>;
    ///     fn prepare(&mut self) -> Sqe {
    ///         Sqe::send_zero_copy(&self.0, self.1.as_ptr(), self.1.len() as u32, 0)
    ///     }
    ///     fn complete(&mut self, cqe: Cqe) -> Next<io::Result<u32>> {
    ///         if !cqe.is_notification() {
    ///             self.2 = cqe.into_result();
    ///         }
    ///         if cqe.has_more() {
    ///             return Next::Held; // until the kernel has let go of the memory
    ///         }
    ///         Next::Done(std::mem::replace(&mut self.2, Ok(0)))
    ///     }
    /// }
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let client = TcpStream::connect(listener.local_addr()?)?;
    /// let (mut server, _) = listener.accept()?;
    /// # let reader = std::thread::spawn(move || {
    /// #     let mut text = String::new();
    /// #     server.read_to_string(&mut text).map(|_| text)
    /// # });
    /// let send = Send(Fd::from(OwnedFd::from(client)), b"hello", Ok(0));
    /// assert_eq!(Driver::new()?.block_on(submit(send))??, 5);
    /// # assert_eq!(reader.join().expect("no panic")?, "hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_zero_copy(fd: &Fd, from: *const u8, len: u32, flags: i32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::SendZc, fd.number(), from as u64, len, 0);
        sqe.op_flags = (flags | abi::MSG_NOSIGNAL).cast_unsigned();
        sqe
    }

    /// Has the notification of a [`send_zero_copy`](Sqe::send_zero_copy) tell whether the bytes
    /// were copied after all (kernel 6.2).
    pub(crate) const fn with_usage_report(mut self) -> Sqe {
        self.ioprio |= SEND_ZC_REPORT_USAGE;
        self
    }

    /// Sends what a `struct msghdr` describes, never raising SIGPIPE.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{os::fd::OwnedFd, os::unix::net::UnixDatagram};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let (a, b) = UnixDatagram::pair()?;
    /// // The seven words of a `struct msghdr`, and the two of the `struct iovec` that it names.
    /// let owned = (Fd::from(OwnedFd::from(a)), [0_usize; 7], [0_usize; 2]);
    /// let (n, _) = ask(owned, |(a, message, piece)| {
    ///     let text = "hello"; // lives for ever
    ///     *piece = [text.as_ptr() as usize, text.len()];
    ///     *message = [0, 0, piece.as_ptr() as usize, 1, 0, 0, 0];
    ///     Sqe::sendmsg(a, message.as_ptr().cast(), 0)
    /// })?;
    /// let mut text = [0; 8];
    /// assert_eq!((n, b.recv(&mut text)?), (5, 5));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn sendmsg(fd: &Fd, message: *const c_void, flags: i32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::SendMsg, fd.number(), message as u64, 1, 0);
        sqe.op_flags = (flags | abi::MSG_NOSIGNAL).cast_unsigned();
        sqe
    }

    /// Receives into what a `struct msghdr` describes.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{os::fd::OwnedFd, os::unix::net::UnixDatagram};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let (a, b) = UnixDatagram::pair()?;
    /// b.send(b"hello")?;
    /// // The seven words of a `struct msghdr`, and the two of the `struct iovec` that it names.
    /// let owned = (Fd::from(OwnedFd::from(a)), [0; 64], [0_usize; 7], [0_usize; 2]);
    /// let (n, owned) = ask(owned, |(a, to, message, piece)| {
    ///     *piece = [to.as_mut_ptr() as usize, to.len()];
    ///     *message = [0, 0, piece.as_ptr() as usize, 1, 0, 0, 0];
    ///     Sqe::recvmsg(a, message.as_mut_ptr().cast(), 0)
    /// })?;
    /// assert_eq!(&owned.1[..n as usize], b"hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recvmsg(fd: &Fd, message: *mut c_void, flags: i32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::RecvMsg, fd.number(), message as u64, 1, 0);
        sqe.op_flags = flags.cast_unsigned();
        sqe
    }

    /// Lets the kernel choose the memory from this buffer group.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_buffer_group(mut self, group: u16) -> Sqe {
        self.buffer = group;
        self.flags |= IOSQE_BUFFER_SELECT;
        self
    }

    /// Waits for readiness before the first try: for sockets that are known to be idle or full.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{io::Write, os::fd::OwnedFd, os::unix::net::UnixStream};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let (a, mut b) = UnixStream::pair()?;
    /// # let writer = std::thread::spawn(move || b.write_all(b"late"));
    /// let (n, owned) = ask((Fd::from(OwnedFd::from(a)), [0; 64]), |(a, to)| {
    ///     Sqe::recv(a, to.as_mut_ptr(), 64, 0).with_poll_first()
    /// })?;
    /// assert_eq!(&owned.1[..n as usize], b"late");
    /// # writer.join().expect("no panic")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn with_poll_first(mut self) -> Sqe {
        self.ioprio |= RECVSEND_POLL_FIRST;
        self
    }
}
