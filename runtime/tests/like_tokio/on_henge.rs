//! The programs on this crate.

pub(crate) use henge::{runtime, spawn, sync, task};

#[path = "programs/mod.rs"]
pub(crate) mod programs;
