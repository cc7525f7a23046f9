//! Entries for what is done with an open file.

use std::ffi::c_void;

use super::{Opcode, Sqe};
use crate::Fd;

const FSYNC_DATASYNC: u32 = 1 << 0;

impl Sqe {
    /// Reads at a byte offset; `u64::MAX` means the file's own position, and what has none.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{fs::File, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let program = Fd::from(OwnedFd::from(File::open("/proc/self/exe")?));
    /// let (n, owned) = ask((program, [0; 4]), |(program, to)| {
    ///     Sqe::read(program, to.as_mut_ptr(), 4, 0)
    /// })?;
    /// assert_eq!((n, &owned.1), (4, b"\x7fELF"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read(fd: &Fd, to: *mut u8, len: u32, offset: u64) -> Sqe {
        Sqe::new(Opcode::Read, fd.number(), to as u64, len, offset)
    }

    /// Writes at a byte offset; `u64::MAX` means the file's own position, and what has none.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{io::Read, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let (mut reader, writer) = io::pipe()?;
    /// let writer = Fd::from(OwnedFd::from(writer));
    /// let (n, _) = ask((writer, *b"hello"), |(writer, text)| {
    ///     Sqe::write(writer, text.as_ptr(), 5, u64::MAX) // a pipe has no places
    /// })?;
    /// let mut text = [0; 5];
    /// reader.read_exact(&mut text)?;
    /// assert_eq!((n, &text), (5, b"hello"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write(fd: &Fd, from: *const u8, len: u32, offset: u64) -> Sqe {
        Sqe::new(Opcode::Write, fd.number(), from as u64, len, offset)
    }

    /// Makes a [`read`](Sqe::read) or [`write`](Sqe::write) one of bytes in the registered buffer
    /// of this number, if there is one.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use henge_driver::buf::{AlignedBuf, IoBuf, IoBufMut};
    /// use std::{fs::File, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let driver = Driver::new()?;
    /// let mut buf = AlignedBuf::new(4096, 4096)?;
    /// driver.register(&mut buf)?;
    /// let program = Fd::from(OwnedFd::from(File::open("/proc/self/exe")?));
    /// let read = Ask(Some(Box::new((program, buf))), |(program, buf)| {
    ///     Sqe::read(program, buf.stable_mut_ptr(), 4096, 0).with_registered(buf.registered())
    /// });
    /// assert_eq!(driver.block_on(submit(read))??.0, 4096);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn with_registered(mut self, number: Option<u16>) -> Sqe {
        if let Some(number) = number {
            if self.opcode == Opcode::Read as u8 {
                self.opcode = Opcode::ReadFixed as u8;
            } else if self.opcode == Opcode::Write as u8 {
                self.opcode = Opcode::WriteFixed as u8;
            }
            self.buffer = number;
        }
        self
    }

    /// Reads into `count` pieces, each a `struct iovec`.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{fs::File, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let program = Fd::from(OwnedFd::from(File::open("/proc/self/exe")?));
    /// // Four bytes, of which the last three go elsewhere; an address and a length are an `iovec`.
    /// let owned = (program, [0; 1], [0; 3], [[0_usize; 2]; 2]);
    /// let (n, owned) = ask(owned, |(program, mark, name, pieces)| {
    ///     *pieces = [[mark.as_mut_ptr() as usize, 1], [name.as_mut_ptr() as usize, 3]];
    ///     Sqe::readv(program, pieces.as_ptr().cast(), 2, 0)
    /// })?;
    /// assert_eq!((n, &owned.1, &owned.2), (4, b"\x7f", b"ELF"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn readv(fd: &Fd, pieces: *const c_void, count: u32, offset: u64) -> Sqe {
        Sqe::new(Opcode::Readv, fd.number(), pieces as u64, count, offset)
    }

    /// Writes from `count` pieces, each a `struct iovec`.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{io::Read, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let (mut reader, writer) = io::pipe()?;
    /// let owned = (Fd::from(OwnedFd::from(writer)), "hello, ", "ring", [[0_usize; 2]; 2]);
    /// let (n, _) = ask(owned, |(writer, first, second, pieces)| {
    ///     // An address and a length are an `iovec`.
    ///     *pieces = [&*first, &*second].map(|text| [text.as_ptr() as usize, text.len()]);
    ///     Sqe::writev(writer, pieces.as_ptr().cast(), 2, u64::MAX)
    /// })?;
    /// let mut text = [0; 11];
    /// reader.read_exact(&mut text)?;
    /// assert_eq!((n, &text), (11, b"hello, ring"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn writev(fd: &Fd, pieces: *const c_void, count: u32, offset: u64) -> Sqe {
        Sqe::new(Opcode::Writev, fd.number(), pieces as u64, count, offset)
    }

    /// Brings a file's data and metadata to the device; with `data_only` just what is needed to
    /// read the data back.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{fs::File, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// // A file that was made is safe when the folder is that has its name.
    /// let folder = Fd::from(OwnedFd::from(File::open(".")?));
    /// assert_eq!(ask(folder, |folder| Sqe::fsync(folder, false))?.0, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fsync(fd: &Fd, data_only: bool) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Fsync, fd.number(), 0, 0, 0);
        sqe.op_flags = if data_only { FSYNC_DATASYNC } else { 0 };
        sqe
    }

    /// Allocates, or punches, or shifts (`FALLOC_FL_*`) `len` bytes from `offset` on.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{fs::File, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// # let path = &std::env::temp_dir().join(format!("henge-sqe-room-{}", std::process::id()));
    /// let file = File::create(path)?;
    /// let owned = Fd::from(OwnedFd::from(file.try_clone()?));
    /// match ask(owned, |file| Sqe::fallocate(file, 0, 0, 1 << 20)) {
    ///     Ok(_) => assert_eq!(file.metadata()?.len(), 1 << 20),
    ///     Err(error) => assert_eq!(error.kind(), io::ErrorKind::Unsupported),
    /// }
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fallocate(fd: &Fd, mode: i32, offset: u64, len: u64) -> Sqe {
        Sqe::new(Opcode::Fallocate, fd.number(), len, mode.cast_unsigned(), offset)
    }

    /// Announces (`POSIX_FADV_*`) how `len` bytes from `offset` on will be used, 0 for all.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{fs::File, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const POSIX_FADV_SEQUENTIAL: i32 = 2;
    ///
    /// let program = Fd::from(OwnedFd::from(File::open("/proc/self/exe")?));
    /// assert_eq!(ask(program, |file| Sqe::fadvise(file, POSIX_FADV_SEQUENTIAL, 0, 0))?.0, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fadvise(fd: &Fd, advice: i32, offset: u64, len: u32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::Fadvise, fd.number(), 0, len, offset);
        sqe.op_flags = advice.cast_unsigned();
        sqe
    }

    /// Starts or awaits (`SYNC_FILE_RANGE_*`) the writing of `len` bytes from `offset` on, 0 for
    /// all.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{fs::File, io::Write, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const SYNC_FILE_RANGE_WRITE: u32 = 2;
    ///
    /// # let path = &std::env::temp_dir().join(format!("henge-sqe-range-{}", std::process::id()));
    /// let mut log = File::create(path)?;
    /// log.write_all(b"to be written before long")?;
    /// let log = Fd::from(OwnedFd::from(log));
    /// assert_eq!(ask(log, |log| Sqe::sync_file_range(log, SYNC_FILE_RANGE_WRITE, 0, 0))?.0, 0);
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn sync_file_range(fd: &Fd, flags: u32, offset: u64, len: u32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::SyncFileRange, fd.number(), 0, len, offset);
        sqe.op_flags = flags;
        sqe
    }

    /// Cuts a file to `len` bytes, or lengthens it with zeros (kernel 6.9).
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{fs::File, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const EINVAL: i32 = 22;
    ///
    /// # let path = &std::env::temp_dir().join(format!("henge-sqe-cut-{}", std::process::id()));
    /// let file = File::create(path)?;
    /// match ask(Fd::from(OwnedFd::from(file.try_clone()?)), |file| Sqe::ftruncate(file, 4096)) {
    ///     Ok(_) => assert_eq!(file.metadata()?.len(), 4096),
    ///     Err(before_6_9) => assert_eq!(before_6_9.raw_os_error(), Some(EINVAL)),
    /// }
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ftruncate(fd: &Fd, len: u64) -> Sqe {
        Sqe::new(Opcode::Ftruncate, fd.number(), 0, 0, len)
    }

    /// Closes the descriptor of this number, which must be owned by nobody else any more.
    ///
    /// ```
    /// use std::{io::Read, os::fd::IntoRawFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let (mut reader, writer) = io::pipe()?;
    /// assert_eq!(ask(writer.into_raw_fd(), |number| Sqe::close(*number))?.0, 0);
    /// assert_eq!(reader.read(&mut [0])?, 0, "nobody writes any more");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn close(number: i32) -> Sqe {
        Sqe::new(Opcode::Close, number, 0, 0, 0)
    }

    /// Moves bytes between a pipe and something else; `u64::MAX` in the place of an offset means
    /// the file's own position, or a pipe.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{fs::File, io::Read, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let program = Fd::from(OwnedFd::from(File::open("/proc/self/exe")?));
    /// let (mut reader, writer) = io::pipe()?;
    /// let owned = (program, Fd::from(OwnedFd::from(writer)));
    /// let (n, _) = ask(owned, |(from, to)| Sqe::splice(from, 1, to, u64::MAX, 3))?;
    /// let mut name = [0; 3];
    /// reader.read_exact(&mut name)?;
    /// assert_eq!((n, &name), (3, b"ELF"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn splice(from: &Fd, from_offset: u64, to: &Fd, to_offset: u64, len: u32) -> Sqe {
        let sqe = Sqe::new(Opcode::Splice, to.number(), from_offset, len, to_offset);
        sqe.with_second_fd(from)
    }
}
