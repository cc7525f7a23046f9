//! Several owned buffers as one: the list of addresses that vectored operations hand over.

use std::fmt;

use super::{IoBuf, IoBufMut};

/// The kernel takes no more entries than this in one call (`IOV_MAX`).
const MOST_ENTRIES: usize = 1024;

/// One entry of a vectored operation, laid out as the kernel's `struct iovec`.
///
/// # Examples
///
/// ```
/// use henge_driver::buf::{IoVec, Vectored};
///
/// let list = Vectored::to_write(vec!["hello, ", "ring"]);
/// let entries: &[IoVec] = list.entries(); // what an operation points to
/// assert_eq!((entries.len(), size_of_val(entries)), (2, 32));
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct IoVec {
    base: *mut u8,
    len: usize,
}

// SAFETY: an entry is two numbers; whoever reads or writes through it proves that he may.
unsafe impl Send for IoVec {}

/// Buffers with the list of their addresses; it keeps the place where a short transfer ended.
///
/// The list is on the heap and does not move with the value, as the kernel asks for.
///
/// # Examples
///
/// ```
/// use henge_driver::buf::Vectored;
///
/// let mut list = Vectored::to_write(vec!["hello, ", "ring"]);
/// assert_eq!(list.remaining(), 11);
/// list.advance(9);
/// assert_eq!((list.remaining(), list.entries().len()), (2, 1));
/// assert_eq!(list.into_inner(), ["hello, ", "ring"]);
/// ```
pub struct Vectored<B> {
    bufs: Vec<B>,
    list: Vec<IoVec>,
    /// The first entry that is not used up; entries before it are done.
    next: usize,
    /// The bytes transferred, over all calls.
    done: usize,
}

impl<B: IoBuf> Vectored<B> {
    /// For a write: each buffer's initialised bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::Vectored;
    ///
    /// let parts = vec![b"head".to_vec(), Vec::with_capacity(64), b"body".to_vec()];
    /// let list = Vectored::to_write(parts);
    /// assert_eq!(list.remaining(), 8, "what is initialised, and nothing of the second");
    /// ```
    pub fn to_write(bufs: Vec<B>) -> Vectored<B> {
        let entry = |b: &B| IoVec { base: b.stable_ptr().cast_mut(), len: b.bytes_init() };
        let list = bufs.iter().map(entry).collect();
        Vectored::with_list(bufs, list)
    }

    fn with_list(bufs: Vec<B>, list: Vec<IoVec>) -> Vectored<B> {
        let mut made = Vectored { bufs, list, next: 0, done: 0 };
        made.skip_empty();
        made
    }

    /// What is left to transfer, at most as many entries as the kernel takes at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::Vectored;
    ///
    /// let list = Vectored::to_write(vec!["line\n"; 5000]);
    /// assert_eq!(list.entries().len(), 1024, "the kernel takes no more in one call");
    /// assert_eq!(list.remaining(), 25_000);
    /// ```
    pub fn entries(&self) -> &[IoVec] {
        let end = self.list.len().min(self.next + MOST_ENTRIES);
        &self.list[self.next..end]
    }

    /// The bytes left to transfer.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::Vectored;
    ///
    /// let mut list = Vectored::to_read(vec![vec![0; 4], vec![0; 8]]);
    /// assert_eq!(list.remaining(), 12);
    /// list.advance(10); // as the kernel has told
    /// assert_eq!(list.remaining(), 2);
    /// ```
    pub fn remaining(&self) -> usize {
        self.list[self.next..].iter().map(|entry| entry.len).sum()
    }

    /// The bytes transferred.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::Vectored;
    ///
    /// let mut list = Vectored::to_write(vec!["hello, ", "ring"]);
    /// list.advance(4); // a short write,
    /// list.advance(7); // and the rest
    /// assert_eq!((list.done(), list.remaining()), (11, 0));
    /// ```
    pub fn done(&self) -> usize {
        self.done
    }

    /// Leaves out the next `n` bytes, which have been transferred.
    ///
    /// # Panics
    ///
    /// If fewer than `n` bytes are left.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::Vectored;
    ///
    /// let mut list = Vectored::to_write(vec!["hello, ", "ring", "!"]);
    /// list.advance(9); // into the middle of the second
    /// assert_eq!((list.entries().len(), list.remaining()), (2, 3));
    /// ```
    pub fn advance(&mut self, n: usize) {
        let mut left = n;
        while left > 0 {
            let entry = self.list.get_mut(self.next).expect("advanced past the last buffer");
            let step = left.min(entry.len);
            // `wrapping_add`, because the kernel alone goes by this address, which stays within
            // its buffer or one past the end.
            *entry = IoVec { base: entry.base.wrapping_add(step), len: entry.len - step };
            left -= step;
            self.skip_empty();
        }
        self.done += n;
    }

    fn skip_empty(&mut self) {
        while self.list.get(self.next).is_some_and(|entry| entry.len == 0) {
            self.next += 1;
        }
    }

    /// Gives the buffers back.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::Vectored;
    ///
    /// let mut list = Vectored::to_write(vec!["hello, ", "ring"]);
    /// list.advance(9);
    /// assert_eq!(list.into_inner(), ["hello, ", "ring"]); // whole, whatever was written
    /// ```
    pub fn into_inner(self) -> Vec<B> {
        self.bufs
    }
}

impl<B: IoBufMut> Vectored<B> {
    /// For a read: each buffer's whole capacity.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::Vectored;
    ///
    /// let list = Vectored::to_read(vec![Vec::with_capacity(16), vec![0; 4]]);
    /// assert_eq!(list.remaining(), 20);
    /// # drop::<Vec<Vec<u8>>>(list.into_inner());
    /// ```
    pub fn to_read(mut bufs: Vec<B>) -> Vectored<B> {
        let entry = |b: &mut B| IoVec { base: b.stable_mut_ptr(), len: b.bytes_total() };
        let list = bufs.iter_mut().map(entry).collect();
        Vectored::with_list(bufs, list)
    }

    /// Gives the buffers back after a read, each as long as what it received.
    ///
    /// # Safety
    ///
    /// This was made by [`to_read`](Self::to_read), and the kernel has written the bytes that
    /// [`advance`](Self::advance) was told of.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::Vectored;
    ///
    /// let mut list = Vectored::to_read(vec![vec![0; 4], Vec::with_capacity(8)]);
    /// list.advance(4); // a read that has filled the first
    /// // SAFETY: the bytes of the first were written before.
    /// let bufs = unsafe { list.into_filled() };
    /// assert_eq!((bufs[0].len(), bufs[1].len()), (4, 0));
    /// ```
    pub unsafe fn into_filled(mut self) -> Vec<B> {
        let mut left = self.done;
        for buf in &mut self.bufs {
            let filled = left.min(buf.bytes_total());
            // SAFETY: the kernel fills the buffers in order, each to its capacity before the
            // next; the caller says that `done` bytes were written in all.
            unsafe { buf.set_init(filled) };
            left -= filled;
        }
        self.bufs
    }
}

impl<B> fmt::Debug for Vectored<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bufs, done) = (self.bufs.len(), self.done);
        f.debug_struct("Vectored").field("bufs", &bufs).field("done", &done).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_buffers_are_left_out() {
        let mut list = Vectored::to_write(vec!["", "ab", "", "", "c", ""]);
        assert_eq!(list.entries()[0].len, 2);
        list.advance(2);
        assert_eq!((list.entries()[0].len, list.remaining()), (1, 1));
        list.advance(1);
        assert!(list.entries().is_empty());
        assert_eq!(list.done(), 3);
    }

    #[test]
    fn a_list_longer_than_the_kernel_takes_goes_in_parts() {
        let mut list = Vectored::to_write(vec!["x"; MOST_ENTRIES + 10]);
        assert_eq!(list.entries().len(), MOST_ENTRIES);
        list.advance(MOST_ENTRIES);
        assert_eq!(list.entries().len(), 10);
    }

    #[test]
    fn a_short_read_lengthens_the_buffers_it_reached() {
        let bufs = vec![Vec::<u8>::with_capacity(4), Vec::with_capacity(4), Vec::with_capacity(4)];
        let mut list = Vectored::to_read(bufs);
        for (entry, bytes) in list.entries().iter().zip([&b"abcd"[..], b"ef"]) {
            // SAFETY: the entry is the address of four spare bytes.
            unsafe { entry.base.copy_from(bytes.as_ptr(), bytes.len()) };
        }
        list.advance(3);
        list.advance(3);
        // SAFETY: six bytes were written just now, in order.
        let bufs = unsafe { list.into_filled() };
        assert_eq!(bufs, [&b"abcd"[..], b"ef", b""]);
    }

    #[test]
    #[should_panic = "past the last buffer"]
    fn advancing_too_far_is_refused() {
        Vectored::to_write(vec!["ab"]).advance(3);
    }
}
