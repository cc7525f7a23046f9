//! Readiness: what a descriptor could do now, for calls that do the transfer themselves.
//!
//! [`Interest`] is what one waits for, [`Ready`] what one learns.

mod interest;
mod ready;
pub(crate) mod source;
pub(crate) mod watched;

pub use interest::Interest;
pub use ready::Ready;
