//! Entries that have no constructor: for operations that are written elsewhere.
//!
//! The fields have the kernel's names in their documentation. Operations use one field for
//! different things, so it is the operation's manual that says which to fill.

use super::{NO_FD, Opcode, Sqe};
use crate::Fd;

impl Sqe {
    /// An entry for any operation, by the kernel's number (`IORING_OP_*`): what has no constructor
    /// here. All other fields are zero; the `with_` methods fill them as the operation's manual
    /// says.
    ///
    /// # Safety
    ///
    /// What [`Operation`](crate::Operation) asks of every entry holds for this one, and the
    /// operation keeps to itself: it neither cancels, changes nor completes what others have
    /// submitted (`ASYNC_CANCEL`, `POLL_REMOVE`, `TIMEOUT_REMOVE`, `MSG_RING`), nor changes what
    /// the ring knows beforehand (`PROVIDE_BUFFERS`, `REMOVE_BUFFERS`, `FILES_UPDATE`), nor closes
    /// a descriptor that somebody has.
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Next, Operation, Sqe, submit};
    ///
    /// const IORING_OP_NOP: u8 = 0;
    ///
    /// struct Nothing;
    ///
    /// // SAFETY: the entry points to no memory and names no descriptor.
    /// unsafe impl Operation for Nothing {
    ///     type Output = i32;
    ///     fn prepare(&mut self) -> Sqe {
    ///         // SAFETY: it does nothing, to nobody.
    ///         unsafe { Sqe::raw(IORING_OP_NOP, None) }
    ///     }
    ///     fn complete(&mut self, cqe: Cqe) -> Next<i32> { Next::Done(cqe.result()) }
    /// }
    ///
    /// assert_eq!(Driver::new()?.block_on(submit(Nothing))?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub unsafe fn raw(opcode: u8, fd: Option<&Fd>) -> Sqe {
        let fd = fd.map_or(NO_FD, Fd::number);
        Sqe { opcode, ..Sqe::new(Opcode::Nop, fd, 0, 0, 0) }
    }

    /// A command that the file's driver defines (`IORING_OP_URING_CMD`, its number in `cmd_op`):
    /// to a socket, a block device, FUSE … Entries are of 64 bytes here; commands that need 128,
    /// as NVMe's own do, cannot be expressed.
    ///
    /// # Safety
    ///
    /// As for [`raw`](Sqe::raw), whatever the command does.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::io::Write;
    /// use std::net::{TcpListener, TcpStream};
    /// use std::os::fd::OwnedFd;
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const SOCKET_URING_OP_SIOCINQ: u32 = 0;
    /// const EOPNOTSUPP: i32 = 95;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let mut client = TcpStream::connect(listener.local_addr()?)?;
    /// let (server, _) = listener.accept()?;
    /// client.write_all(b"hello")?;
    /// server.peek(&mut [0])?; // it has come
    /// // How many bytes wait: an `ioctl` of sockets, which is a command since Linux 6.7.
    /// let asked = ask(Fd::from(OwnedFd::from(server)), |server| {
    ///     // SAFETY: it looks at one socket, and changes nothing.
    ///     unsafe { Sqe::command(server, SOCKET_URING_OP_SIOCINQ) }
    /// });
    /// match asked {
    ///     Ok((waiting, _)) => assert_eq!(waiting, 5),
    ///     Err(before_6_7) => assert_eq!(before_6_7.raw_os_error(), Some(EOPNOTSUPP)),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub unsafe fn command(fd: &Fd, command: u32) -> Sqe {
        let [a, b, c, d] = command.to_ne_bytes();
        // The number is the first half of this field, and what follows it is not looked at.
        let offset = u64::from_ne_bytes([a, b, c, d, 0, 0, 0, 0]);
        Sqe::new(Opcode::UringCmd, fd.number(), 0, 0, offset)
    }

    /// Sets `off`: an offset in a file, a second address, a count.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{fs::File, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const IORING_OP_READ: u8 = 22;
    ///
    /// let program = Fd::from(OwnedFd::from(File::open("/proc/self/exe")?));
    /// let (_, owned) = ask((program, [0; 3]), |(program, to)| {
    ///     // SAFETY: it reads a file, which concerns nobody else.
    ///     let read = unsafe { Sqe::raw(IORING_OP_READ, Some(program)) };
    ///     read.with_address(to.as_mut_ptr() as u64).with_len(3).with_offset(1)
    /// })?;
    /// assert_eq!(&owned.1, b"ELF");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn with_offset(mut self, offset: u64) -> Sqe {
        self.offset = offset;
        self
    }

    /// Sets `addr`: an address, or what the operation has in its place.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{io::Read, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const IORING_OP_WRITE: u8 = 23;
    ///
    /// let (mut reader, writer) = io::pipe()?;
    /// let (n, _) = ask(Fd::from(OwnedFd::from(writer)), |writer| {
    ///     let text = "hello"; // lives for ever
    ///     // SAFETY: it writes to a pipe, which concerns nobody else.
    ///     let write = unsafe { Sqe::raw(IORING_OP_WRITE, Some(writer)) };
    ///     write.with_address(text.as_ptr() as u64).with_len(5).with_offset(u64::MAX)
    /// })?;
    /// let mut text = [0; 5];
    /// reader.read_exact(&mut text)?;
    /// assert_eq!((n, &text), (5, b"hello"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn with_address(mut self, address: u64) -> Sqe {
        self.address = address;
        self
    }

    /// Sets `addr3`, the third address, which is where the data of a command begins.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{net::TcpListener, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const GETSOCKOPT: u32 = 2;
    /// const SOL_SOCKET_SO_ACCEPTCONN: [u32; 2] = [1, 30];
    /// const EOPNOTSUPP: i32 = 95;
    ///
    /// let socket = Fd::from(OwnedFd::from(TcpListener::bind("127.0.0.1:0")?));
    /// let asked = ask((socket, u32::MAX), |(socket, answer)| {
    ///     let [level, name] = SOL_SOCKET_SO_ACCEPTCONN.map(u64::from);
    ///     // SAFETY: it asks for an option, which concerns nobody else.
    ///     let command = unsafe { Sqe::command(socket, GETSOCKOPT) };
    ///     let command = command.with_address(level | name << 32).with_file_index(4);
    ///     command.with_address3((&raw mut *answer) as u64)
    /// });
    /// match asked {
    ///     Ok((_, owned)) => assert_eq!(owned.1, 1, "it listens"),
    ///     Err(before_6_7) => assert_eq!(before_6_7.raw_os_error(), Some(EOPNOTSUPP)),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn with_address3(mut self, address: u64) -> Sqe {
        self.address3 = address;
        self
    }

    /// Sets `len`: a number of bytes, of pieces, or what the operation has in its place.
    ///
    /// ```
    /// use std::os::fd::OwnedFd;
    /// use henge_driver::Fd;
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const IORING_OP_SHUTDOWN: u8 = 34;
    /// const SHUT_WR: u32 = 1;
    ///
    /// let (a, mut b) = std::os::unix::net::UnixStream::pair()?;
    /// ask(Fd::from(OwnedFd::from(a)), |a| {
    ///     // SAFETY: it ends a direction of this stream, and of nothing else.
    ///     unsafe { Sqe::raw(IORING_OP_SHUTDOWN, Some(a)) }.with_len(SHUT_WR) // in its place
    /// })?;
    /// assert_eq!(io::Read::read(&mut b, &mut [0])?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn with_len(mut self, len: u32) -> Sqe {
        self.len = len;
        self
    }

    /// Sets the flags of the operation itself (`rw_flags`, `msg_flags`, `fadvise_advice` …).
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::os::fd::OwnedFd;
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const IORING_OP_FADVISE: u8 = 24;
    /// const POSIX_FADV_SEQUENTIAL: u32 = 2;
    ///
    /// let program = Fd::from(OwnedFd::from(std::fs::File::open("/proc/self/exe")?));
    /// let (answer, _) = ask(program, |file| {
    ///     // SAFETY: advice about one file concerns nobody else's operations.
    ///     unsafe { Sqe::raw(IORING_OP_FADVISE, Some(file)) }.with_op_flags(POSIX_FADV_SEQUENTIAL)
    /// })?;
    /// assert_eq!(answer, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn with_op_flags(mut self, flags: u32) -> Sqe {
        self.op_flags = flags;
        self
    }

    /// Sets `ioprio`: a priority, or flags that are new (`IORING_ACCEPT_MULTISHOT` …).
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{io::Write, os::fd::OwnedFd, os::unix::net::UnixStream};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const IORING_RECVSEND_POLL_FIRST: u16 = 1;
    ///
    /// let (a, mut b) = UnixStream::pair()?;
    /// b.write_all(b"hello")?;
    /// let (n, owned) = ask((Fd::from(OwnedFd::from(a)), [0; 8]), |(a, to)| {
    ///     Sqe::recv(a, to.as_mut_ptr(), 8, 0).with_ioprio(IORING_RECVSEND_POLL_FIRST)
    /// })?;
    /// assert_eq!(&owned.1[..n as usize], b"hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn with_ioprio(mut self, ioprio: u16) -> Sqe {
        self.ioprio = ioprio;
        self
    }

    /// Sets `file_index`, in whose place some operations have a length (`optlen`, `addr_len`).
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{net::TcpListener, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const GETSOCKOPT: u32 = 2;
    /// const SOL_SOCKET_SO_PROTOCOL: [u32; 2] = [1, 38];
    /// const EOPNOTSUPP: i32 = 95;
    ///
    /// let socket = Fd::from(OwnedFd::from(TcpListener::bind("127.0.0.1:0")?));
    /// let asked = ask((socket, [0; 8]), |(socket, answer)| {
    ///     let [level, name] = SOL_SOCKET_SO_PROTOCOL.map(u64::from);
    ///     // SAFETY: it asks for an option, which concerns nobody else.
    ///     let command = unsafe { Sqe::command(socket, GETSOCKOPT) };
    ///     let command = command.with_address(level | name << 32);
    ///     // The room for the answer, of which it takes four bytes.
    ///     command.with_address3(answer.as_mut_ptr() as u64).with_file_index(8)
    /// });
    /// match asked {
    ///     Ok((len, owned)) => assert_eq!(owned.1[..len as usize], 6_u32.to_ne_bytes(), "TCP"),
    ///     Err(before_6_7) => assert_eq!(before_6_7.raw_os_error(), Some(EOPNOTSUPP)),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn with_file_index(mut self, index: u32) -> Sqe {
        self.file_index = index;
        self
    }

    /// Names a second descriptor (`splice_fd_in`).
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{io::Read, io::Write, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const IORING_OP_TEE: u8 = 33;
    ///
    /// let (from, mut source) = io::pipe()?;
    /// let (mut copy, to) = io::pipe()?;
    /// source.write_all(b"hello")?;
    /// let pipes = (Fd::from(OwnedFd::from(from)), Fd::from(OwnedFd::from(to)));
    /// let (n, _) = ask(pipes, |(from, to)| {
    ///     // SAFETY: it copies from one pipe to the other, which concerns nobody else.
    ///     unsafe { Sqe::raw(IORING_OP_TEE, Some(to)) }.with_second_fd(from).with_len(64)
    /// })?;
    /// let mut text = [0; 5];
    /// copy.read_exact(&mut text)?;
    /// assert_eq!((n, &text), (5, b"hello"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn with_second_fd(self, fd: &Fd) -> Sqe {
        self.with_file_index(fd.number().cast_unsigned())
    }
}
