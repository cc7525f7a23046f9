//! Owned buffers: the memory that an operation lends to the kernel, and gets back with the result.
//!
//! An operation may outlive the future that started it, so it cannot borrow its memory: it takes
//! the buffer by value, keeps it with the driver until the final completion, and hands it back
//! beside the result. [`IoBuf`] is what the kernel may read, [`IoBufMut`] what it may write,
//! [`Slice`] a part of either, [`Vectored`] several of them in one operation, [`AlignedBuf`] one
//! that devices can fill without the kernel's cache.

mod access;
mod aligned;
mod slice;
mod traits;
mod vectored;

pub use access::{bytes, fill};
pub use aligned::AlignedBuf;
pub(crate) use aligned::Registration;
pub use slice::Slice;
pub use traits::{IoBuf, IoBufMut};
pub use vectored::{IoVec, Vectored};
