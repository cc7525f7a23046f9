//! The programs on this crate.

pub(crate) use henge::sync;

#[path = "programs/mod.rs"]
pub(crate) mod programs;
