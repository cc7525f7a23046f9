//! The memory of one buffer, and the pieces of it that are out.
//!
//! # Who may touch what
//!
//! The bytes from the kernel's mark on are the kernel's; the bytes of a piece are its owner's, on
//! whatever thread that is, and nobody writes to them until the buffer is provided again. That
//! happens when no piece is out, so the count of pieces is what everything rests on. It is kept in
//! two places:
//!
//! - `users` counts pieces given out less pieces that were dropped at home, and the kernel: plain
//!   memory of the home thread;
//! - `away` counts those dropped elsewhere, or at home when the pool is gone.
//!
//! A piece that is dropped elsewhere adds one to `away` and posts the buffer to the home, which
//! takes the count over into `users`. When the pool closes it subtracts from `away`, once, all
//! that is out (`leave`): from then on `away` is minus the number of pieces that are still out,
//! nobody else counts, and whoever brings it to zero drops the pool's reference.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::ledger::{Used, Users};
use crate::current;
use crate::driver::Driver;
use crate::remote::list::Link;
use crate::remote::{Posted, Remote};

/// One buffer. The pool has a reference; pieces have none of their own, they are counted.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: NonNull<u8>,
    size: u32,
    id: u16,
    /// The id of the home.
    home: u64,
    users: Users,
    remote: Remote,
    link: Link,
    away: AtomicI64,
}

// SAFETY: `bytes` is an address, and what is behind it is shared by the rules above; `users` is
// touched by the home's thread alone (`Pool::released`, and the ledger); the rest is Sync.
unsafe impl Sync for Buffer {}
// SAFETY: as above; the memory can be freed on any thread.
unsafe impl Send for Buffer {}

impl Buffer {
    pub(super) fn new(size: u32, id: u16, remote: Remote) -> Arc<Buffer> {
        let layout = Buffer::layout(size);
        // SAFETY: the size is not zero: the configuration makes it at least a page.
        let bytes = unsafe { alloc(layout) };
        let Some(bytes) = NonNull::new(bytes) else { handle_alloc_error(layout) };
        let (home, users) = (remote.id().get(), Users::default());
        let (link, away) = (Link::new(), AtomicI64::new(0));
        Arc::new(Buffer { bytes, size, id, home, users, remote, link, away })
    }

    fn layout(size: u32) -> Layout {
        Layout::from_size_align(size as usize, 64).expect("at most 2³² bytes")
    }

    pub(super) fn address(&self) -> NonNull<u8> {
        self.bytes
    }

    #[inline]
    pub(super) fn id(&self) -> u16 {
        self.id
    }

    /// The id of the home.
    #[inline]
    pub(super) fn home(&self) -> u64 {
        self.home
    }

    /// How many have it; for the home's thread.
    #[inline]
    pub(super) fn users(&self) -> &Users {
        &self.users
    }

    /// The bytes of a piece.
    ///
    /// # Safety
    ///
    /// The range was filled by the kernel, and a piece that covers it is out for as long as the
    /// result is used.
    #[inline]
    pub(super) unsafe fn filled(&self, at: u32, len: u32) -> &[u8] {
        // SAFETY: within the buffer: the ledger believes no completion that says otherwise.
        let first = unsafe { self.bytes.add(at as usize) };
        // SAFETY: initialised by the kernel, and not written to while a piece is out.
        unsafe { std::slice::from_raw_parts(first.as_ptr(), len as usize) }
    }

    /// A piece is gone.
    ///
    /// # Safety
    ///
    /// `buffer` came from an `Arc`, and a piece of it was out that is now given up; the caller does
    /// not touch the buffer afterwards.
    #[inline]
    pub(super) unsafe fn drop_piece(buffer: NonNull<Buffer>) {
        // SAFETY: the piece that is given up keeps the buffer alive until it is counted.
        let this = unsafe { buffer.as_ref() };
        let at_home = current::with(|driver| driver.pool().released(this, || 1));
        if at_home != Ok(true) {
            // SAFETY: as above; nobody has counted it.
            unsafe { Buffer::drop_piece_away(buffer) };
        }
    }

    /// # Safety
    ///
    /// As [`drop_piece`](Buffer::drop_piece).
    #[cold]
    unsafe fn drop_piece_away(buffer: NonNull<Buffer>) {
        // SAFETY: the pointer came from an `Arc` whose count is at least the pool's one.
        unsafe { Arc::increment_strong_count(buffer.as_ptr()) };
        // SAFETY: the reference made just now, so that the buffer outlives the count.
        let own = unsafe { Arc::from_raw(buffer.as_ptr()) };
        // AcqRel: whoever provides or frees the buffer comes after all reads of its pieces, and
        // the last one here sees that the pool has left.
        let before = own.away.fetch_add(1, Ordering::AcqRel);
        if before == -1 {
            // SAFETY: the pool has left its reference to whoever gives up the last piece.
            drop(unsafe { Arc::from_raw(buffer.as_ptr()) });
        } else if before >= 0 {
            // Should the home be gone by now, the pool takes the count over when it leaves.
            let remote = own.remote.clone();
            let _closed = remote.post(own);
        }
    }

    /// The pool closes while `out` pieces are out: its reference stays for the last of them.
    pub(super) fn leave(self: Arc<Buffer>, out: u32) {
        let out = i64::from(out);
        let kept = Arc::into_raw(self);
        // SAFETY: the count that `into_raw` kept has not been given up yet.
        let this = unsafe { &*kept };
        // AcqRel: pairs with the additions of pieces that are dropped elsewhere.
        let returned = this.away.fetch_sub(out, Ordering::AcqRel);
        if returned == out {
            // SAFETY: all pieces are back, so nobody else will give up this reference.
            drop(unsafe { Arc::from_raw(kept) });
        }
    }
}

impl Used for Arc<Buffer> {
    #[inline]
    fn users(&self) -> &Users {
        Buffer::users(self)
    }
}

impl Posted for Buffer {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, driver: &Driver) {
        // Acquire: what the pieces' owners read was read before the buffer is provided again.
        let returned = || self.away.swap(0, Ordering::Acquire);
        // Not if the pool has closed: it has taken the count over.
        driver.pool().released(&self, || u32::try_from(returned()).unwrap_or(0));
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout; no piece is out and the kernel has let go.
        unsafe { dealloc(self.bytes.as_ptr(), Buffer::layout(self.size)) };
    }
}
