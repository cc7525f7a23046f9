//! Entries as the kernel reads them, with a named constructor for each operation.
//!
//! An [`Sqe`] is plain data of the kernel's layout. Making one asks for nothing and is safe:
//! what its pointers must live up to is the promise of the [`Operation`](crate::Operation) that
//! prepares it. A constructor takes what its operation cannot do without; flags are added by
//! the `with_` methods. Those of files (`file`), of names (`path`) and of sockets (`socket`) have
//! files of their own; here are the entry, and what speaks to the ring itself.

mod file;
mod opcode;
mod path;
#[allow(unsafe_code, reason = "an entry of any kind is a promise of who makes it")]
mod raw;
mod socket;
mod timespec;

use crate::Fd;

pub(crate) use opcode::Opcode;
pub use timespec::Timespec;

const IOSQE_IO_LINK: u8 = 1 << 2;
const IOSQE_ASYNC: u8 = 1 << 4;
const IOSQE_BUFFER_SELECT: u8 = 1 << 5;
const IOSQE_CQE_SKIP_SUCCESS: u8 = 1 << 6;

const POLL_ADD_MULTI: u32 = 1 << 0;
const TIMEOUT_ETIME_SUCCESS: u32 = 1 << 5;
const ASYNC_CANCEL_ALL: u32 = 1 << 0;
const ASYNC_CANCEL_ANY: u32 = 1 << 2;
const NO_FD: i32 = -1;

/// One submission entry, 64 bytes, in the layout of `struct io_uring_sqe`.
///
/// ```
/// use henge_driver::Sqe;
///
/// assert_eq!(size_of::<Sqe>(), 64);
/// let _entry = Sqe::nop();
/// ```
///
/// The examples of its constructors ask by means of an operation that owns what its entry points
/// to, whatever that is:
///
/// ```
#[doc = include_str!("sqe/ask.in")]
/// # assert_eq!(ask((), |()| Sqe::nop())?.0, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sqe {
    pub(crate) opcode: u8,
    pub(crate) flags: u8,
    pub(crate) ioprio: u16,
    pub(crate) fd: i32,
    /// Offset in a file, or a second address.
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) len: u32,
    /// The operation's own flags (`MSG_*`, `O_*`, poll events …).
    pub(crate) op_flags: u32,
    pub(crate) user_data: u64,
    /// Buffer group or registered buffer.
    pub(crate) buffer: u16,
    pub(crate) personality: u16,
    pub(crate) file_index: u32,
    pub(crate) address3: u64,
    pub(crate) pad: u64,
}

const _: () = assert!(size_of::<Sqe>() == 64 && align_of::<Sqe>() == 8);

impl Sqe {
    const fn new(opcode: Opcode, fd: i32, address: u64, len: u32, offset: u64) -> Sqe {
        Sqe {
            opcode: opcode as u8,
            flags: 0,
            ioprio: 0,
            fd,
            offset,
            address,
            len,
            op_flags: 0,
            user_data: 0,
            buffer: 0,
            personality: 0,
            file_index: 0,
            address3: 0,
            pad: 0,
        }
    }

    /// Does nothing, and completes with 0.
    ///
    /// ```
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// assert_eq!(ask((), |()| Sqe::nop())?.0, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const fn nop() -> Sqe {
        Sqe::new(Opcode::Nop, NO_FD, 0, 0, 0)
    }

    /// Completes once, with the events that are there, when one of `events` (`POLLIN` …) is.
    ///
    /// ```
    /// use henge_driver::{Fd, ops::events};
    /// use std::{io::Write, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let (reader, mut writer) = io::pipe()?;
    /// writer.write_all(b"there is something")?;
    /// let reader = Fd::from(OwnedFd::from(reader));
    /// assert_eq!(ask(reader, |reader| Sqe::poll_add(reader, events::IN))?.0, events::IN);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_add(fd: &Fd, events: u32) -> Sqe {
        Sqe::poll_number(fd.number(), events)
    }

    pub(crate) fn poll_number(number: i32, events: u32) -> Sqe {
        let mut sqe = Sqe::new(Opcode::PollAdd, number, 0, 0, 0);
        // The kernel reads the two halves of this word swapped on big-endian machines.
        sqe.op_flags = if cfg!(target_endian = "big") { events.rotate_left(16) } else { events };
        sqe
    }

    /// As [`poll_add`](Sqe::poll_add), again and again: one completion an event, not one a state.
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Fd, Next, Operation, Sqe, ops::events};
    /// use std::{io::Write, os::fd::OwnedFd, sync::mpsc};
    ///
    /// struct Watch(Fd, mpsc::Sender<u32>);
    ///
    /// // SAFETY: the entry points to no memory; the descriptor is the operation's.
    /// unsafe impl Operation for Watch {
    ///     type Output = ();
    ///     fn prepare(&mut self) -> Sqe { Sqe::poll_multishot(&self.0, events::IN) }
    ///     fn complete(&mut self, cqe: Cqe) -> Next<()> {
    ///         if let Ok(there) = cqe.into_result() {
    ///             self.1.send(there).expect("somebody listens");
    ///         }
    ///         if cqe.has_more() { Next::Held } else { Next::Done(()) }
    ///     }
    /// }
    ///
    /// let driver = Driver::new()?;
    /// let (reader, mut writer) = std::io::pipe()?;
    /// let (tell, told) = mpsc::channel();
    /// driver.submit_detached(Watch(OwnedFd::from(reader).into(), tell));
    /// for _ in 0..3 {
    ///     writer.write_all(b"!")?;
    ///     while told.try_recv() != Ok(events::IN) {
    ///         driver.park(None, || false)?;
    ///     }
    /// }
    /// assert_eq!(driver.counters().submissions, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_multishot(fd: &Fd, events: u32) -> Sqe {
        Sqe::poll_add(fd, events).with_poll_multishot()
    }

    pub(crate) const fn with_poll_multishot(mut self) -> Sqe {
        self.len = POLL_ADD_MULTI;
        self
    }

    /// Completes with `ETIME` after `span`.
    ///
    /// ```
    /// use henge_driver::Timespec;
    /// use std::time::Duration;
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// const ETIME: i32 = 62;
    ///
    /// let span = Timespec::from(Duration::from_millis(1));
    /// assert_eq!(ask(span, |span| Sqe::timeout(span)).unwrap_err().raw_os_error(), Some(ETIME));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn timeout(span: *const Timespec) -> Sqe {
        Sqe::new(Opcode::Timeout, NO_FD, span as u64, 1, 0)
    }

    /// Cancels the entry before it, which must carry the link flag, after `span`.
    pub(crate) fn link_timeout(span: *const Timespec) -> Sqe {
        let mut sqe = Sqe::new(Opcode::LinkTimeout, NO_FD, span as u64, 1, 0);
        sqe.op_flags = TIMEOUT_ETIME_SUCCESS;
        sqe
    }

    /// Cancels the operation with this user data.
    pub(crate) fn cancel(user_data: u64) -> Sqe {
        Sqe::new(Opcode::AsyncCancel, NO_FD, user_data, 0, 0)
    }

    /// Cancels everything.
    pub(crate) fn cancel_all() -> Sqe {
        let mut sqe = Sqe::cancel(0);
        sqe.op_flags = ASYNC_CANCEL_ALL | ASYNC_CANCEL_ANY;
        sqe
    }

    /// Posts a completion with `user_data` and result 0 on another ring.
    pub(crate) fn message(ring: &Fd, user_data: u64) -> Sqe {
        Sqe::new(Opcode::MsgRing, ring.number(), 0, 0, user_data)
    }

    /// Goes to a kernel worker at once instead of being tried in the submitting call.
    ///
    /// ```
    /// use henge_driver::Fd;
    /// use std::{fs::File, os::fd::OwnedFd};
    ///
    /// # mod asking { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqe/ask.in")); }
    /// # use asking::*;
    /// let folder = Fd::from(OwnedFd::from(File::open(".")?));
    /// // The thread that submits is not held up by what would be tried there first.
    /// assert_eq!(ask(folder, |folder| Sqe::fsync(folder, true).with_async())?.0, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn with_async(mut self) -> Sqe {
        self.flags |= IOSQE_ASYNC;
        self
    }

    pub(crate) const fn with_user_data(mut self, user_data: u64) -> Sqe {
        self.user_data = user_data;
        self
    }

    pub(crate) const fn with_link(mut self) -> Sqe {
        self.flags |= IOSQE_IO_LINK;
        self
    }

    pub(crate) const fn with_skip_success(mut self) -> Sqe {
        self.flags |= IOSQE_CQE_SKIP_SUCCESS;
        self
    }
}
