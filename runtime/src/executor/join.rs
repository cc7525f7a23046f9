//! The owned permission to await a task's end and to have its result.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use henge_driver::coop;

use super::abort::AbortHandle;
use super::error::JoinError;
use super::header::TaskPtr;
use super::id::Id;
use super::join_elsewhere::JoinElsewhere;
use super::raw::swallow;
use super::state::{DONE, Owes};
use super::stealable;
use super::waker;

/// Awaits the end of a task and yields its result, or why there is none.
///
/// Dropping it detaches the task, which runs on. It can be sent to other shards and threads if
/// the result can, and awaited there, also under another runtime.
///
/// # Cancel safety
/// Awaiting `&mut handle` in a `select!` loses nothing: the result stays with the task until a
/// poll returns it.
///
/// # Panics
/// When it is polled again after it has yielded the result.
///
/// # Examples
/// ```
/// # let runtime = henge::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let handle = henge::spawn(async { 6 * 7 });
/// assert_eq!(handle.await.unwrap(), 42);
/// # });
/// ```
pub struct JoinHandle<T> {
    task: TaskPtr,
    /// Made by the first poll away from home; all later ones go by it.
    elsewhere: Option<Arc<JoinElsewhere>>,
    result: PhantomData<T>,
}

// SAFETY: the handle's one reference and its right to the result may be used from any thread;
// what it does away from the task's home goes through the shared word and the inbox. The result
// itself moves to whoever polls, so it must be Send. `Sync`: shared references allow only
// `abort`, `id`, `is_finished` and `abort_handle`, which are those of any thread.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}
impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    /// The caller has a reference that is meant for the handle, and the task's result is a `T`.
    #[inline]
    pub(super) unsafe fn new(task: TaskPtr) -> Self {
        Self { task, elsewhere: None, result: PhantomData }
    }

    /// Asks for the task's end. It is dropped when its turn comes, on its shard; awaiting the
    /// handle then gives an error that [`is_cancelled`](JoinError::is_cancelled), unless the task
    /// was done before. A closure of the blocking pool that has started runs to its end, and its
    /// result comes out of the handle.
    ///
    /// # Examples
    /// ```
    /// # let runtime = henge::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let handle = henge::spawn(std::future::pending::<()>());
    /// handle.abort();
    /// assert!(handle.await.unwrap_err().is_cancelled());
    /// # });
    /// ```
    pub fn abort(&self) {
        abort(self.task);
    }

    /// Whether the task is done: its future is gone and awaiting this handle does not wait.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = henge::spawn(async { 6 * 7 });
    /// assert!(!task.is_finished(), "it had no turn yet");
    /// henge::task::yield_now().await;
    /// assert!(task.is_finished());
    /// assert_eq!(task.await.unwrap(), 42);
    /// # }
    /// ```
    pub fn is_finished(&self) -> bool {
        self.task.header().local.is_done()
    }

    /// A handle that can abort the task, and nothing else.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = henge::spawn(std::future::pending::<()>());
    /// let abort = task.abort_handle();
    /// // One part waits for the end, another one brings it about.
    /// henge::spawn(async move { abort.abort() });
    /// assert!(task.await.unwrap_err().is_cancelled());
    /// # }
    /// ```
    pub fn abort_handle(&self) -> AbortHandle {
        waker::retain(self.task);
        // SAFETY: the reference that the line before made.
        unsafe { AbortHandle::new(self.task) }
    }

    /// Which task this is the handle of.
    ///
    /// # Examples
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (api, sweep) = (henge::spawn(async {}), henge::spawn(async { panic!("boom") }));
    /// let names = HashMap::from([(api.id(), "api"), (sweep.id(), "sweep")]);
    /// let mut failed = Vec::new();
    /// for task in [api, sweep] {
    ///     failed.extend(task.await.err().map(|error| names[&error.id()]));
    /// }
    /// assert_eq!(failed, ["sweep"]);
    /// # }
    /// ```
    pub fn id(&self) -> Id {
        Id::of(self.task)
    }

    /// Takes the result of a task that is done.
    ///
    /// # Safety
    /// The task was seen to be done by this thread.
    #[inline]
    unsafe fn take(&mut self) -> Result<T, JoinError> {
        let header = self.task.header();
        assert!(!header.local.taken.replace(true), "JoinHandle polled after completion");
        let task = self.task.as_ptr();
        // SAFETY: `output` is the offset of the task's stage.
        let output = unsafe { task.byte_add(header.vtable.output) }.cast();
        // SAFETY: the task is done, so the stage holds the result, a `T` by the promise of
        // `new`; it is this handle's, and read once, which `taken` sees to.
        unsafe { output.read() }
    }

    /// Leaves a waker where the home does not have to be asked.
    #[inline]
    fn register_at_home(&self, waker: &Waker) {
        let joiner = &self.task.header().joiner;
        if !joiner.will_wake(waker) {
            let waker = waker.clone();
            drop(joiner.set(waker));
        }
    }
}

/// Asks for a task's end. The caller holds a reference.
pub(super) fn abort(task: TaskPtr) {
    match waker::home_of(task) {
        Some(home) => home.abort(task),
        None if task.is_stealable() => stealable::abort(task),
        None => {
            let header = task.header();
            if !header.local.is_done() && header.shared.abort() == Owes::Push {
                waker::push(task);
            }
        }
    }
}

impl<T> JoinHandle<T> {
    /// Takes the result if the task is done.
    #[inline]
    pub(crate) fn try_take(&mut self) -> Option<Result<T, JoinError>> {
        // SAFETY: seen to be done in the same line.
        self.is_finished().then(|| unsafe { self.take() })
    }

    /// Leaves a waker to be woken when the task is done. False if it is done already; the waker may
    /// then be woken or not.
    #[inline]
    pub(super) fn leave(&mut self, waker: &Waker) -> bool {
        !self.is_finished() && self.leave_early(waker)
    }

    /// The task was not done yet.
    #[inline(never)]
    fn leave_early(&mut self, waker: &Waker) -> bool {
        if self.task.is_stealable() {
            return stealable::join(self.task, waker);
        }
        if waker::home_of(self.task).is_some() && self.elsewhere.is_none() {
            self.register_at_home(waker);
            return true;
        }
        self.leave_elsewhere(waker)
    }

    /// As [`leave`](Self::leave), with a waker to be kept. It comes back if the task is done.
    #[inline]
    pub(crate) fn entrust(&mut self, waker: Waker) -> Option<Waker> {
        if self.is_finished() {
            return Some(waker);
        }
        if waker::home_of(self.task).is_some() && self.elsewhere.is_none() {
            drop(self.task.header().joiner.set(waker));
            return None;
        }
        if self.leave_elsewhere(&waker) { None } else { Some(waker) }
    }

    fn leave_elsewhere(&mut self, waker: &Waker) -> bool {
        let registered = JoinElsewhere::register(&mut self.elsewhere, self.task, waker);
        // The task may have ended before the waker was there.
        if self.is_finished() {
            return false;
        }
        if !registered {
            // Its home is closing, and about to cancel it.
            waker.wake_by_ref();
        }
        true
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let unit = ready!(coop::poll_proceed(cx));
        if self.leave(cx.waker()) {
            return Poll::Pending;
        }
        unit.made_progress();
        // SAFETY: `leave` has seen it to be done: it answers false only then.
        Poll::Ready(unsafe { self.take() })
    }
}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        let task = self.task;
        let header = task.header();
        if let Some(home) = waker::home_of(task) {
            if header.local.flags() & DONE == 0 || !header.local.taken.get() {
                home.unjoin(task);
            }
            home.release(task);
        } else if task.is_stealable() {
            stealable::unjoin(task, header.local.taken.get());
        } else if header.local.is_done() {
            if !header.local.taken.get() {
                // SAFETY: done, and the result is this handle's.
                unsafe { (header.vtable.drop_output)(task) };
            }
            waker::release_elsewhere(task);
        } else if header.shared.unjoin() == Owes::Push {
            waker::push_unreferenced(task);
        }
        if let Some(elsewhere) = self.elsewhere.take() {
            swallow(|| drop(elsewhere));
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id()).finish()
    }
}
