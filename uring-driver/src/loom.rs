//! The atomics of the protocols that loom checks: std's, or loom's under `--cfg henge_loom`.
//!
//! Only the three pure protocols use them (`remote/list`, `remote/sleep`, `cell/state`), so that a
//! model explores those and nothing else.

#[cfg(not(henge_loom))]
pub(crate) mod sync {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, fence};
}

#[cfg(henge_loom)]
pub(crate) mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, fence};
}
