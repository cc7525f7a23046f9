//! Tasks inside of a task: polled when the set is, and only then.
//!
//! On a shard every task may be `!Send`, so programs need no set for that. It is here for those
//! that come from tokio, and behaves as there: its tasks make no progress while it is not polled,
//! and are dropped with it.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::executor::spawn_meta::{Details, SpawnMeta};
use crate::executor::{Home, JoinHandle};
use crate::runtime::{Id, Runtime};

/// Polls of tasks in one poll of a set, before others have their turn.
const POLLS: usize = 61;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Home>>> = const { RefCell::new(None) };
}

fn replace_current(home: Option<Rc<Home>>) -> Option<Rc<Home>> {
    // In the destructors of other thread-locals there is no current set any more.
    CURRENT.try_with(|current| current.replace(home)).ok().flatten()
}

/// Spawns a task on the current [`LocalSet`], or on this shard if there is none.
///
/// # Panics
/// Outside of both.
///
/// # Examples
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let local = std::rc::Rc::new(7);
/// let task = henge::task::spawn_local(async move { *local });
/// assert_eq!(task.await.unwrap(), 7);
/// # }
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_named(SpawnMeta::new().with(Details::LOCAL), future)
}

/// As [`spawn_local`], for callers that know more of it.
#[track_caller]
pub(super) fn spawn_named<F>(meta: SpawnMeta<'_>, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let set = CURRENT.try_with(|current| current.borrow().clone()).ok().flatten();
    if let Some(home) = set {
        return spawn_into(&home, meta, future);
    }
    match super::spawn::spawn_from(meta, future) {
        Some(task) => task,
        None => panic!(
            "`spawn_local` called from outside of a `task::LocalSet` or `runtime::LocalRuntime`, \
             and of a shard's loop. Local tasks can only be spawned on a LocalRuntime from the \
             thread the runtime was created on."
        ),
    }
}

fn spawn_into<F>(home: &Home, meta: SpawnMeta<'_>, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let handle = home.spawn_from(meta, future);
    home.inbox().ring();
    handle
}

/// A set of tasks that run while the set is polled.
///
/// # Examples
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let set = henge::task::LocalSet::new();
/// let task = set.spawn_local(async { 1 });
/// set.run_until(async {
///     let other = henge::task::spawn_local(async { 2 });
///     assert_eq!(task.await.unwrap() + other.await.unwrap(), 3);
/// })
/// .await;
/// # }
/// ```
pub struct LocalSet {
    home: Rc<Home>,
    /// Who polls the set.
    polled_by: Arc<Mutex<Option<Waker>>>,
}

/// Makes a [`LocalSet`] the current one until it is dropped; see [`LocalSet::enter`].
///
/// # Examples
/// ```
/// use henge::task::{LocalEnterGuard, LocalSet, spawn_local};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let (outer, inner) = (LocalSet::new(), LocalSet::new());
/// let _outer: LocalEnterGuard = outer.enter();
/// let guard = inner.enter();
/// let of_inner = spawn_local(async {});
/// drop(guard);
/// let of_outer = spawn_local(async {});
/// outer.await;
/// assert!(of_outer.is_finished() && !of_inner.is_finished());
/// # }
/// ```
pub struct LocalEnterGuard {
    outer: Option<Rc<Home>>,
}

impl Drop for LocalEnterGuard {
    fn drop(&mut self) {
        replace_current(self.outer.take());
    }
}

impl fmt::Debug for LocalEnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnterGuard").finish()
    }
}

impl LocalSet {
    /// An empty set.
    ///
    /// # Examples
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let set = henge::task::LocalSet::new();
    /// let done = Rc::new(Cell::new(0));
    /// for _ in 0..3 {
    ///     let done = Rc::clone(&done);
    ///     set.spawn_local(async move { done.set(done.get() + 1) });
    /// }
    /// set.await; // until all of its tasks are done
    /// assert_eq!(done.get(), 3);
    /// # }
    /// ```
    pub fn new() -> Self {
        let polled_by = Arc::new(Mutex::new(None::<Waker>));
        let wake = polled_by.clone();
        let home = Home::new(move || {
            let waker = wake.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        home.set_inside();
        Self { home, polled_by }
    }

    /// Which set this is, among those and the runtimes that there are.
    ///
    /// # Examples
    /// ```
    /// let (a, b) = (henge::task::LocalSet::new(), henge::task::LocalSet::new());
    /// assert_eq!(a.id(), a.id());
    /// assert_ne!(a.id(), b.id());
    /// ```
    pub fn id(&self) -> Id {
        Id::at(Rc::as_ptr(&self.home))
    }

    /// Makes this the set that [`spawn_local`] spawns on, until the guard is dropped. Nothing runs
    /// by that. Each guard puts back what was current when it was made, so those that nest are to
    /// be dropped innermost first.
    ///
    /// # Examples
    /// ```
    /// use henge::task::{LocalSet, spawn_local};
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let set = LocalSet::new();
    /// let guard = set.enter();
    /// let task = spawn_local(async { 7 }); // there is no runtime here yet
    /// drop(guard);
    /// assert_eq!(set.block_on(&runtime, task)?, 7);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn enter(&self) -> LocalEnterGuard {
        LocalEnterGuard { outer: replace_current(Some(self.home.clone())) }
    }

    /// Spawns a task on the set. It runs when the set is polled.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let set = henge::task::LocalSet::new();
    /// let task = set.spawn_local(async { 7 });
    /// henge::task::yield_now().await;
    /// assert!(!task.is_finished(), "nobody polls the set");
    /// assert_eq!(set.run_until(task).await.unwrap(), 7);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_named(SpawnMeta::new().with(Details::LOCAL), future)
    }

    /// As [`spawn_local`](Self::spawn_local), for callers that know more of it.
    pub(super) fn spawn_named<F>(&self, meta: SpawnMeta<'_>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn_into(&self.home, meta, future)
    }

    /// Runs a future and the tasks of the set on a runtime, until the future is done.
    ///
    /// # Panics
    /// Where [`Runtime::block_on`] does.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let set = henge::task::LocalSet::new();
    /// let result = set.block_on(&runtime, async {
    ///     henge::task::spawn_local(async { 6 * 7 }).await
    /// });
    /// assert_eq!(result?, 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn block_on<F: Future>(&self, runtime: &Runtime, future: F) -> F::Output {
        runtime.block_on(self.run_until(future))
    }

    /// Runs the tasks of the set until `future`, which sees it as the current one, is done.
    ///
    /// # Cancel safety
    /// That of `future`; the tasks stay in the set.
    ///
    /// # Examples
    /// ```
    /// use henge::task::{LocalSet, spawn_local};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let set = LocalSet::new();
    /// let task = set.run_until(async { spawn_local(async { 7 }) }).await;
    /// assert!(!task.is_finished(), "the future was done before it had its turn");
    /// set.await;
    /// assert_eq!(task.await.unwrap(), 7);
    /// # }
    /// ```
    pub async fn run_until<F: Future>(&self, future: F) -> F::Output {
        RunUntil { set: self, future }.await
    }

    fn is_polled_by(&self, waker: &Waker) {
        let lock = || self.polled_by.lock().unwrap_or_else(PoisonError::into_inner);
        let same = lock().as_ref().is_some_and(|old| old.will_wake(waker));
        if !same {
            // Cloning and dropping are the waker's own code: not under the lock.
            let waker = waker.clone();
            let old = lock().replace(waker);
            drop(old);
        }
    }

    /// Polls the tasks that can run, not too many. True if there are more.
    fn tick(&self) -> bool {
        self.home.take_inbox();
        let batch = self.home.polls();
        _ = (0..POLLS).all(|_| batch.poll_next());
        drop(batch);
        self.home.end_turn();
        self.home.has_work()
    }

    fn inside<R>(&self, f: impl FnOnce() -> R) -> R {
        let _current = self.enter();
        let _entered = self.home.enter();
        f()
    }
}

impl Default for LocalSet {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        // What is dropped may spawn into the set, and is refused.
        let _current = self.enter();
        self.home.close();
    }
}

/// Done when all tasks of the set are.
impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.is_polled_by(cx.waker());
        if self.inside(|| self.tick()) {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else if self.home.alive() == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").finish_non_exhaustive()
    }
}

pin_project! {
    struct RunUntil<'a, F> {
        set: &'a LocalSet,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for RunUntil<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.set.is_polled_by(cx.waker());
        this.set.inside(|| {
            if let Poll::Ready(output) = this.future.poll(cx) {
                return Poll::Ready(output);
            }
            if this.set.tick() {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
    }
}
