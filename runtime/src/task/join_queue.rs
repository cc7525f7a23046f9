//! Many tasks as one: awaited in the order in which they were spawned, aborted together.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::AbortOnDropHandle;
use crate::executor::{AbortHandle, Id, JoinError, JoinHandle};
use crate::runtime::Handle;

/// A queue of tasks that are awaited first in, first out. [`JoinSet`](super::JoinSet) awaits them
/// in the order in which they end. When the queue is dropped all of them are aborted.
///
/// # Examples
///
/// ```
/// use henge::task::JoinQueue;
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut queue = JoinQueue::new();
/// for n in 0..3 {
///     queue.spawn(async move { n });
/// }
/// assert_eq!(queue.join_all().await, [0, 1, 2]);
/// # }
/// ```
pub struct JoinQueue<T> {
    handles: VecDeque<AbortOnDropHandle<T>>,
}

impl<T> JoinQueue<T> {
    /// A queue without tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(henge::task::JoinQueue::<()>::new().is_empty());
    /// ```
    pub const fn new() -> Self {
        Self { handles: VecDeque::new() }
    }

    /// A queue without tasks that has room for `capacity`.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(henge::task::JoinQueue::<()>::with_capacity(8).is_empty());
    /// ```
    pub fn with_capacity(capacity: usize) -> Self {
        Self { handles: VecDeque::with_capacity(capacity) }
    }

    /// How many tasks have not been joined.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn(async {});
    /// assert_eq!(queue.len(), 1);
    /// # }
    /// ```
    pub fn len(&self) -> usize {
        self.handles.len()
    }

    /// Whether all tasks have been joined.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn(async {});
    /// assert!(!queue.is_empty());
    /// # }
    /// ```
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }
}

impl<T: 'static> JoinQueue<T> {
    /// Spawns a task on this shard, at the end of the queue.
    ///
    /// # Panics
    ///
    /// Where [`spawn`](crate::spawn) does.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn(async { 1 });
    /// assert_eq!(queue.join_next().await.unwrap().unwrap(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.push(super::spawn(task))
    }

    /// Spawns a task on the runtime of a handle, at the end of the queue.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::runtime::Handle;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn_on(async { 1 }, &Handle::current());
    /// assert_eq!(queue.join_all().await, [1]);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.push(handle.spawn(task))
    }

    /// The same as [`spawn`](Self::spawn), where no task need be `Send`.
    ///
    /// # Panics
    ///
    /// Where [`spawn`](crate::spawn) does.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let one = std::rc::Rc::new(1);
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn_local(async move { *one });
    /// assert_eq!(queue.join_all().await, [1]);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.push(super::spawn_local(task))
    }

    /// Runs a closure in the blocking pool, at the end of the queue.
    ///
    /// # Panics
    ///
    /// Where [`task::spawn_blocking`](crate::task::spawn_blocking) does.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn_blocking(|| 1);
    /// assert_eq!(queue.join_all().await, [1]);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.push(super::spawn_blocking(f))
    }

    /// Runs a closure in the blocking pool of a handle's runtime, at the end of the queue.
    ///
    /// # Panics
    ///
    /// If the pool has no thread, and the system refuses to start one.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::runtime::Handle;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn_blocking_on(|| 1, &Handle::current());
    /// assert_eq!(queue.join_all().await, [1]);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.push(handle.spawn_blocking(f))
    }

    fn push(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        self.handles.push_back(AbortOnDropHandle::new(handle));
        abort
    }

    /// Waits for the first task of the queue; `None` if there is none.
    ///
    /// # Errors
    ///
    /// In the result: that of a task which panicked or was cancelled.
    ///
    /// # Cancel safety
    ///
    /// A task is removed when its result is returned, and stays the first until then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn(async { 1 });
    /// assert_eq!(queue.join_next().await.unwrap().unwrap(), 1);
    /// assert!(queue.join_next().await.is_none());
    /// # }
    /// ```
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// The same, with the task's id.
    ///
    /// # Errors
    ///
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Cancel safety
    ///
    /// As [`join_next`](Self::join_next).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// let id = queue.spawn(async { 1 }).id();
    /// assert_eq!(queue.join_next_with_id().await.unwrap().unwrap(), (id, 1));
    /// # }
    /// ```
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// The result of the first task of the queue, if that is done.
    ///
    /// # Errors
    ///
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn(async { 1 });
    /// assert!(queue.try_join_next().is_none());
    /// henge::task::yield_now().await;
    /// assert_eq!(queue.try_join_next().unwrap().unwrap(), 1);
    /// # }
    /// ```
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        Some(self.try_join_next_with_id()?.map(|(_id, value)| value))
    }

    /// The same, with the task's id.
    ///
    /// # Errors
    ///
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// let id = queue.spawn(async { 1 }).id();
    /// henge::task::yield_now().await;
    /// assert_eq!(queue.try_join_next_with_id().unwrap().unwrap(), (id, 1));
    /// # }
    /// ```
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        if !self.handles.front()?.is_finished() {
            return None;
        }
        let mut handle = self.handles.pop_front()?.detach();
        let id = handle.id();
        Some(handle.try_take()?.map(|value| (id, value)))
    }

    /// Aborts all tasks and waits until they are gone. Closures of the blocking pool that have
    /// started run to their end, and are waited for.
    ///
    /// # Cancel safety
    ///
    /// All tasks are aborted by the first poll, and those that have not been waited for stay.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn(std::future::pending::<()>());
    /// queue.shutdown().await;
    /// assert!(queue.is_empty());
    /// # }
    /// ```
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Waits for all tasks and returns what they have returned, in the order of the queue.
    ///
    /// # Panics
    ///
    /// If a task panicked, with its panic, or was aborted.
    ///
    /// # Cancel safety
    ///
    /// It owns the queue: if the future is dropped all tasks are aborted, and the results lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let queue: henge::task::JoinQueue<_> = (0..3).map(|n| async move { n }).collect();
    /// assert_eq!(queue.join_all().await, [0, 1, 2]);
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

    /// Aborts all tasks, which stay in the queue.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn(std::future::pending::<()>());
    /// queue.abort_all();
    /// assert!(queue.join_next().await.unwrap().unwrap_err().is_cancelled());
    /// # }
    /// ```
    pub fn abort_all(&mut self) {
        self.handles.iter().for_each(AbortOnDropHandle::abort);
    }

    /// Lets all tasks run on, and forgets them.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn(async {});
    /// queue.detach_all();
    /// assert!(queue.is_empty());
    /// # }
    /// ```
    pub fn detach_all(&mut self) {
        self.handles.drain(..).for_each(|handle| drop(handle.detach()));
    }

    /// Polls for the result of the first task.
    ///
    /// # Errors
    ///
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// queue.spawn(async { 1 });
    /// assert_eq!(poll_fn(|cx| queue.poll_join_next(cx)).await.unwrap().unwrap(), 1);
    /// # }
    /// ```
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_join_next_with_id(cx).map(|next| Some(next?.map(|(_id, value)| value)))
    }

    /// The same, with the task's id.
    ///
    /// # Errors
    ///
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut queue = henge::task::JoinQueue::new();
    /// let id = queue.spawn(async { 1 }).id();
    /// let next = poll_fn(|cx| queue.poll_join_next_with_id(cx)).await;
    /// assert_eq!(next.unwrap().unwrap(), (id, 1));
    /// # }
    /// ```
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        let Some(first) = self.handles.front_mut() else { return Poll::Ready(None) };
        let result = ready!(Pin::new(&mut *first).poll(cx));
        let id = first.as_ref().id();
        // It is done: there is nothing to abort.
        drop(self.handles.pop_front().map(AbortOnDropHandle::detach));
        Poll::Ready(Some(result.map(|value| (id, value))))
    }
}

impl<T> fmt::Debug for JoinQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.handles.iter().map(|handle| handle.as_ref().id())).finish()
    }
}

impl<T> Default for JoinQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: 'static, F> FromIterator<F> for JoinQueue<T>
where
    F: Future<Output = T> + 'static,
{
    /// Spawns all of them on this shard.
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut queue = Self::new();
        for future in futures {
            queue.spawn(future);
        }
        queue
    }
}
