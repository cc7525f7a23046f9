//! One job: the closure, its result, and the future that waits for it.
//!
//! A job has two owners: the queue or the thread, which runs it, and the [`Job`] that its caller
//! holds. They share one allocation:
//!
//! ```text
//!             run                         poll
//! Waiting ───────────► Finished(result) ─────────► Gone
//!    │  cancel, refuse ──► Finished(error) ──┐
//!    │                                       ▼
//!    └── Job dropped ──► Gone ◄───────── Job dropped, and the result with it
//! ```
//!
//! Where the result comes when the state is `Gone` already, the thread that ran the closure drops
//! it. Closures, results, panic payloads and wakers are users' values: none of their code runs
//! under a lock of the pool or of the job.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::pool::{Shared, Telling};
use super::queue::Ticket;
use super::sync::{Mutex, MutexGuard};
use crate::contain::contain;

/// Why a job has no result.
///
/// ```
/// use henge_driver::Driver;
/// use henge_driver::offload::{Class, JobError, Pool};
///
/// let pool = Pool::default();
/// let job = pool.spawn(Class::User, || -> u32 { panic!("no such luck") });
/// match Driver::new()?.block_on(job)? {
///     Err(JobError::Panicked(with)) => {
///         assert_eq!(with.downcast_ref(), Some(&"no such luck"));
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[non_exhaustive]
pub enum JobError {
    /// The closure panicked; this is what it panicked with.
    Panicked(Box<dyn Any + Send>),
    /// It was aborted before it started, or the pool was shut down before it started.
    Cancelled,
    /// The pool has no thread, and the system refused to start one.
    NoThread(io::Error),
}

impl JobError {
    /// Whether the closure panicked.
    ///
    /// ```
    /// use henge_driver::Driver;
    /// use henge_driver::offload::{Class, Pool};
    ///
    /// let pool = Pool::default();
    /// let job = pool.spawn(Class::User, || -> u32 { panic!("no such luck") });
    /// let error = Driver::new()?.block_on(job)?.unwrap_err();
    /// assert!(error.is_panic() && !error.is_cancelled());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_panic(&self) -> bool {
        matches!(self, JobError::Panicked(_))
    }

    /// Whether the closure was never started.
    ///
    /// ```
    /// use henge_driver::Driver;
    /// use henge_driver::offload::{Class, Pool};
    ///
    /// let pool = Pool::default();
    /// pool.shutdown(None);
    /// let late = pool.spawn(Class::User, || "never");
    /// assert!(Driver::new()?.block_on(late)?.unwrap_err().is_cancelled());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_cancelled(&self) -> bool {
        matches!(self, JobError::Cancelled)
    }
}

impl fmt::Debug for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobError::Panicked(_) => f.write_str("Panicked(..)"),
            JobError::Cancelled => f.write_str("Cancelled"),
            JobError::NoThread(error) => f.debug_tuple("NoThread").field(error).finish(),
        }
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobError::Panicked(payload) => {
                let text = payload.downcast_ref::<&str>().copied();
                let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
                match text {
                    Some(text) => write!(f, "a closure on the blocking pool panicked: {text}"),
                    None => f.write_str("a closure on the blocking pool panicked"),
                }
            }
            JobError::Cancelled => f.write_str("the closure was cancelled before it started"),
            JobError::NoThread(error) => write!(f, "no thread for the blocking pool: {error}"),
        }
    }
}

impl std::error::Error for JobError {}

impl From<JobError> for io::Error {
    fn from(error: JobError) -> io::Error {
        match error {
            JobError::NoThread(error) => error,
            // The payload need not be `Sync`, as an `io::Error` must; its text goes along.
            other => io::Error::other(other.to_string()),
        }
    }
}

enum Outcome<T> {
    Waiting(Option<Waker>),
    Finished(Result<T, JobError>),
    Gone,
}

pub(super) struct Cell<F, T> {
    call: Mutex<Option<F>>,
    outcome: Mutex<Outcome<T>>,
}

/// A panic in one job is no reason to believe less of the pool: no user code runs under a lock.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A job as the queue and the threads see it.
pub(super) trait Run: Send + Sync {
    /// Runs the closure, and wakes whoever waits for its result.
    fn run(self: Arc<Self>, telling: &Telling<'_>);

    /// Drops the closure without running it.
    fn refuse(&self, why: JobError);
}

/// A job as its future sees it.
trait Answer<T>: Send + Sync {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<T, JobError>>;
    fn is_finished(&self) -> bool;
    /// Drops the result, now or when it comes. The reason, if there is none.
    fn give_up(&self) -> Option<JobError>;
}

impl<F, T> Cell<F, T> {
    pub(super) fn new(call: F) -> Cell<F, T> {
        Cell { call: Mutex::new(Some(call)), outcome: Mutex::new(Outcome::Waiting(None)) }
    }

    fn finish(&self, result: Result<T, JobError>) -> Option<Waker> {
        let mut outcome = lock(&self.outcome);
        match &mut *outcome {
            Outcome::Waiting(waker) => {
                let waker = waker.take();
                *outcome = Outcome::Finished(result);
                waker
            }
            Outcome::Finished(_) | Outcome::Gone => {
                drop(outcome);
                contain(|| drop(result));
                None
            }
        }
    }
}

impl<F, T> Run for Cell<F, T>
where
    F: FnOnce(&Telling<'_>) -> T + Send,
    T: Send,
{
    fn run(self: Arc<Self>, telling: &Telling<'_>) {
        let Some(call) = lock(&self.call).take() else { return };
        let result = catch_unwind(AssertUnwindSafe(|| call(telling)));
        let waker = self.finish(result.map_err(JobError::Panicked));
        drop(self);
        if let Some(waker) = waker {
            telling.begin();
            contain(|| waker.wake());
        }
    }

    fn refuse(&self, why: JobError) {
        let call = lock(&self.call).take();
        contain(|| drop(call));
        if let Some(waker) = self.finish(Err(why)) {
            contain(|| waker.wake());
        }
    }
}

impl<F, T> Answer<T> for Cell<F, T>
where
    F: Send,
    T: Send,
{
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<T, JobError>> {
        let mut outcome = lock(&self.outcome);
        let old = match &mut *outcome {
            Outcome::Waiting(Some(waker)) if waker.will_wake(cx.waker()) => return Poll::Pending,
            Outcome::Waiting(_) => {
                // Cloning and dropping a waker is code of whoever made it: not under the lock.
                drop(outcome);
                let waker = cx.waker().clone();
                outcome = lock(&self.outcome);
                match &mut *outcome {
                    Outcome::Waiting(slot) => slot.replace(waker),
                    _ => return self.take(outcome),
                }
            }
            _ => return self.take(outcome),
        };
        drop(outcome);
        drop(old);
        Poll::Pending
    }

    fn is_finished(&self) -> bool {
        !matches!(*lock(&self.outcome), Outcome::Waiting(_))
    }

    fn give_up(&self) -> Option<JobError> {
        let outcome = std::mem::replace(&mut *lock(&self.outcome), Outcome::Gone);
        match outcome {
            Outcome::Finished(result) => result.err(),
            Outcome::Waiting(_) | Outcome::Gone => None,
        }
    }
}

impl<F, T> Cell<F, T> {
    fn take(&self, mut outcome: MutexGuard<'_, Outcome<T>>) -> Poll<Result<T, JobError>> {
        match std::mem::replace(&mut *outcome, Outcome::Gone) {
            Outcome::Finished(result) => Poll::Ready(result),
            _ => panic!("a job polled after it was ready"),
        }
    }
}

/// A closure on the pool: the future of its result.
///
/// Dropping it detaches: the closure runs all the same, and its result is dropped by the thread
/// that ran it. [`abort`](Self::abort) keeps a closure that has not started from running.
///
/// ```
/// use henge_driver::Driver;
/// use henge_driver::offload::{Class, Job, Pool};
///
/// let pool = Pool::default();
/// let hosts: Job<std::io::Result<String>> =
///     pool.spawn(Class::System, || std::fs::read_to_string("/proc/self/comm"));
/// let name = Driver::new()?.block_on(hosts)?.expect("no panic")?;
/// assert!(name.ends_with('\n'));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Job<T> {
    answer: Arc<dyn Answer<T>>,
    abort: AbortJob,
}

impl<T: Send + 'static> Job<T> {
    pub(super) fn new<F>(cell: Arc<Cell<F, T>>, abort: AbortJob) -> Job<T>
    where
        F: Send + 'static,
    {
        Job { answer: cell, abort }
    }
}

impl<T> Job<T> {
    /// Keeps the closure from running, if it has not started; the future then gives
    /// [`JobError::Cancelled`]. A closure that runs, runs to its end.
    ///
    /// Returns whether it was kept from running by this call.
    ///
    /// ```
    /// use henge_driver::offload::{Class, Config, Pool};
    /// use std::sync::mpsc;
    ///
    /// let pool = Pool::new(Config { max_threads: 1, ..Config::default() });
    /// let (go, gone) = mpsc::channel();
    /// let first = pool.spawn(Class::User, move || gone.recv());
    /// let second = pool.spawn(Class::User, || unreachable!("it was aborted"));
    /// assert!(second.abort()); // the only thread has the first
    /// go.send(()).expect("it listens");
    /// # drop::<[henge_driver::offload::Job<()>; 1]>([second]);
    /// # drop(first);
    /// ```
    pub fn abort(&self) -> bool {
        self.abort.abort()
    }

    /// What can abort the job while the job itself is awaited elsewhere.
    ///
    /// ```
    /// use henge_driver::offload::{Class, Pool};
    ///
    /// let pool = Pool::default();
    /// let job = pool.spawn(Class::User, || 1 + 1);
    /// let handle = job.abort_handle(); // for a time-out, say
    /// drop(job);
    /// pool.shutdown(None);
    /// assert!(!handle.abort(), "it has run, or been dropped");
    /// ```
    pub fn abort_handle(&self) -> AbortJob {
        self.abort.clone()
    }

    /// Whether the result is there, or never will be.
    ///
    /// ```
    /// use henge_driver::offload::{Class, Config, Pool};
    /// use std::sync::mpsc;
    ///
    /// let pool = Pool::new(Config::default());
    /// let (go, gone) = mpsc::channel();
    /// let job = pool.spawn(Class::User, move || gone.recv());
    /// assert!(!job.is_finished());
    /// go.send(()).expect("it listens");
    /// while !job.is_finished() {
    ///     std::thread::yield_now();
    /// }
    /// ```
    pub fn is_finished(&self) -> bool {
        self.answer.is_finished()
    }

    /// Lets the closure run by itself. Why it never will, if that is certain already.
    ///
    /// ```
    /// use henge_driver::offload::{Class, Pool};
    /// use std::sync::mpsc;
    ///
    /// let pool = Pool::default();
    /// let (say, said) = mpsc::channel();
    /// let job = pool.spawn(Class::User, move || say.send("done"));
    /// assert!(job.detach().is_none()); // nobody waits for it, and it runs
    /// assert_eq!(said.recv(), Ok("done"));
    /// ```
    pub fn detach(self) -> Option<JobError> {
        self.answer.give_up()
    }
}

impl<T> Future for Job<T> {
    type Output = Result<T, JobError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.answer.poll(cx)
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        drop(self.answer.give_up());
    }
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("finished", &self.is_finished()).finish()
    }
}

/// Aborts a [`Job`] that has not started, from anywhere and at any time.
///
/// ```
/// use henge_driver::Driver;
/// use henge_driver::offload::{AbortJob, Class, Config, Pool};
/// use std::sync::mpsc;
///
/// let pool = Pool::new(Config { max_threads: 1, ..Config::default() });
/// let (go, gone) = mpsc::channel();
/// let first = pool.spawn(Class::User, move || gone.recv());
/// let second = pool.spawn(Class::User, || "never");
/// let impatient: AbortJob = second.abort_handle();
/// impatient.abort();
/// assert!(Driver::new()?.block_on(second)?.unwrap_err().is_cancelled());
/// # go.send(()).expect("it listens");
/// # drop(first);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct AbortJob {
    shared: Arc<Shared>,
    /// `None` for a job that was refused and never queued.
    ticket: Option<Ticket>,
}

impl AbortJob {
    pub(super) fn new(shared: Arc<Shared>, ticket: Option<Ticket>) -> AbortJob {
        AbortJob { shared, ticket }
    }

    /// As [`Job::abort`].
    ///
    /// ```
    /// use henge_driver::offload::{Class, Pool};
    /// use std::sync::mpsc;
    ///
    /// let pool = Pool::default();
    /// let (say, said) = mpsc::channel();
    /// let job = pool.spawn(Class::User, move || say.send("running"));
    /// assert_eq!(said.recv(), Ok("running"));
    /// assert!(!job.abort_handle().abort(), "what runs, runs to its end");
    /// ```
    pub fn abort(&self) -> bool {
        match self.ticket.and_then(|ticket| self.shared.remove(ticket)) {
            Some(job) => {
                job.refuse(JobError::Cancelled);
                true
            }
            None => false,
        }
    }
}

impl fmt::Debug for AbortJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortJob").finish_non_exhaustive()
    }
}
