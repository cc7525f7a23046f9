//! Received bytes as a stream hands them out, and as they can be sent on.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::Piece;
use crate::buf::IoBuf;

/// Received bytes, in the very memory that the kernel put them into.
///
/// It dereferences to the bytes; an empty one is the end of the stream. Dropping it, on whatever
/// thread, gives the memory back. While all of the driver's buffers are held, or sixteen by what
/// came from the same stream, further bytes come in memory of their own.
///
/// It is an owned buffer ([`IoBuf`]), so what one socket received another can send, without a copy
/// in between.
///
/// # Examples
///
/// ```
/// use henge_driver::pool::RecvBuf;
///
/// let bytes = RecvBuf::from(b"hello".to_vec());
/// assert!(bytes.starts_with(b"h"));
/// assert!(RecvBuf::end().is_empty());
/// ```
pub struct RecvBuf {
    source: Source,
}

enum Source {
    End,
    /// With the mark of its lender.
    Piece(Piece, #[expect(dead_code, reason = "it counts while it is there")] Arc<()>),
    /// Bytes of a vector, from this one on.
    Heap(Vec<u8>, usize),
}

impl RecvBuf {
    /// The end of a stream: no bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::pool::RecvBuf;
    ///
    /// assert!(RecvBuf::end().is_empty());
    /// ```
    pub const fn end() -> RecvBuf {
        RecvBuf { source: Source::End }
    }

    pub(super) fn lent(piece: Piece, mark: Arc<()>) -> RecvBuf {
        RecvBuf { source: Source::Piece(piece, mark) }
    }

    /// The bytes of a vector but for the first `skip`.
    ///
    /// # Panics
    ///
    /// If there are not as many.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::pool::RecvBuf;
    ///
    /// // A frame without its header of two bytes, which does not move for that.
    /// let payload = RecvBuf::from_heap(b"\x00\x05hello".to_vec(), 2);
    /// assert_eq!(&*payload, b"hello");
    /// ```
    #[must_use]
    pub fn from_heap(bytes: Vec<u8>, skip: usize) -> RecvBuf {
        assert!(skip <= bytes.len(), "skipped past the end of the bytes");
        RecvBuf { source: Source::Heap(bytes, skip) }
    }
}

impl From<Vec<u8>> for RecvBuf {
    fn from(bytes: Vec<u8>) -> RecvBuf {
        RecvBuf::from_heap(bytes, 0)
    }
}

// SAFETY: nothing changes what is inside, so address and length stay while it lives, wherever it is
// moved. A piece keeps its buffer in place, on any thread, after its driver, and if it is leaked;
// the ledger does not provide it to the kernel while it is out, so nobody writes to these bytes,
// which the kernel has filled. A vector's are on the heap: only `&mut Vec`, which nobody has, moves
// them. An empty slice's address is not null, and valid for no bytes.
unsafe impl IoBuf for RecvBuf {
    fn stable_ptr(&self) -> *const u8 {
        self.as_ptr()
    }
    fn bytes_init(&self) -> usize {
        self.len()
    }
}

impl Deref for RecvBuf {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.source {
            Source::End => &[],
            Source::Piece(piece, _) => piece,
            Source::Heap(bytes, from) => &bytes[*from..],
        }
    }
}

impl AsRef<[u8]> for RecvBuf {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for RecvBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecvBuf").field(&self.as_ref()).finish()
    }
}
