//! Waiting for a future on a thread that runs no tasks: what the `blocking_*` functions do.
//!
//! A thread that waits looks for its wake a moment, then lets others run a few times, and only then
//! sleeps; whoever wakes it in the meantime sets a flag and needs no kernel. Letting others run is
//! what counts. When a sleeper is woken the kernel likes to run it at once, in the place of whoever
//! woke it: a sender that has been given room for one message by a receiver that is about to make
//! room for a thousand. It sends that one, and sleeps again. Two threads that take turns like that
//! switch twice a message; a sender that only yields runs when the receiver has done its part.

use std::future::Future;
use std::hint;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Wake, Waker};

use crate::loom::sync::atomic::AtomicBool;
use crate::loom::thread::{self, Thread};

/// How often a thread looks before it lets others run: below a microsecond.
const LOOKS: u32 = if cfg!(henge_loom) { 0 } else { 16 };
/// How often it lets others run before it sleeps.
const YIELDS: u32 = if cfg!(henge_loom) { 1 } else { 3 };

/// One thread's waiting.
struct Parker {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: the woken thread sees what was done before.
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Parker {
    /// Returns once there was a wake since the last return.
    fn wait(&self) {
        for _ in 0..LOOKS {
            if self.was_woken() {
                return;
            }
            hint::spin_loop();
        }
        for _ in 0..YIELDS {
            if self.was_woken() {
                return;
            }
            thread::yield_now();
        }
        while !self.was_woken() {
            thread::park();
        }
    }

    fn was_woken(&self) -> bool {
        // Acquire: pairs with the store of the wake.
        self.woken.load(Ordering::Relaxed) && self.woken.swap(false, Ordering::Acquire)
    }
}

/// Polls the future on this thread and parks it in between.
///
/// # Panics
///
/// On a thread that runs tasks, unless it is inside `block_in_place`: it would hold all of them up.
#[track_caller]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    assert!(
        henge_driver::current::may_block(),
        "Cannot block the current thread from within a runtime. This happens because a function \
         attempted to block the current thread while the thread is being used to drive \
         asynchronous tasks."
    );
    let mut future = pin!(future);
    // Most find at once what they want, and need no waker.
    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return output;
    }
    let parker = Arc::new(Parker { woken: AtomicBool::new(false), thread: thread::current() });
    let waker = Waker::from(parker.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => parker.wait(),
        }
    }
}
