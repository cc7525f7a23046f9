//! The two buffer traits and their implementations for std's types.

use std::ops::RangeBounds;
use std::sync::Arc;

use super::Slice;

/// A buffer that the kernel may read.
///
/// It is implemented for the owned byte containers of std. Inline arrays are left out on purpose:
/// their bytes move with the value.
///
/// # Safety
///
/// From the first call of any method of this trait, and for as long as the value is neither
/// dropped nor given back to the caller, however often it is moved:
///
/// - [`stable_ptr`](Self::stable_ptr) returns the same address, which is non-null even when the
///   buffer is empty;
/// - that address is valid for reads of [`bytes_init`](Self::bytes_init) initialised bytes, and
///   belongs to one allocation for [`bytes_total`](Self::bytes_total) bytes;
/// - neither number changes, except by [`IoBufMut::set_init`];
/// - nobody else writes to these bytes;
/// - [`registered`](Self::registered) tells a number only where that stands for an allocation that
///   these bytes are in;
/// - the above holds on whatever thread the value is, and for ever if it is leaked.
///
/// # Examples
///
/// ```
/// use henge_driver::buf::IoBuf;
///
/// let buf = vec![1, 2, 3];
/// assert_eq!(buf.bytes_init(), 3);
/// assert_eq!(&*buf.slice(1..), &[2, 3]);
/// ```
pub unsafe trait IoBuf: Send + 'static {
    /// The address of the first byte.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::IoBuf;
    ///
    /// let text = String::from("the bytes are on the heap").into_bytes();
    /// let before = text.stable_ptr();
    /// let moved = Box::new(text);
    /// assert_eq!(moved.stable_ptr(), before);
    /// ```
    fn stable_ptr(&self) -> *const u8;

    /// How many bytes, counted from the first, are initialised: what a write sends.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::IoBuf;
    ///
    /// let mut buf = Vec::with_capacity(64);
    /// buf.extend_from_slice(b"hello");
    /// assert_eq!((buf.bytes_init(), "hello".bytes_init()), (5, 5));
    /// ```
    fn bytes_init(&self) -> usize;

    /// How many bytes there are, initialised or not: what a read may fill.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::IoBuf;
    ///
    /// let buf: Vec<u8> = Vec::with_capacity(64);
    /// assert_eq!((buf.bytes_init(), buf.bytes_total()), (0, buf.capacity()));
    /// ```
    fn bytes_total(&self) -> usize {
        self.bytes_init()
    }

    /// The number under which the ring of this thread's driver knows the allocation beforehand.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::{AlignedBuf, IoBuf};
    /// use henge_driver::{Driver, current};
    ///
    /// let driver = Driver::new()?;
    /// let mut page = AlignedBuf::new(4096, 4096)?;
    /// driver.register(&mut page)?;
    /// let _entered = driver.enter();
    /// assert!(page.registered().is_some());
    /// assert!(vec![0; 4096].registered().is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn registered(&self) -> Option<u16> {
        None
    }

    /// Narrows the buffer to `range`; [`Slice::into_inner`] gives the whole back.
    ///
    /// The end may lie past the initialised bytes, up to the capacity, so that a read can be kept
    /// to a part of it.
    ///
    /// # Panics
    ///
    /// If the range ends before it starts, starts behind the initialised bytes, or ends behind
    /// the capacity.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::IoBuf;
    ///
    /// let part = Vec::from("hello, ring").slice(7..);
    /// assert_eq!(&*part, b"ring");
    /// assert_eq!(part.into_inner(), b"hello, ring");
    /// ```
    fn slice(self, range: impl RangeBounds<usize>) -> Slice<Self>
    where
        Self: Sized,
    {
        Slice::new(self, range)
    }
}

/// A buffer that the kernel may write.
///
/// A read fills the buffer from its first byte, over what it holds, up to its *capacity*; the
/// length of a `Vec` grows to cover what was read and never shrinks, so `&buf[..n]` is what came.
///
/// # Safety
///
/// Beside what [`IoBuf`] asks for:
///
/// - [`stable_mut_ptr`](Self::stable_mut_ptr) returns the address that `stable_ptr` returns, and
///   it is valid for writes of [`bytes_total`](IoBuf::bytes_total) bytes;
/// - nobody else reads these bytes either;
/// - after `set_init(n)`, [`bytes_init`](IoBuf::bytes_init) is the larger of `n` and what it was.
///
/// # Examples
///
/// ```
/// use henge_driver::buf::{IoBuf, IoBufMut};
///
/// /// What a read makes of the buffer that it was given.
/// fn fill<B: IoBufMut>(mut buf: B, bytes: &[u8]) -> B {
///     let n = bytes.len().min(buf.bytes_total());
///     // SAFETY: there is room for as many, and nobody else has the buffer.
///     unsafe { buf.stable_mut_ptr().copy_from_nonoverlapping(bytes.as_ptr(), n) };
///     // SAFETY: they have just been written.
///     unsafe { buf.set_init(n) };
///     buf
/// }
///
/// assert_eq!(fill(Vec::with_capacity(16), b"hello"), b"hello");
/// assert_eq!(fill(vec![0; 8], b"hello"), b"hello\0\0\0");
/// ```
pub unsafe trait IoBufMut: IoBuf {
    /// The address of the first byte.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::{IoBuf, IoBufMut};
    ///
    /// let mut buf: Vec<u8> = Vec::with_capacity(16);
    /// assert_eq!(buf.stable_mut_ptr().cast_const(), buf.stable_ptr());
    /// ```
    fn stable_mut_ptr(&mut self) -> *mut u8;

    /// Says that at least the first `len` bytes are initialised.
    ///
    /// # Safety
    ///
    /// They are, and `len` is at most [`bytes_total`](IoBuf::bytes_total).
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::IoBufMut;
    ///
    /// let mut buf = Vec::with_capacity(16);
    /// // SAFETY: there is room for a byte, and nobody else has the buffer.
    /// unsafe { buf.stable_mut_ptr().write(b'!') };
    /// // SAFETY: it has just been written.
    /// unsafe { buf.set_init(1) };
    /// assert_eq!(buf, b"!");
    /// ```
    unsafe fn set_init(&mut self, len: usize);
}

// SAFETY: a vector's bytes are on the heap and stay where they are when it moves; only a method
// that needs `&mut Vec`, which the driver alone has, could move or shorten them. An empty vector's
// pointer dangles, but is non-null and valid for zero bytes.
unsafe impl IoBuf for Vec<u8> {
    fn stable_ptr(&self) -> *const u8 {
        self.as_ptr()
    }
    fn bytes_init(&self) -> usize {
        self.len()
    }
    fn bytes_total(&self) -> usize {
        self.capacity()
    }
}

// SAFETY: as above; a vector is the only owner of its capacity.
unsafe impl IoBufMut for Vec<u8> {
    fn stable_mut_ptr(&mut self) -> *mut u8 {
        self.as_mut_ptr()
    }
    unsafe fn set_init(&mut self, len: usize) {
        if self.len() < len {
            // SAFETY: the caller says that the first `len` bytes are initialised and that `len`
            // is at most `bytes_total`, which is the capacity.
            unsafe { self.set_len(len) };
        }
    }
}

// SAFETY: the bytes of a box are on the heap and all initialised; the box is their only owner.
unsafe impl IoBuf for Box<[u8]> {
    fn stable_ptr(&self) -> *const u8 {
        self.as_ptr()
    }
    fn bytes_init(&self) -> usize {
        self.len()
    }
}

// SAFETY: as above.
unsafe impl IoBufMut for Box<[u8]> {
    fn stable_mut_ptr(&mut self) -> *mut u8 {
        self.as_mut_ptr()
    }
    unsafe fn set_init(&mut self, _len: usize) {
        // All of a boxed slice is initialised.
    }
}

// SAFETY: a shared reference keeps its bytes from being written, for ever.
unsafe impl IoBuf for &'static [u8] {
    fn stable_ptr(&self) -> *const u8 {
        self.as_ptr()
    }
    fn bytes_init(&self) -> usize {
        self.len()
    }
}

// SAFETY: as for `&'static [u8]`.
unsafe impl IoBuf for &'static str {
    fn stable_ptr(&self) -> *const u8 {
        self.as_ptr()
    }
    fn bytes_init(&self) -> usize {
        self.len()
    }
}

// SAFETY: a unique reference is the only way to its bytes, for ever.
unsafe impl IoBuf for &'static mut [u8] {
    fn stable_ptr(&self) -> *const u8 {
        self.as_ptr()
    }
    fn bytes_init(&self) -> usize {
        self.len()
    }
}

// SAFETY: as above; all of it is initialised.
unsafe impl IoBufMut for &'static mut [u8] {
    fn stable_mut_ptr(&mut self) -> *mut u8 {
        self.as_mut_ptr()
    }
    unsafe fn set_init(&mut self, _len: usize) {
        // All of a slice is initialised.
    }
}

// SAFETY: a string is a vector of bytes. It is no `IoBufMut`, because the kernel does not promise
// UTF-8; and so its spare capacity is of no use here.
unsafe impl IoBuf for String {
    fn stable_ptr(&self) -> *const u8 {
        self.as_ptr()
    }
    fn bytes_init(&self) -> usize {
        self.len()
    }
}

// SAFETY: the bytes live in the shared allocation, which this handle keeps alive. `Arc::get_mut`
// refuses while there is more than one handle, and the only handle is with the driver else.
unsafe impl IoBuf for Arc<[u8]> {
    fn stable_ptr(&self) -> *const u8 {
        self.as_ptr()
    }
    fn bytes_init(&self) -> usize {
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stays_when_moved(buf: impl IoBuf) {
        let (address, init, total) = (buf.stable_ptr(), buf.bytes_init(), buf.bytes_total());
        let moved = Box::new(buf);
        assert_eq!(moved.stable_ptr(), address);
        assert_eq!((moved.bytes_init(), moved.bytes_total()), (init, total));
        assert!(init <= total);
        assert!(!address.is_null());
    }

    #[test]
    fn address_and_lengths_survive_a_move() {
        stays_when_moved(vec![1u8, 2, 3]);
        stays_when_moved(Vec::<u8>::new());
        stays_when_moved(Vec::<u8>::with_capacity(10));
        stays_when_moved(vec![1u8, 2, 3].into_boxed_slice());
        stays_when_moved(String::from("abc"));
        stays_when_moved(Arc::<[u8]>::from(&b"abc"[..]));
        stays_when_moved(&b"abc"[..]);
        stays_when_moved("abc");
        stays_when_moved(vec![1u8, 2].slice(1..));
    }

    #[test]
    fn set_init_grows_a_vector_and_never_shortens_it() {
        let mut buf = Vec::with_capacity(8);
        buf.extend_from_slice(b"abcd");
        // SAFETY: four bytes are initialised.
        unsafe { buf.set_init(2) };
        assert_eq!(buf, b"abcd");
        let spare = buf.stable_mut_ptr().wrapping_add(4);
        // SAFETY: the vector has eight bytes.
        unsafe { spare.write(b'e') };
        // SAFETY: the fifth byte was written just now.
        unsafe { buf.set_init(5) };
        assert_eq!(buf, b"abcde");
    }
}
