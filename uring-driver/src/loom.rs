//! What the protocols between threads are written with: std's, or loom's under `--cfg henge_loom`.
//!
//! Only the pure protocols use them (`remote/list`, `remote/sleep`, `cell/state`, `home/word`), so
//! that a model explores those and nothing else.

#[cfg(not(henge_loom))]
pub(crate) mod sync {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, fence};
    pub(crate) use std::sync::{Mutex, MutexGuard};
}

#[cfg(henge_loom)]
pub(crate) mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, fence};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
}
