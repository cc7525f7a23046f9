//! A buffer whose first byte is where devices like it.

use std::alloc::{Layout, alloc, dealloc};
use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use super::{IoBuf, IoBufMut};

/// A buffer of a fixed capacity that begins at a multiple of some power of two: for transfers past
/// the kernel's cache. It dereferences to the bytes that are initialised.
///
/// # Examples
///
/// ```
/// use henge_driver::buf::AlignedBuf;
///
/// let mut buf = AlignedBuf::new(8192, 4096)?;
/// assert_eq!(buf.append(b"hello"), 5);
/// buf.pad_to(4096);
/// assert_eq!((&buf[..5], buf[5], buf.len()), (&b"hello"[..], 0, 4096));
/// assert_eq!(buf.as_ptr().addr() % 4096, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct AlignedBuf {
    first: NonNull<u8>,
    len: usize,
    layout: Layout,
    registration: Option<Box<dyn Registration>>,
}

/// A ring that knows a buffer beforehand, until this is dropped.
pub(crate) trait Registration: fmt::Debug + Send + Sync {
    /// The buffer's number, on the thread of that ring; elsewhere there is none.
    fn number(&self) -> Option<u16>;
}

// SAFETY: the allocation is the value's own, as a vector's is.
unsafe impl Send for AlignedBuf {}
// SAFETY: a shared reference gives shared references to bytes and nothing else.
unsafe impl Sync for AlignedBuf {}

impl AlignedBuf {
    /// An empty buffer for `capacity` bytes, at least one, that begins at a multiple of `align`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `align` is no power of two or `capacity` too large for any buffer, and
    /// `OutOfMemory`.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::AlignedBuf;
    ///
    /// let page = AlignedBuf::new(4096, 512)?;
    /// assert_eq!(page.as_ptr().addr() % 512, 0);
    /// let odd = AlignedBuf::new(4096, 500);
    /// assert_eq!(odd.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(capacity: usize, align: usize) -> io::Result<AlignedBuf> {
        let layout = Layout::from_size_align(capacity.max(1), align)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        // SAFETY: the layout has at least one byte.
        let first = unsafe { alloc(layout) };
        match NonNull::new(first) {
            Some(first) => Ok(AlignedBuf { first, len: 0, layout, registration: None }),
            None => Err(io::ErrorKind::OutOfMemory.into()),
        }
    }

    /// How many bytes fit.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::AlignedBuf;
    ///
    /// let page = AlignedBuf::new(4096, 512)?;
    /// assert_eq!((page.capacity(), page.len()), (4096, 0));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn capacity(&self) -> usize {
        self.layout.size()
    }

    /// Whether a ring knows it beforehand; see [`Driver::register`](crate::Driver::register).
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::{Driver, buf::AlignedBuf};
    ///
    /// let driver = Driver::new()?;
    /// let mut page = AlignedBuf::new(4096, 4096)?;
    /// assert!(!page.is_registered());
    /// driver.register(&mut page)?;
    /// assert!(page.is_registered());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_registered(&self) -> bool {
        self.registration.is_some()
    }

    pub(crate) fn set_registration(&mut self, registration: Option<Box<dyn Registration>>) {
        self.registration = registration;
    }

    pub(crate) fn first_mut(&mut self) -> *mut u8 {
        self.first.as_ptr()
    }

    /// Makes it empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::AlignedBuf;
    ///
    /// let mut page = AlignedBuf::new(4096, 512)?;
    /// page.append(b"the last one's");
    /// page.clear(); // for the next one
    /// assert_eq!((page.len(), page.capacity()), (0, 4096));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends as much of `bytes` as fits, and says how much that was.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::AlignedBuf;
    ///
    /// let mut small = AlignedBuf::new(8, 8)?;
    /// assert_eq!(small.append(b"hello"), 5);
    /// assert_eq!(small.append(b", ring"), 3, "no more fits");
    /// assert_eq!(&*small, b"hello, r");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.capacity() - self.len);
        // SAFETY: at most one behind the allocation.
        let end = unsafe { self.first.add(self.len) };
        // SAFETY: `n` bytes fit between `len` and the capacity; `bytes` is borrowed, and so is not
        // this buffer, which is borrowed exclusively.
        unsafe { end.copy_from_nonoverlapping(NonNull::from(bytes).cast(), n) };
        self.len += n;
        n
    }

    /// Appends zeros until there are `len` bytes, or no more fit; a longer buffer stays as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::AlignedBuf;
    ///
    /// let mut block = AlignedBuf::new(4096, 512)?;
    /// block.append(b"a record");
    /// block.pad_to(512); // as long as the device's block
    /// assert_eq!((block.len(), &block[8..]), (512, &[0; 504][..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pad_to(&mut self, len: usize) {
        let len = len.min(self.capacity());
        if self.len < len {
            // SAFETY: at most one behind the allocation.
            let end = unsafe { self.first.add(self.len) };
            // SAFETY: the bytes from here to `len` are within the allocation.
            unsafe { end.write_bytes(0, len - self.len) };
            self.len = len;
        }
    }

    /// Forgets what is behind the first `len` bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::buf::AlignedBuf;
    ///
    /// let mut page = AlignedBuf::new(4096, 512)?;
    /// page.append(b"hello, ring");
    /// page.truncate(5);
    /// assert_eq!(&*page, b"hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

impl Drop for AlignedBuf {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` with this layout, and nobody else frees it.
        unsafe { dealloc(self.first.as_ptr(), self.layout) };
    }
}

impl Deref for AlignedBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the first `len` bytes are initialised: by `append`, `pad_to`, or the promise of
        // `set_init`.
        unsafe { NonNull::slice_from_raw_parts(self.first, self.len).as_ref() }
    }
}

impl DerefMut for AlignedBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; the borrow is exclusive.
        unsafe { NonNull::slice_from_raw_parts(self.first, self.len).as_mut() }
    }
}

// SAFETY: the bytes are in an allocation of the value's own, which neither moves nor changes its
// size; only methods that need `&mut`, which the driver alone has, change its length.
unsafe impl IoBuf for AlignedBuf {
    fn stable_ptr(&self) -> *const u8 {
        self.first.as_ptr()
    }
    fn bytes_init(&self) -> usize {
        self.len
    }
    fn bytes_total(&self) -> usize {
        self.capacity()
    }
    fn registered(&self) -> Option<u16> {
        self.registration.as_ref().and_then(|registration| registration.number())
    }
}

// SAFETY: as above; the value is the only owner of its allocation.
unsafe impl IoBufMut for AlignedBuf {
    fn stable_mut_ptr(&mut self) -> *mut u8 {
        self.first.as_ptr()
    }
    unsafe fn set_init(&mut self, len: usize) {
        self.len = self.len.max(len);
    }
}

impl fmt::Debug for AlignedBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlignedBuf")
            .field("len", &self.len)
            .field("capacity", &self.capacity())
            .field("align", &self.layout.align())
            .field("registered", &self.is_registered())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left() {
        let mut buf = AlignedBuf::new(8, 512).unwrap();
        assert_eq!(buf.stable_ptr().addr() % 512, 0);
        assert_eq!(buf.append(b"012345"), 6);
        assert_eq!(buf.append(b"678"), 2);
        assert_eq!(buf.append(b"x"), 0);
        assert_eq!(&*buf, b"01234567");
        buf.truncate(2);
        buf.pad_to(4);
        buf.pad_to(3);
        assert_eq!(&*buf, b"01\0\0");
        buf.pad_to(100);
        assert_eq!(&*buf, b"01\0\0\0\0\0\0");
        buf.clear();
        assert!(buf.is_empty());
    }

    #[test]
    fn set_init_never_shortens() {
        let mut buf = AlignedBuf::new(4, 4).unwrap();
        buf.append(b"abc");
        // SAFETY: three bytes are initialised.
        unsafe { buf.set_init(1) };
        buf[0] = b'x';
        assert_eq!(&*buf, b"xbc");
    }

    #[test]
    fn impossible_buffers_are_refused() {
        let kind = |capacity, align| AlignedBuf::new(capacity, align).map(drop).unwrap_err().kind();
        assert_eq!(kind(8, 3), io::ErrorKind::InvalidInput);
        assert_eq!(kind(8, 0), io::ErrorKind::InvalidInput);
        assert_eq!(kind(usize::MAX, 1), io::ErrorKind::InvalidInput);
        assert_eq!(AlignedBuf::new(0, 512).unwrap().capacity(), 1);
    }
}
