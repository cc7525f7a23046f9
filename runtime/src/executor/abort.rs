//! The owned permission to abort a task, and nothing else.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::header::TaskPtr;
use super::id::Id;
use super::join;
use super::waker;

/// Aborts a task from anywhere. It does not keep the task's result, nor know its type.
///
/// # Examples
/// ```
/// # let runtime = henge::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let handle = henge::spawn(std::future::pending::<()>());
/// let abort = handle.abort_handle();
/// std::thread::spawn(move || abort.abort()).join().unwrap();
/// assert!(handle.await.unwrap_err().is_cancelled());
/// # });
/// ```
pub struct AbortHandle {
    task: TaskPtr,
}

// SAFETY: a reference to a task may be used and dropped on any thread: what it does away from
// the task's home goes through the shared word and the inbox. It gives no access to the result.
unsafe impl Send for AbortHandle {}
// SAFETY: as above.
unsafe impl Sync for AbortHandle {}

impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl AbortHandle {
    /// # Safety
    /// The caller has a reference that is meant for the handle.
    pub(super) unsafe fn new(task: TaskPtr) -> Self {
        Self { task }
    }

    /// Asks for the task's end; see [`JoinHandle::abort`](super::JoinHandle::abort).
    ///
    /// # Examples
    /// ```
    /// use henge::task::{AbortHandle, JoinHandle};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tasks = [0, 1, 2].map(|_| henge::spawn(std::future::pending::<()>()));
    /// let handles: Vec<AbortHandle> = tasks.iter().map(JoinHandle::abort_handle).collect();
    /// handles.iter().for_each(AbortHandle::abort);
    /// for task in tasks {
    ///     assert!(task.await.unwrap_err().is_cancelled());
    /// }
    /// # }
    /// ```
    pub fn abort(&self) {
        join::abort(self.task);
    }

    /// Whether the task is done.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = henge::spawn(async {});
    /// let abort = task.abort_handle();
    /// drop(task); // it runs on
    /// assert!(!abort.is_finished());
    /// henge::task::yield_now().await;
    /// assert!(abort.is_finished());
    /// # }
    /// ```
    pub fn is_finished(&self) -> bool {
        self.task.header().local.is_done()
    }

    /// Which task this is the handle of.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = henge::task::JoinSet::new();
    /// let first = set.spawn(async { 1 });
    /// let second = set.spawn(async { 2 });
    /// while let Some(result) = set.join_next_with_id().await {
    ///     let (id, number) = result.unwrap();
    ///     assert_eq!(id, if number == 1 { first.id() } else { second.id() });
    /// }
    /// # }
    /// ```
    pub fn id(&self) -> Id {
        Id::of(self.task)
    }
}

impl Clone for AbortHandle {
    fn clone(&self) -> Self {
        waker::retain(self.task);
        Self { task: self.task }
    }
}

impl Drop for AbortHandle {
    fn drop(&mut self) {
        waker::release(self.task);
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("id", &self.id()).finish()
    }
}
