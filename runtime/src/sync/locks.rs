//! Which locks there are: what a guard may keep alive to keep a value in place.

use crate::sync::guarded::{Alone, Guarded, Lock, Many};
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
