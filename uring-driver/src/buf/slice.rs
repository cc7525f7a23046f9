//! A part of an owned buffer, which is an owned buffer again.

use std::fmt;
use std::ops::{Bound, Deref, RangeBounds};

use super::{IoBuf, IoBufMut};

/// A part of the buffer `B`, which it owns; made by [`IoBuf::slice`].
///
/// It dereferences to the bytes of its range that are initialised.
///
/// # Examples
///
/// ```
/// use henge_driver::buf::IoBuf;
///
/// let part = vec![1, 2, 3, 4].slice(1..3);
/// assert_eq!(&*part, &[2, 3]);
/// assert_eq!((part.begin(), part.end()), (1, 3));
/// assert_eq!(part.into_inner(), [1, 2, 3, 4]);
/// ```
// There is no way to `&mut B`: the bounds were checked against a buffer that must not change.
pub struct Slice<B> {
    buf: B,
    begin: usize,
    end: usize,
}

impl<B: IoBuf> Slice<B> {
    pub(super) fn new(buf: B, range: impl RangeBounds<usize>) -> Slice<B> {
        let begin = match range.start_bound() {
            Bound::Included(&n) => n,
            Bound::Excluded(&n) => n.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&n) => n.saturating_add(1),
            Bound::Excluded(&n) => n,
            Bound::Unbounded => buf.bytes_total(),
        };
        let (init, total) = (buf.bytes_init(), buf.bytes_total());
        assert!(begin <= end, "slice starts at {begin} but ends at {end}");
        assert!(begin <= init, "slice starts at {begin} but only {init} bytes are initialised");
        assert!(end <= total, "slice ends at {end} but the buffer has {total} bytes");
        Slice { buf, begin, end }
    }

    /// Where in the buffer the slice starts.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::IoBuf;
    ///
    /// assert_eq!(vec![0; 8].slice(2..6).begin(), 2);
    /// assert_eq!(vec![0; 8].slice(2..6).slice(1..).begin(), 1, "in the slice that it is of");
    /// ```
    pub fn begin(&self) -> usize {
        self.begin
    }

    /// Where in the buffer the slice ends.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::IoBuf;
    ///
    /// let buf: Vec<u8> = Vec::with_capacity(64);
    /// let capacity = buf.capacity();
    /// assert_eq!(buf.slice(..).end(), capacity, "for a read: what is to be filled counts");
    /// ```
    pub fn end(&self) -> usize {
        self.end
    }

    /// The buffer that this is a part of.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::IoBuf;
    ///
    /// let part = b"hello, ring".to_vec().slice(7..);
    /// assert_eq!((&*part, part.get_ref().len()), (&b"ring"[..], 11));
    /// ```
    pub fn get_ref(&self) -> &B {
        &self.buf
    }

    /// Gives the whole buffer back.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::IoBuf;
    ///
    /// let part = b"hello, ring".to_vec().slice(7..);
    /// assert_eq!(part.into_inner(), b"hello, ring");
    /// ```
    pub fn into_inner(self) -> B {
        self.buf
    }
}

impl<B: IoBuf> Deref for Slice<B> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `stable_ptr` is valid for reads of `bytes_init` bytes of the slice, by the
        // contract of `IoBuf` and the arithmetic of `bytes_init` below; the borrow of `self`
        // keeps the buffer from being given to the kernel meanwhile.
        unsafe { std::slice::from_raw_parts(self.stable_ptr(), self.bytes_init()) }
    }
}

// SAFETY: `new` checked that `begin <= bytes_init` and `end <= bytes_total` of the inner buffer,
// which do not shrink (the contract of `IoBuf`; `Slice` lets nobody at the buffer mutably). So
// the range lies in the inner buffer's allocation, and what it says of moving and sharing holds.
unsafe impl<B: IoBuf> IoBuf for Slice<B> {
    fn stable_ptr(&self) -> *const u8 {
        // SAFETY: `begin` is within the allocation.
        unsafe { self.buf.stable_ptr().add(self.begin) }
    }
    fn bytes_init(&self) -> usize {
        self.buf.bytes_init().min(self.end).saturating_sub(self.begin)
    }
    fn bytes_total(&self) -> usize {
        self.end - self.begin
    }
    fn registered(&self) -> Option<u16> {
        self.buf.registered()
    }
}

// SAFETY: as above. The bytes before `begin` are initialised, so initialising `len` bytes from
// there makes `begin + len` initialised bytes of the inner buffer.
unsafe impl<B: IoBufMut> IoBufMut for Slice<B> {
    fn stable_mut_ptr(&mut self) -> *mut u8 {
        // SAFETY: `begin` is within the allocation.
        unsafe { self.buf.stable_mut_ptr().add(self.begin) }
    }
    unsafe fn set_init(&mut self, len: usize) {
        // SAFETY: the caller's promise, moved by `begin`, as said above; the sum is at most `end`.
        unsafe { self.buf.set_init(self.begin + len) }
    }
}

impl<B: fmt::Debug> fmt::Debug for Slice<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Slice { buf, begin, end } = self;
        f.debug_struct("Slice").field("range", &(begin..end)).field("buf", buf).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_of_a_slice_counts_from_the_first() {
        let part = vec![0u8, 1, 2, 3, 4, 5].slice(1..5).slice(1..=2);
        assert_eq!(&*part, &[2, 3]);
        assert_eq!(part.into_inner().into_inner(), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn filling_spare_capacity_behind_the_start_lengthens_the_vector() {
        let mut vec = Vec::with_capacity(8);
        vec.extend_from_slice(b"ab");
        let mut part = vec.slice(2..6);
        assert_eq!((part.bytes_init(), part.bytes_total()), (0, 4));
        // SAFETY: the slice has four bytes.
        unsafe { part.stable_mut_ptr().copy_from(b"cdef".as_ptr(), 4) };
        // SAFETY: they were written just now.
        unsafe { part.set_init(4) };
        assert_eq!(&*part, b"cdef");
        assert_eq!(part.into_inner(), b"abcdef");
    }

    #[test]
    fn the_tail_behind_the_range_is_kept() {
        let mut part = b"abcdef".to_vec().slice(1..3);
        // SAFETY: all six bytes are initialised.
        unsafe { part.set_init(2) };
        assert_eq!(part.into_inner(), b"abcdef");
    }

    #[test]
    #[should_panic = "only 2 bytes are initialised"]
    fn a_start_behind_the_initialised_bytes_is_refused() {
        let mut vec = Vec::with_capacity(8);
        vec.extend_from_slice(b"ab");
        vec.slice(3..).into_inner();
    }

    #[test]
    #[should_panic = "the buffer has 2 bytes"]
    fn an_end_behind_the_buffer_is_refused() {
        "ab".slice(..3).into_inner();
    }

    #[test]
    #[should_panic = "starts at 2 but ends at 1"]
    #[allow(clippy::reversed_empty_ranges, reason = "it is the case under test")]
    fn a_range_that_ends_before_it_starts_is_refused() {
        "ab".slice(2..1).into_inner();
    }
}
