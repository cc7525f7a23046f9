//! The atomics and locks of this crate's protocols: std's, or loom's in a model.
//!
//! Everything that two threads may touch is written against this module, so that
//! `RUSTFLAGS="--cfg henge_loom"` turns the code itself, not a copy of it, into a model.

#[cfg(not(henge_loom))]
pub(crate) mod sync {
    pub(crate) use std::sync::{Arc, Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard};

    pub(crate) mod atomic {
        pub(crate) use core::sync::atomic::{
            AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, fence,
        };
    }
}

#[cfg(not(henge_loom))]
pub(crate) mod thread {
    pub(crate) use std::thread::{Thread, current, park, yield_now};
}

#[cfg(henge_loom)]
pub(crate) mod thread {
    pub(crate) use loom::thread::{Thread, current, park, yield_now};
}

#[cfg(henge_loom)]
pub(crate) mod sync {
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard};

    pub(crate) mod atomic {
        pub(crate) use loom::sync::atomic::{
            AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, fence,
        };
    }

    /// std's, which a model cannot see into, and a flag that it can.
    #[derive(Debug)]
    pub(crate) struct OnceLock<T> {
        value: std::sync::OnceLock<T>,
        set: atomic::AtomicBool,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            Self { value: std::sync::OnceLock::new(), set: atomic::AtomicBool::new(false) }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            // Acquire: as in std, who sees that it is set sees the value.
            self.set.load(std::sync::atomic::Ordering::Acquire).then(|| self.value.get()).flatten()
        }

        pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
            self.value.get_mut()
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            // Release: pairs with the load in `get`.
            self.set.store(true, std::sync::atomic::Ordering::Release);
            Ok(())
        }

        pub(crate) fn into_inner(self) -> Option<T> {
            self.value.into_inner()
        }
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
