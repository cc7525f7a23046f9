//! The descriptor of a stream, and what both of its sides and every thread may see.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};

use henge_driver::Fd;
use henge_driver::sys::socket;

use crate::waiters::Waiters;

/// What the end of the send side means for the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum AtDrop {
    /// It is to be closed.
    Close,
    /// The peer is to see the end of the stream, while the other half may go on reading.
    End,
    /// Nothing: the half was forgotten on purpose.
    Nothing,
}

/// A connected socket; closed when both sides and the last operation have let go of it.
///
/// In this order: what each read and write looks at comes first, in one cache line.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Socket {
    fd: Fd,
    /// Polls of tasks that move are in flight, which hold the file.
    polls: AtomicU32,
    /// Tasks that wait, by `&self`, for something to read.
    pub(crate) readers: Waiters,
    /// Tasks that wait, by `&self`, for room to write.
    pub(crate) writers: Waiters,
    /// From this size on buffers are sent without a copy.
    zero_copy_from: AtomicUsize,
    /// A receive is in flight, and would hold the file open after a close.
    receiving: AtomicBool,
    /// `SO_LINGER` is zero: closing is to reset the connection.
    resets: AtomicBool,
    at_drop: AtomicU8,
    /// It was somebody's descriptor before: the socket may have others, in other processes too.
    shared: bool,
    /// `O_NONBLOCK` has been set.
    nonblocking: AtomicBool,
    /// So many in a row were copied all the same.
    copied: AtomicU8,
}

/// After so many buffers in a row that were copied all the same there is no point in going on.
const IN_VAIN: u8 = 3;

impl Socket {
    pub(crate) fn new(fd: Fd) -> Socket {
        Socket {
            fd,
            polls: AtomicU32::new(0),
            readers: Waiters::default(),
            writers: Waiters::default(),
            zero_copy_from: AtomicUsize::new(usize::MAX),
            receiving: AtomicBool::new(false),
            resets: AtomicBool::new(false),
            at_drop: AtomicU8::new(AtDrop::Close as u8),
            shared: false,
            nonblocking: AtomicBool::new(false),
            copied: AtomicU8::new(0),
        }
    }

    /// Of a descriptor that is not the only one of its socket, as far as anybody knows.
    pub(crate) fn shared(fd: Fd) -> Socket {
        Socket { shared: true, ..Socket::new(fd) }
    }

    #[inline]
    pub(crate) fn fd(&self) -> &Fd {
        &self.fd
    }

    pub(crate) fn into_fd(self) -> Fd {
        self.fd
    }

    /// Notes whether a receive is in flight. Only a hint, hence relaxed: see [`Socket::hang_up`].
    #[inline]
    pub(crate) fn set_receiving(&self, receiving: bool) {
        self.receiving.store(receiving, Ordering::Relaxed);
    }

    /// Notes that a poll is in flight; a hint, as [`set_receiving`](Socket::set_receiving).
    pub(crate) fn polled(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that a poll has ended.
    pub(crate) fn poll_ended(&self) {
        self.polls.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn set_resets(&self, resets: bool) {
        self.resets.store(resets, Ordering::Relaxed);
    }

    pub(crate) fn resets(&self) -> bool {
        self.resets.load(Ordering::Relaxed)
    }

    /// Sets `O_NONBLOCK`, for transfers that are not the ring's. Whoever comes second at the same
    /// time sets it again, so a relaxed note suffices.
    pub(crate) fn make_nonblocking(&self) -> io::Result<()> {
        if !self.nonblocking.load(Ordering::Relaxed) {
            socket::set_nonblocking(&self.fd, true)?;
            self.nonblocking.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// From which size on buffers are sent without a copy. A wish, hence relaxed.
    #[inline]
    pub(crate) fn zero_copy_from(&self) -> usize {
        self.zero_copy_from.load(Ordering::Relaxed)
    }

    pub(crate) fn set_zero_copy_from(&self, from: Option<usize>) {
        self.copied.store(0, Ordering::Relaxed);
        self.zero_copy_from.store(from.unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    /// Notes whether a buffer that was sent without a copy was copied all the same.
    pub(crate) fn note_copied(&self, copied: bool) {
        let in_a_row = if copied { self.copied.load(Ordering::Relaxed) + 1 } else { 0 };
        if in_a_row < IN_VAIN {
            self.copied.store(in_a_row, Ordering::Relaxed);
        } else {
            self.set_zero_copy_from(None);
        }
    }

    /// Decides what the end of the send side means. Called before the side's handle is dropped,
    /// which reaches its home by a lock or on the same thread: relaxed suffices.
    pub(crate) fn set_at_drop(&self, at_drop: AtDrop) {
        self.at_drop.store(at_drop as u8, Ordering::Relaxed);
    }

    pub(crate) fn at_drop(&self) -> AtDrop {
        match self.at_drop.load(Ordering::Relaxed) {
            0 => AtDrop::Close,
            1 => AtDrop::End,
            _ => AtDrop::Nothing,
        }
    }

    /// Tells the peer now that the stream has been dropped, if the close that is to come could be
    /// late: an operation in flight (a receive, or a poll of the caller's) holds the file until its
    /// driver has turned.
    ///
    /// Without it a program that drops a stream, and then waits for its peer without turning the
    /// driver, would wait for ever. Where closing is to reset the connection, it alone may speak,
    /// and where the socket has other descriptors a shutdown would end it for them, too.
    pub(crate) fn hang_up(&self, polling: bool) {
        let polling = polling || self.polls.load(Ordering::Relaxed) > 0;
        let held = polling || self.receiving.load(Ordering::Relaxed);
        if held && !self.shared && !self.resets() {
            // It fails if the connection is gone already: nobody needs to be told then.
            let _gone = socket::shutdown(&self.fd, std::net::Shutdown::Both);
        }
    }
}
