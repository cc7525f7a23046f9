//! Which locks there are, and what counts their permits: what `guarded` must be able to trust.

use std::task::{Context, Poll};

use crate::sync::batch::{self, Batch, Closed};
use crate::sync::guarded::{Alone, Count, Guarded, Here, Lock, Many};
use crate::sync::local;
use crate::sync::mutex::Mutex;
use crate::sync::rwlock::RwLock;

// SAFETY: a field of the mutex, always the same one.
unsafe impl<T: ?Sized> Lock for Mutex<T> {
    type Value = T;
    type Mode = Alone;

    #[inline]
    fn guarded(&self) -> &Guarded<T, Alone> {
        &self.guarded
    }
}

// SAFETY: a field of the lock, always the same one.
unsafe impl<T: ?Sized> Lock for RwLock<T> {
    type Value = T;
    type Mode = Many;

    #[inline]
    fn guarded(&self) -> &Guarded<T, Many> {
        &self.guarded
    }
}

// SAFETY: a field of the mutex, always the same one.
unsafe impl<T: ?Sized> Lock for local::Mutex<T> {
    type Value = T;
    type Mode = Here;

    #[inline]
    fn guarded(&self) -> &Guarded<T, Here> {
        &self.guarded
    }
}

// SAFETY: a field of the lock, always the same one.
unsafe impl<T: ?Sized> Lock for local::RwLock<T> {
    type Value = T;
    type Mode = Here;

    #[inline]
    fn guarded(&self) -> &Guarded<T, Here> {
        &self.guarded
    }
}

// SAFETY: its word and its line hold each permit once (head of `batch.rs`), and a permit that is
// taken was released before.
unsafe impl Count for Batch {
    type Stage = batch::Stage;

    #[inline]
    fn try_take(&self, n: usize) -> bool {
        self.try_acquire(n).is_ok()
    }

    #[inline]
    fn poll_take(&self, cx: &mut Context<'_>, n: usize, stage: &mut Self::Stage) -> Poll<()> {
        self.poll_acquire(cx, n, stage).map(|acquired| match acquired {
            Ok(()) => {}
            Err(Closed) => unreachable!("nobody can close a lock"),
        })
    }

    #[inline]
    fn leave(&self, n: usize, stage: &mut Self::Stage) {
        self.give_up(n, stage);
    }

    #[inline]
    fn give_back(&self, n: usize) {
        self.release(n);
    }
}

// SAFETY: as of `Batch`, whose rules it keeps with plain memory; it is not `Sync`.
unsafe impl Count for local::Permits {
    type Stage = local::Stage;

    #[inline]
    fn try_take(&self, n: usize) -> bool {
        self.try_acquire(n).is_ok()
    }

    #[inline]
    fn poll_take(&self, cx: &mut Context<'_>, n: usize, stage: &mut Self::Stage) -> Poll<()> {
        self.poll_acquire(cx, n, stage).map(|acquired| match acquired {
            Ok(()) => {}
            Err(local::Closed) => unreachable!("nobody can close a lock"),
        })
    }

    #[inline]
    fn leave(&self, n: usize, stage: &mut Self::Stage) {
        self.give_up(n, stage);
    }

    #[inline]
    fn give_back(&self, n: usize) {
        self.release(n);
    }
}
