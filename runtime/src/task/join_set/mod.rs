//! Many tasks as one: awaited in the order in which they end, aborted together.

mod builder;
use std::fmt;
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::task::{Context, Poll, ready};

use henge_driver::coop;
use slab::Slab;

use super::LocalSet;
use crate::executor::members::Members;
use crate::executor::{AbortHandle, Id, JoinError, JoinHandle};
use crate::runtime::Handle;

pub use builder::Builder;

/// Tasks of one result type, awaited in the order in which they end.
///
/// Dropping the set aborts all of them.
///
/// # Examples
/// ```
/// use henge::task::JoinSet;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut set = JoinSet::new();
/// for n in 0..10 {
///     set.spawn(async move { n });
/// }
/// let mut sum = 0;
/// while let Some(result) = set.join_next().await {
///     sum += result.unwrap();
/// }
/// assert_eq!(sum, 45);
/// # }
/// ```
pub struct JoinSet<T> {
    handles: Slab<JoinHandle<T>>,
    /// By their keys in `handles`.
    members: Members,
}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self { handles: Slab::new(), members: Members::new() }
    }

    /// How many tasks are in the set, those that are done and have not been joined among them.
    pub fn len(&self) -> usize {
        self.handles.len()
    }

    /// Whether no task is in the set.
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns a task on this shard, into the set. It need not be `Send`.
    ///
    /// # Panics
    /// Where [`henge::spawn`](crate::spawn) does.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(crate::task::spawn(task))
    }

    /// Spawns a task on a runtime, into the set; see [`Handle::spawn`].
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(task))
    }

    /// Spawns a task on the current [`LocalSet`] or shard, into the set.
    ///
    /// # Panics
    /// Where [`task::spawn_local`](crate::task::spawn_local) does.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(super::spawn_local(task))
    }

    /// Spawns a task on a [`LocalSet`], into the set.
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(local_set.spawn_local(task))
    }

    /// Runs a closure in the blocking pool, into the set.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = henge::task::JoinSet::new();
    /// set.spawn_blocking(|| 6 * 7);
    /// assert_eq!(set.join_all().await, [42]);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(super::spawn_blocking(f))
    }

    /// Runs a closure in the blocking pool of a runtime, into the set.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn_blocking(f))
    }

    fn insert(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        let entry = self.handles.vacant_entry();
        let (_, waker) = self.members.add(entry.key());
        if let Some(waker) = entry.insert(handle).entrust(waker) {
            waker.wake();
        }
        abort
    }

    /// Waits until a task of the set is done, takes it out and yields its result; `None` if the
    /// set is empty.
    ///
    /// # Cancel safety
    /// If it is dropped in `select!`, no task has been taken out.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`join_next`](Self::join_next), with the task's id. The id of a task that failed is in
    /// the error.
    ///
    /// # Cancel safety
    /// As for [`join_next`](Self::join_next).
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// Takes a task out that is done; `None` if there is none.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        Some(self.try_join_next_with_id()?.map(|(_id, value)| value))
    }

    /// As [`try_join_next`](Self::try_join_next), with the task's id.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        // Those that are done have been pushed, so that nobody must be waited for.
        self.next_done()
    }

    /// Aborts all tasks and waits until they are gone. The set is empty then.
    ///
    /// # Cancel safety
    /// Dropped half-way it leaves tasks that are aborted in the set.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Waits for all tasks, and yields their results in the order in which they ended.
    ///
    /// # Panics
    /// If a task failed: with its panic, or because it was cancelled. The others are aborted.
    ///
    /// # Cancel safety
    /// The set is consumed: dropping this aborts the tasks that are left.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let set: henge::task::JoinSet<u32> = (0..3).map(|n| async move { n }).collect();
    /// assert_eq!(set.join_all().await, [0, 1, 2]);
    /// # }
    /// ```
    pub async fn join_all(mut self) -> Vec<T> {
        let mut output = Vec::with_capacity(self.len());
        while let Some(result) = self.join_next().await {
            match result {
                Ok(value) => output.push(value),
                Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                Err(error) => panic!("{error}"),
            }
        }
        output
    }

    /// Aborts all tasks. They stay in the set, and are joined as cancelled.
    pub fn abort_all(&mut self) {
        self.handles.iter().for_each(|(_key, handle)| handle.abort());
    }

    /// Takes all tasks out and lets them run on by themselves.
    pub fn detach_all(&mut self) {
        self.handles.clear();
        // Those that are woken from now on are not this set's any more.
        self.members = Members::new();
    }

    /// Polls for a task of the set that is done; see [`join_next`](Self::join_next).
    ///
    /// If it is pending, the waker is woken when a task is done, or when others have had their
    /// turn.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_join_next_with_id(cx).map(|next| Some(next?.map(|(_id, value)| value)))
    }

    /// As [`poll_join_next`](Self::poll_join_next), with the task's id.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        if self.is_empty() {
            return Poll::Ready(None);
        }
        let unit = ready!(coop::poll_proceed(cx));
        let mut done = self.next_done();
        if done.is_none() {
            let old = self.members.wait(cx.waker());
            // One may have been pushed before the waker was there.
            done = self.next_done();
            // Whatever that does, what it does to this set wakes the new waker.
            drop(old);
        }
        if done.is_none() {
            return Poll::Pending;
        }
        unit.made_progress();
        Poll::Ready(done)
    }

    fn next_done(&mut self) -> Option<Result<(Id, T), JoinError>> {
        loop {
            let (key, member) = self.members.next()?;
            if let Some(done) = self.join(key) {
                self.members.retire(member);
                return Some(done);
            }
            // Woken for nothing, or not any more since it was looked at.
            let member = self.members.rearm(member);
            if let Some(done) = self.join(key) {
                self.members.remove(member);
                return Some(done);
            }
        }
    }

    /// Takes the task of a key out if it is done.
    #[inline]
    fn join(&mut self, key: usize) -> Option<Result<(Id, T), JoinError>> {
        let handle = self.handles.get_mut(key)?;
        let id = handle.id();
        let result = handle.try_take()?;
        self.handles.remove(key);
        Some(result.map(|value| (id, value)))
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.handles.iter().for_each(|(_key, handle)| handle.abort());
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Spawns every future into a new set, as [`JoinSet::spawn`] does.
impl<T: 'static, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut set = Self::new();
        set.extend(futures);
        set
    }
}

/// Spawns every future into the set, as [`JoinSet::spawn`] does.
impl<T: 'static, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.spawn(future);
        }
    }
}
