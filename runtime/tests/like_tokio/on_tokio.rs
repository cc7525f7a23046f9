//! The same programs on tokio.

pub(crate) use tokio::sync;

#[path = "programs/mod.rs"]
pub(crate) mod programs;
