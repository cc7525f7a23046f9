//! What the models replace: std's locks, or loom's under `--cfg henge_loom`.

#[cfg(henge_loom)]
pub(super) use loom::{
    sync::{Condvar, Mutex, MutexGuard},
    thread::{ThreadId, current, yield_now},
};
#[cfg(not(henge_loom))]
pub(super) use std::{
    sync::{Condvar, Mutex, MutexGuard},
    thread::{ThreadId, current},
};
