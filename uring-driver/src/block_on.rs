//! Polling one future on one driver: no runtime, no tasks, no timers.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::driver::Driver;
use crate::remote::Remote;

/// Wakes the one future of a `block_on`.
struct Flag {
    woken: AtomicBool,
    remote: Remote,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: whatever the waker did before is seen by the poll that it causes.
        if !self.woken.swap(true, Ordering::Release) {
            self.remote.wake();
        }
    }
}

impl Driver {
    /// Polls `future` on this thread until it is ready, and turns the driver in between.
    ///
    /// What it has begun and not ended stays with this driver, and goes on where that is turned
    /// again. A thread that will not do so for long lets go of it with
    /// [`hand_over`](Driver::hand_over): whoever waits for it elsewhere would wait for this thread.
    ///
    /// # Errors
    ///
    /// As [`turn`](Driver::turn).
    ///
    /// # Panics
    ///
    /// As [`turn`](Driver::turn), and with whatever `future` panics.
    ///
    /// ```
    /// let driver = henge_driver::Driver::new()?;
    /// assert_eq!(driver.block_on(async { 1 + 1 })?, 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let _entered = self.enter();
        let flag = Arc::new(Flag { woken: AtomicBool::new(true), remote: self.remote().clone() });
        let waker = Waker::from(Arc::clone(&flag));
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            // Acquire: see what the waker did before.
            if flag.woken.swap(false, Ordering::Acquire)
                && let Poll::Ready(output) = future.as_mut().poll(&mut cx)
            {
                self.flush()?;
                return Ok(output);
            }
            if flag.woken.load(Ordering::Relaxed) {
                self.turn()?;
            } else {
                self.park(None, || flag.woken.load(Ordering::Relaxed))?;
            }
        }
    }
}
