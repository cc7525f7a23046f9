//! The buffers that a driver's sockets receive into: one pool, shared by all its streams.
//!
//! An idle connection holds no buffer: the kernel takes one when something has come. The pool is
//! made when it is first asked for, small, so that the same memory is used again and again while
//! it is in the cache; when the kernel finds it empty (ENOBUFS) it grows, up to a cap.
//!
//! Where the kernel has incremental buffers (6.12), a buffer is large and is used up piece by
//! piece, whatever stream the pieces are for; elsewhere a receive takes a whole buffer of 16 KiB.
//!
//! `ledger` says which buffer is whose, `buffer` who may touch its memory.

#[allow(unsafe_code, reason = "buffers are written by the kernel and counted by hand")]
mod buffer;
mod ledger;
mod lender;
#[allow(unsafe_code, reason = "counted shares of a buffer")]
mod piece;
#[allow(unsafe_code, reason = "tells the kernel where the buffers are")]
mod provide;
#[allow(unsafe_code, reason = "lends a piece's memory to the kernel, to be sent")]
mod recv_buf;

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::sync::Arc;

#[doc(hidden)]
pub use lender::Lender;
#[doc(hidden)]
pub use piece::Piece;
pub use recv_buf::RecvBuf;

use self::buffer::Buffer;
use self::ledger::{Brought, Ledger};
use crate::cqe::Cqe;
use crate::current;
use crate::kept::keep;
use crate::remote::Remote;
use crate::ring::Ring;
use crate::ring::buf_ring::BufRing;
use crate::sys::abi;

/// The one group of buffers of a ring.
const GROUP: u16 = 0;
/// Buffers to begin with, and at most.
const FIRST: usize = 4;
const CLASSIC_FIRST: usize = 16;
/// A buffer that is used piece by piece, and one that is used at once.
const INCREMENTAL_SIZE: u32 = 64 << 10;
const CLASSIC_SIZE: u32 = 16 << 10;

/// How a pool is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The most memory that the buffers may take, in bytes.
    pub(crate) cap: usize,
    /// Try incremental buffers first.
    pub(crate) incremental: bool,
}

/// The pool of a driver; see [`Driver::pool`](crate::Driver::pool).
///
/// # Examples
///
/// ```
/// use henge_driver::Driver;
///
/// let driver = Driver::new()?;
/// assert_eq!(driver.pool().bytes(), 0); // made when it is first needed
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(hidden)]
#[derive(Debug)]
pub struct Pool {
    limits: Limits,
    remote: Remote,
    buffers: RefCell<Option<Buffers>>,
    /// The driver's id while there are buffers: pieces of theirs are counted by it.
    counts: Cell<u64>,
    /// Pieces that are out, of all buffers.
    out: Cell<usize>,
    /// What the kernel answered when it did not take the ring; the pool stays empty then.
    refused: Cell<Option<i32>>,
    bogus: Cell<u64>,
    starved: Cell<u64>,
}

#[derive(Debug)]
struct Buffers {
    ring: BufRing,
    ledger: Ledger<Arc<Buffer>>,
    size: u32,
    most: usize,
    incremental: bool,
}

impl Pool {
    pub(crate) fn new(limits: Limits, remote: Remote) -> Pool {
        Pool {
            limits,
            remote,
            buffers: RefCell::new(None),
            counts: Cell::new(0),
            out: Cell::new(0),
            refused: Cell::new(None),
            bogus: Cell::new(0),
            starved: Cell::new(0),
        }
    }

    /// The number of the group, for entries that select a buffer. Makes the pool if need be and
    /// the driver is the thread's; if the kernel does not take it, receives that name the group end
    /// with ENOBUFS.
    #[inline]
    pub fn group(&self) -> u16 {
        if self.buffers.borrow().is_none()
            && self.refused.get().is_none()
            && current::is(self.remote.id())
        {
            let _entered = current::with(|driver| self.start(&driver.inner().ring));
        }
        GROUP
    }

    #[cold]
    fn start(&self, ring: &Ring) {
        let incremental = self.limits.incremental.then(|| self.attempt(ring, true));
        let made = match incremental {
            Some(Ok(buffers)) => Ok(buffers),
            _ => self.attempt(ring, false),
        };
        match made {
            Ok(buffers) => {
                *self.buffers.borrow_mut() = Some(buffers);
                self.counts.set(self.remote.id().get());
            }
            Err(error) => self.refused.set(Some(error.raw_os_error().unwrap_or(0))),
        }
    }

    fn attempt(&self, ring: &Ring, incremental: bool) -> std::io::Result<Buffers> {
        let (size, first) =
            if incremental { (INCREMENTAL_SIZE, FIRST) } else { (CLASSIC_SIZE, CLASSIC_FIRST) };
        let most = (self.limits.cap / size as usize).clamp(1, 1 << 14);
        let entries = most.next_power_of_two() as u16;
        let buffers = Buffers {
            ring: BufRing::new(entries, GROUP),
            ledger: Ledger::new(size),
            size,
            most,
            incremental,
        };
        buffers.register(ring)?;
        let mut buffers = buffers;
        buffers.grow(first, &self.remote);
        Ok(buffers)
    }

    /// What a completion has brought: call this for every completion of an entry that selects a
    /// buffer, whatever its result.
    #[inline]
    pub fn take(&self, cqe: &Cqe) -> Option<Piece> {
        let Some(id) = cqe.buffer_id() else {
            if cqe.result() == -abi::ENOBUFS {
                self.found_empty();
            }
            return None;
        };
        let mut buffers = self.buffers.borrow_mut();
        let buffers = buffers.as_mut()?;
        let len = u32::try_from(cqe.result()).unwrap_or(0);
        let more = buffers.incremental && cqe.buffer_more();
        match buffers.ledger.used(id, len, more) {
            Brought::Piece { at, len } => {
                self.out.set(self.out.get() + 1);
                buffers.ledger.memory(id).map(|buffer| Piece::new(buffer, at, len))
            }
            Brought::Nothing => None,
            Brought::Provide => {
                buffers.provide(id);
                None
            }
            Brought::Bogus => {
                self.bogus.set(self.bogus.get() + 1);
                None
            }
        }
    }

    /// As [`take`](Pool::take), for what nearly every completion brings where buffers are used
    /// piece by piece: a piece of one that stays the kernel's. `None` if it is anything else; then
    /// nothing was done.
    #[inline]
    pub(crate) fn take_part(&self, cqe: &Cqe) -> Option<Piece> {
        let id = cqe.buffer_id()?;
        let len = u32::try_from(cqe.result()).ok()?;
        let mut buffers = self.buffers.borrow_mut();
        let buffers = buffers.as_mut()?;
        if !buffers.incremental || !cqe.buffer_more() {
            return None;
        }
        let (buffer, at) = buffers.ledger.used_in_part(id, len)?;
        self.out.set(self.out.get() + 1);
        Some(Piece::new(buffer, at, len))
    }

    /// The kernel has found no buffer: grows, twofold, up to the cap.
    #[cold]
    fn found_empty(&self) {
        self.starved.set(self.starved.get() + 1);
        if let Some(buffers) = self.buffers.borrow_mut().as_mut() {
            let len = buffers.ledger.len();
            let more = len.min(buffers.most - len);
            buffers.grow(more, &self.remote);
        }
    }

    /// `n` pieces of a buffer are gone; how many, is asked if the buffer is this pool's. False if
    /// it is another's, or the pool has closed.
    #[inline]
    fn released(&self, buffer: &Buffer, n: impl FnOnce() -> u32) -> bool {
        if buffer.home() != self.counts.get() {
            return false;
        }
        let n = n();
        self.out.set(self.out.get() - n as usize);
        if buffer.users().leave(n) {
            self.provide(buffer.id());
        }
        true
    }

    /// Gives the kernel a buffer again that nobody has.
    #[inline(never)]
    fn provide(&self, id: u16) {
        if let Some(buffers) = self.buffers.borrow_mut().as_mut() {
            buffers.provide(id);
        }
    }

    /// Whether the kernel would find a buffer now. A receive that ended with ENOBUFS is worth
    /// another try when this is true; when it is not, the pool is at its cap and lent out.
    pub fn has_room(&self) -> bool {
        self.buffers.borrow().as_ref().is_some_and(|buffers| buffers.ledger.kernels() > 0)
    }

    /// Whether anybody holds a piece of a buffer.
    #[inline]
    pub(crate) fn is_lent(&self) -> bool {
        self.out.get() > 0
    }

    /// The memory of all buffers, in bytes.
    pub fn bytes(&self) -> usize {
        self.buffers
            .borrow()
            .as_ref()
            .map_or(0, |buffers| buffers.ledger.len() * buffers.size as usize)
    }

    /// How often the kernel has found the pool empty.
    pub fn found_empty_count(&self) -> u64 {
        self.starved.get()
    }

    /// Whether the buffers are used piece by piece: `None` before there are any.
    pub fn is_incremental(&self) -> Option<bool> {
        self.buffers.borrow().as_ref().map(|buffers| buffers.incremental)
    }

    /// As [`is_incremental`](Pool::is_incremental), and makes the pool to find out.
    pub(crate) fn probe_incremental(&self) -> Option<bool> {
        self.group();
        self.is_incremental()
    }

    /// The end. Buffers of which pieces are out stay until those are gone. If operations are in
    /// flight that the kernel has not given back, everything stays for ever.
    pub(crate) fn close(&self, ring: &Ring, leak: bool) {
        let Some(buffers) = self.buffers.borrow_mut().take() else { return };
        self.counts.set(0);
        self.out.set(0);
        // No new ones: the ring is about to go.
        self.refused.set(Some(0));
        let Buffers { ring: memory, ledger, .. } = buffers;
        if leak || ring.unregister_buffers(&memory).is_err() {
            keep([NonNull::from(Box::leak(Box::new((memory, ledger)))).cast()]);
            return;
        }
        for (buffer, out) in ledger.close() {
            buffer.leave(out);
        }
    }
}
