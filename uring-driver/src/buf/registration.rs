//! What a buffer knows of the ring that knows it.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::current;
use crate::driver_id::DriverId;

/// The numbers of buffers that are gone, for the ring to forget.
#[derive(Debug, Default)]
pub(crate) struct Gone(Mutex<Vec<u16>>);

impl Gone {
    fn lock(&self) -> MutexGuard<'_, Vec<u16>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// One of them, if there is any.
    pub(crate) fn pop(&self) -> Option<u16> {
        self.lock().pop()
    }
}

/// A buffer's number on a ring, until it is dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    home: DriverId,
    number: u16,
    gone: Arc<Gone>,
}

impl Registration {
    pub(crate) fn new(home: DriverId, number: u16, gone: Arc<Gone>) -> Registration {
        Registration { home, number, gone }
    }

    /// The number, on the thread of its ring; elsewhere there is none.
    pub(crate) fn number(&self) -> Option<u16> {
        current::is(self.home).then_some(self.number)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.gone.lock().push(self.number);
        if current::is(self.home) {
            // Without a driver there is no ring that would have to forget it.
            let _forgotten = current::with(|driver| driver.forget_buffers());
        }
    }
}
