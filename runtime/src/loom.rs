//! The atomics and locks of this crate's protocols: std's, or loom's in a model.
//!
//! Everything that two threads may touch is written against this module, so that
//! `RUSTFLAGS="--cfg henge_loom"` turns the code itself, not a copy of it, into a model.

#[cfg(not(henge_loom))]
pub(crate) mod sync {
    pub(crate) use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard};

    pub(crate) mod atomic {
        #[cfg(test)]
        pub(crate) use core::sync::atomic::fence;
        pub(crate) use core::sync::atomic::{
            AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize,
        };
    }
}

#[cfg(henge_loom)]
pub(crate) mod sync {
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard};

    pub(crate) mod atomic {
        pub(crate) use loom::sync::atomic::{
            AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, fence,
        };
    }
}
