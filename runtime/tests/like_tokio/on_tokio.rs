//! The same programs on tokio.

pub(crate) use tokio::{runtime, spawn, sync, task};

#[path = "programs/mod.rs"]
pub(crate) mod programs;
