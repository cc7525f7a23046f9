//! The atomics and locks of this crate's protocols: std's, or loom's in a model.
//!
//! Everything that two threads may touch is written against this module, so that
//! `RUSTFLAGS="--cfg henge_loom"` turns the code itself, not a copy of it, into a model.

#[cfg(not(henge_loom))]
pub(crate) mod sync {
    pub(crate) use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard};

    pub(crate) mod atomic {
        pub(crate) use core::sync::atomic::{
            AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, fence,
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

/// Memory that several threads may touch one after the other. A model finds those that touch it at
/// the same time.
pub(crate) mod cell {
    #[cfg(henge_loom)]
    pub(crate) use loom::cell::UnsafeCell;

    #[cfg(not(henge_loom))]
    #[derive(Debug)]
    pub(crate) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

    #[cfg(not(henge_loom))]
    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(core::cell::UnsafeCell::new(value))
        }

        /// Calls `f` with the address, to read from.
        #[inline]
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        /// Calls `f` with the address, to read and write.
        #[inline]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}
