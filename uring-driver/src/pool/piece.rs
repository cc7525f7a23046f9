//! What was received, where the kernel has put it.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use super::Pool;
use super::buffer::Buffer;

/// Received bytes in a buffer of the pool.
///
/// Dropping it gives them back: at home by a plain decrement, elsewhere by a message to the home.
/// A piece may outlive its driver.
///
/// # Examples
///
/// ```
/// use henge_driver::pool::Piece;
///
/// fn first_line(piece: &Piece) -> Option<&[u8]> {
///     piece.split(|&byte| byte == b'\n').next()
/// }
/// # let _ = first_line;
/// ```
pub struct Piece {
    buffer: NonNull<Buffer>,
    at: u32,
    len: u32,
}

// SAFETY: a piece is a counted share of a buffer, which is Send and Sync; its bytes are read only.
unsafe impl Send for Piece {}
// SAFETY: likewise.
unsafe impl Sync for Piece {}

impl Piece {
    /// A piece that the ledger has counted.
    #[inline]
    pub(super) fn new(buffer: &Arc<Buffer>, at: u32, len: u32) -> Piece {
        let buffer = NonNull::new(Arc::as_ptr(buffer).cast_mut()).expect("an Arc is not null");
        Piece { buffer, at, len }
    }

    /// Forgets the first `n` bytes.
    ///
    /// # Panics
    ///
    /// If there are not as many.
    #[inline]
    pub fn advance(&mut self, n: usize) {
        assert!(n <= self.len as usize, "advanced past the end of a piece");
        self.at += n as u32;
        self.len -= n as u32;
    }
}

impl Pool {
    /// Drops a piece. One of this pool's need not ask the thread for its driver.
    #[inline]
    pub fn take_back(&self, piece: Piece) {
        let piece = ManuallyDrop::new(piece);
        // SAFETY: this piece keeps the buffer alive, or the pool does once it has counted it.
        let buffer = unsafe { piece.buffer.as_ref() };
        if !self.released(buffer, || 1) {
            drop(ManuallyDrop::into_inner(piece));
        }
    }
}

impl Deref for Piece {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: this piece keeps the buffer alive.
        let buffer = unsafe { self.buffer.as_ref() };
        // SAFETY: the range is a part of what the ledger gave out, and this piece is out.
        unsafe { buffer.filled(self.at, self.len) }
    }
}

impl Drop for Piece {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: counted by the ledger when it was made, and given up here, once.
        unsafe { Buffer::drop_piece(self.buffer) };
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Piece").field("len", &self.len).finish_non_exhaustive()
    }
}
