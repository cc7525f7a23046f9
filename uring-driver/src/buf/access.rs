//! Looking into owned buffers, and filling them, without the kernel.

use super::{IoBuf, IoBufMut};

/// The initialised bytes of a buffer.
///
/// # Examples
///
/// ```
/// assert_eq!(henge_driver::buf::bytes(&b"hello".to_vec()), b"hello");
/// ```
pub fn bytes<B: IoBuf>(buffer: &B) -> &[u8] {
    // SAFETY: the contract of `IoBuf`: so many bytes from the pointer on are initialised, and they
    // stay where they are, and unchanged, while the buffer is borrowed.
    unsafe { std::slice::from_raw_parts(buffer.stable_ptr(), buffer.bytes_init()) }
}

/// Copies `from` into a buffer at `at`, and marks everything up to its end as initialised.
///
/// # Panics
///
/// If it does not fit, or leaves a gap behind what is initialised.
///
/// # Examples
///
/// ```
/// let mut buffer = Vec::with_capacity(8);
/// henge_driver::buf::fill(&mut buffer, 0, b"hello");
/// assert_eq!(buffer, b"hello");
/// ```
pub fn fill<B: IoBufMut>(buffer: &mut B, at: usize, from: &[u8]) {
    let end = at.checked_add(from.len()).filter(|end| *end <= buffer.bytes_total());
    let end = end.expect("the bytes do not fit into the buffer");
    assert!(at <= buffer.bytes_init(), "a gap behind what is initialised");
    // SAFETY: `at` is at most the size of the buffer.
    let to = unsafe { buffer.stable_mut_ptr().add(at) };
    // SAFETY: `from` fits behind `to`, by the check above; the two do not overlap, since `buffer`
    // is borrowed exclusively.
    unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to, from.len()) };
    // SAFETY: everything before `at` was initialised, and what follows up to `end` is now.
    unsafe { buffer.set_init(end) };
}
