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
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = henge::task::JoinSet::<u32>::new();
    /// assert!(set.join_next().await.is_none(), "there is nothing to wait for");
    /// # }
    /// ```
    pub fn new() -> Self {
        Self { handles: Slab::new(), members: Members::new() }
    }

    /// How many tasks are in the set, those that are done and have not been joined among them.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = henge::task::JoinSet::new();
    /// for page in 0..100 {
    ///     // No more than eight at a time.
    ///     if set.len() == 8 {
    ///         set.join_next().await;
    ///     }
    ///     set.spawn(async move { page });
    /// }
    /// assert_eq!(set.len(), 8);
    /// # }
    /// ```
    pub fn len(&self) -> usize {
        self.handles.len()
    }

    /// Whether no task is in the set.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = henge::task::JoinSet::new();
    /// set.spawn(async {});
    /// henge::task::yield_now().await;
    /// assert!(!set.is_empty(), "the task is done, and was not joined");
    /// set.join_next().await;
    /// assert!(set.is_empty());
    /// # }
    /// ```
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns a task on this shard, into the set. It need not be `Send`.
    ///
    /// # Panics
    /// Where [`henge::spawn`](crate::spawn) does.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let words = Rc::new(["standing", "stones"]);
    /// let mut set = henge::task::JoinSet::new();
    /// for n in 0..2 {
    ///     let words = Rc::clone(&words);
    ///     set.spawn(async move { words[n].len() });
    /// }
    /// let stuck = set.spawn(std::future::pending());
    /// stuck.abort();
    ///
    /// let mut letters = 0;
    /// while let Some(result) = set.join_next().await {
    ///     letters += result.unwrap_or(0);
    /// }
    /// assert_eq!(letters, 14);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(crate::task::spawn(task))
    }

    /// Spawns a task on a runtime, into the set; see [`Handle::spawn`].
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let mut set = henge::task::JoinSet::new();
    /// for n in 0..3 {
    ///     set.spawn_on(async move { n }, runtime.handle());
    /// }
    /// assert_eq!(runtime.block_on(set.join_all()), [0, 1, 2]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use henge::task::{JoinSet, LocalSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = JoinSet::new();
    /// LocalSet::new()
    ///     .run_until(async {
    ///         set.spawn_local(async { "polled by the local set" });
    ///         assert!(set.join_next().await.unwrap().is_ok());
    ///     })
    ///     .await;
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(super::spawn_local(task))
    }

    /// Spawns a task on a [`LocalSet`], into the set.
    ///
    /// # Examples
    /// ```
    /// use henge::task::{JoinSet, LocalSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (mut set, local) = (JoinSet::new(), LocalSet::new());
    /// set.spawn_local_on(async { 7 }, &local);
    /// assert_eq!(local.run_until(set.join_all()).await, [7]);
    /// # }
    /// ```
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
    /// Where [`task::spawn_blocking`](crate::task::spawn_blocking) does.
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
    ///
    /// # Panics
    /// If the pool has no thread, and the system refuses to start one.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let mut set = henge::task::JoinSet::new();
    /// set.spawn_blocking_on(|| (1..=20_u64).product::<u64>(), runtime.handle());
    /// assert_eq!(runtime.block_on(set.join_all()), [2_432_902_008_176_640_000]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
    /// # Errors
    /// In the result: that of a task which panicked or was cancelled.
    ///
    /// # Cancel safety
    /// If it is dropped in `select!`, no task has been taken out.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = henge::task::JoinSet::new();
    /// set.spawn(async { 7 });
    /// set.spawn(std::future::pending()).abort();
    /// let (mut values, mut cancelled) = (Vec::new(), 0);
    /// while let Some(result) = set.join_next().await {
    ///     match result {
    ///         Ok(value) => values.push(value),
    ///         Err(error) => cancelled += usize::from(error.is_cancelled()),
    ///     }
    /// }
    /// assert_eq!((values, cancelled), (vec![7], 1));
    /// # }
    /// ```
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`join_next`](Self::join_next), with the task's id. The id of a task that failed is in
    /// the error.
    ///
    /// # Errors
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Cancel safety
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Examples
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (mut set, mut names) = (henge::task::JoinSet::new(), HashMap::new());
    /// for name in ["one that ends", "one that fails"] {
    ///     let task = set.spawn(async move { assert_eq!(name, "one that ends") });
    ///     names.insert(task.id(), name);
    /// }
    /// while let Some(result) = set.join_next_with_id().await {
    ///     match result {
    ///         Ok((id, ())) => assert_eq!(names[&id], "one that ends"),
    ///         Err(error) => assert_eq!(names[&error.id()], "one that fails"),
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// Takes a task out that is done; `None` if there is none.
    ///
    /// # Errors
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = henge::task::JoinSet::new();
    /// set.spawn(async { 1 });
    /// set.spawn(std::future::pending());
    /// henge::task::yield_now().await;
    /// // Collects what is done, and waits for nothing.
    /// assert_eq!(set.try_join_next().unwrap().unwrap(), 1);
    /// assert!(set.try_join_next().is_none());
    /// assert_eq!(set.len(), 1);
    /// # }
    /// ```
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        Some(self.try_join_next_with_id()?.map(|(_id, value)| value))
    }

    /// As [`try_join_next`](Self::try_join_next), with the task's id.
    ///
    /// # Errors
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = henge::task::JoinSet::new();
    /// let task = set.spawn(async { 1 });
    /// henge::task::yield_now().await;
    /// assert_eq!(set.try_join_next_with_id().unwrap().unwrap(), (task.id(), 1));
    /// # }
    /// ```
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        // Those that are done have been pushed, so that nobody must be waited for.
        self.next_done()
    }

    /// Aborts all tasks and waits until they are gone. The set is empty then. Closures of the
    /// blocking pool that have started run to their end, and are waited for.
    ///
    /// # Cancel safety
    /// Dropped half-way it leaves tasks that are aborted in the set.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let log = Rc::new("open");
    /// let mut set = henge::task::JoinSet::new();
    /// for _ in 0..3 {
    ///     let log = Rc::clone(&log);
    ///     set.spawn(async move {
    ///         henge::time::sleep(henge::time::Duration::from_secs(3600)).await;
    ///         drop(log);
    ///     });
    /// }
    /// set.shutdown().await;
    /// assert!(set.is_empty());
    /// assert_eq!(Rc::try_unwrap(log), Ok("open"), "nobody has it any more");
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = henge::task::JoinSet::new();
    /// for _ in 0..3 {
    ///     set.spawn(std::future::pending::<()>());
    /// }
    /// set.abort_all();
    /// assert_eq!(set.len(), 3);
    /// assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    /// # }
    /// ```
    pub fn abort_all(&mut self) {
        self.handles.iter().for_each(|(_key, handle)| handle.abort());
    }

    /// Takes all tasks out and lets them run on by themselves.
    ///
    /// # Examples
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let saved = Rc::new(Cell::new(false));
    /// let mut set = henge::task::JoinSet::new();
    /// let save = Rc::clone(&saved);
    /// set.spawn(async move { save.set(true) });
    /// set.detach_all();
    /// drop(set);
    /// henge::task::yield_now().await;
    /// assert!(saved.get(), "it was not aborted with the set");
    /// # }
    /// ```
    pub fn detach_all(&mut self) {
        self.handles.clear();
        // Those that are woken from now on are not this set's any more.
        self.members = Members::new();
    }

    /// Polls for a task of the set that is done; see [`join_next`](Self::join_next).
    ///
    /// If it is pending, the waker is woken when a task is done, or when others have had their
    /// turn.
    ///
    /// # Errors
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::task::{Poll, ready};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set: henge::task::JoinSet<u32> = (1..=3).map(|n| async move { n }).collect();
    /// let mut sum = 0;
    /// // As in the `poll` of a future of one's own.
    /// poll_fn(|cx| {
    ///     while let Some(result) = ready!(set.poll_join_next(cx)) {
    ///         sum += result.unwrap();
    ///     }
    ///     Poll::Ready(())
    /// })
    /// .await;
    /// assert_eq!(sum, 6);
    /// # }
    /// ```
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_join_next_with_id(cx).map(|next| Some(next?.map(|(_id, value)| value)))
    }

    /// As [`poll_join_next`](Self::poll_join_next), with the task's id.
    ///
    /// # Errors
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = henge::task::JoinSet::new();
    /// let task = set.spawn(async { "done" });
    /// let next = std::future::poll_fn(|cx| set.poll_join_next_with_id(cx)).await;
    /// assert_eq!(next.unwrap().unwrap(), (task.id(), "done"));
    /// # }
    /// ```
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
