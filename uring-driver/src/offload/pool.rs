//! The pool: the queue and the crew behind one lock, and the threads' loop.

use std::cell;
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::Config;
use super::crew::{Crew, Wanted};
use super::job::{AbortJob, Cell, Job, JobError, Run, lock};
use super::queue::{Class, Queue, Ticket};
use super::sync::{self, Condvar, Mutex, MutexGuard, ThreadId};
use crate::contain::contain;
use crate::sys;

/// Threads for what would block: a closure goes in, its value comes out.
///
/// Dropping it drops the jobs that have not started, except for [promised](Class::Promised) ones,
/// and waits for nobody; [`shutdown`](Self::shutdown) waits.
///
/// # Examples
///
/// ```
/// use henge_driver::offload::{Class, Pool};
///
/// let pool = Pool::default();
/// let job = pool.spawn(Class::User, || 1 + 1);
/// assert_eq!(pool.shutdown(None), 0);
/// assert!(job.is_finished());
/// ```
pub struct Pool {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    config: Config,
    state: Mutex<State>,
    /// Rung by each thread that ends or waits for the others' end, and with the last promised job.
    ended: Condvar,
    start: Start,
}

/// How a thread is started: the system's way, or a test's.
pub(super) type Start = fn(&Arc<Shared>) -> io::Result<()>;

struct State {
    queue: Queue<Queued>,
    crew: Crew<Arc<Condvar>>,
    /// Promised jobs that have not ended.
    promised: usize,
    /// The threads of the crew, and those that have left it and run their last hook.
    alive: usize,
    members: HashSet<ThreadId>,
    /// How many of them wait in `shutdown`.
    asking: usize,
    /// Takes no more jobs; threads end as soon as the queue is empty.
    closed: bool,
    waits: u64,
    waited: Duration,
}

/// A job, and since when it has waited if the crew was complete and all of it busy. What a job
/// waits for a thread to start or to wake up is not worth two looks at the clock.
struct Queued {
    job: Arc<dyn Run>,
    since: Option<Instant>,
    promised: bool,
}

/// What a pool is doing.
///
/// # Examples
///
/// ```
/// use henge_driver::offload::{Class, Config, Metrics, Pool};
/// use std::sync::mpsc;
///
/// let pool = Pool::new(Config { max_threads: 1, ..Config::default() });
/// let (go, gone) = mpsc::channel();
/// let _first = pool.spawn(Class::User, move || gone.recv());
/// let _second = pool.spawn(Class::User, || ());
/// let Metrics { threads, queued, .. } = pool.metrics();
/// assert_eq!(threads, 1);
/// assert!(queued >= 1, "one waits for the other");
/// go.send(()).expect("it listens");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Threads, idle ones included.
    pub threads: usize,
    /// Threads that sleep until there is something to do.
    pub idle: usize,
    /// Jobs that no thread has begun.
    pub queued: usize,
    /// How many jobs have begun after they had waited because no other thread was allowed.
    pub waits: u64,
    /// For how long those have waited, in all.
    pub waited: Duration,
}

/// The end of a closure's work on its thread.
pub struct Telling<'a> {
    shared: &'a Shared,
    begun: cell::Cell<bool>,
}

impl Telling<'_> {
    /// The work is done, and all that the thread still does before it looks for more is to tell
    /// who waits: who has the next closure in the queue before that returns need not wake, or
    /// start, another thread for it.
    ///
    /// That closure waits for this one, so what follows must neither block nor take long.
    pub fn begin(&self) {
        if !self.begun.replace(true) {
            lock(&self.shared.state).crew.finishing();
        }
    }
}

impl fmt::Debug for Telling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling").field("begun", &self.begun.get()).finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool without any thread yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::offload::{Class, Config, Pool};
    /// use std::sync::Arc;
    ///
    /// let thread_name = Arc::new(|| "thumbnails".to_owned());
    /// let pool = Pool::new(Config { thread_name, ..Config::default() });
    /// let (say, said) = std::sync::mpsc::channel();
    /// let name = move || say.send(std::thread::current().name().map(str::to_owned));
    /// drop(pool.spawn(Class::User, name));
    /// assert_eq!(said.recv(), Ok(Some("thumbnails".to_owned())));
    /// ```
    pub fn new(config: Config) -> Pool {
        Pool::with_start(config, start_thread)
    }

    pub(super) fn with_start(config: Config, start: Start) -> Pool {
        let state = State {
            queue: Queue::new(),
            crew: Crew::new(config.max_threads.max(1)),
            promised: 0,
            alive: 0,
            members: HashSet::new(),
            asking: 0,
            closed: false,
            waits: 0,
            waited: Duration::ZERO,
        };
        let (state, ended) = (Mutex::new(state), Condvar::new());
        Pool { shared: Arc::new(Shared { config, state, ended, start }) }
    }

    /// Runs `call` on a thread of the pool.
    ///
    /// It starts without being awaited. Where neither a thread is idle nor another one allowed it
    /// waits for its turn: [`Class::Promised`] before [`Class::System`] before [`Class::User`],
    /// each in the order of arrival. A job that the pool cannot take, because it is shut down or
    /// has no thread and gets none, is finished at once with the reason.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::Driver;
    /// use henge_driver::offload::{Class, Pool};
    ///
    /// let pool = Pool::default();
    /// let squares = [1, 2, 3].map(|n| pool.spawn(Class::User, move || n * n)); // at the same time
    /// let driver = Driver::new()?;
    /// let mut sum = 0;
    /// for square in squares {
    ///     sum += driver.block_on(square)?.expect("no panic");
    /// }
    /// assert_eq!(sum, 14);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn spawn<F, T>(&self, class: Class, call: F) -> Job<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_telling(class, move |_| call())
    }

    /// As [`spawn`](Self::spawn), for a closure that itself wakes whoever waits for what it did:
    /// right before it does so it calls [`Telling::begin`].
    #[doc(hidden)]
    pub fn spawn_telling<F, T>(&self, class: Class, call: F) -> Job<T>
    where
        F: FnOnce(&Telling<'_>) -> T + Send + 'static,
        T: Send + 'static,
    {
        let cell = Arc::new(Cell::new(call));
        let job: Arc<Cell<F, T>> = Arc::clone(&cell);
        let ticket = Shared::submit(&self.shared, class, job);
        Job::new(cell, AbortJob::new(Arc::clone(&self.shared), ticket))
    }

    /// Threads and jobs at this moment.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::offload::{Class, Pool};
    ///
    /// let pool = Pool::default();
    /// assert_eq!(pool.metrics().threads, 0); // none before there is something to do
    /// let _job = pool.spawn(Class::User, || ());
    /// assert_eq!(pool.metrics().threads, 1);
    /// ```
    pub fn metrics(&self) -> Metrics {
        let state = lock(&self.shared.state);
        Metrics {
            threads: state.crew.threads(),
            idle: state.crew.asleep(),
            queued: state.queue.len(),
            waits: state.waits,
            waited: state.waited,
        }
    }

    /// Drops the jobs that have not started and were not [promised](Class::Promised), and waits for
    /// the rest, at most for `timeout` if there is one. Returns how many threads still run then.
    ///
    /// A thread of the pool itself may ask too, in a job or in a hook. It waits neither for its own
    /// end nor for those that ask, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_driver::offload::{Class, Pool};
    /// use std::{sync::mpsc, time::Duration};
    ///
    /// let pool = Pool::default();
    /// let (say, said) = mpsc::channel();
    /// let (go, gone) = mpsc::channel();
    /// let _job = pool.spawn(Class::User, move || (say.send("running"), gone.recv()));
    /// assert_eq!(said.recv(), Ok("running"));
    /// assert_eq!(pool.shutdown(Some(Duration::from_millis(1))), 1, "it goes on");
    /// go.send(()).expect("it listens");
    /// assert_eq!(pool.shutdown(None), 0);
    /// ```
    pub fn shutdown(&self, timeout: Option<Duration>) -> usize {
        self.close();
        let deadline = timeout.and_then(|timeout| sys::clock::now().checked_add(timeout));
        let mut state = lock(&self.shared.state);
        let own = state.members.contains(&sync::current().id());
        if own {
            state.asking += 1;
            // Who asked before waits for this thread no longer.
            self.shared.ended.notify_all();
        }
        while state.alive > if own { state.asking } else { 0 } {
            let Some(deadline) = deadline else {
                state = wait(&self.shared.ended, state);
                continue;
            };
            let left = deadline.saturating_duration_since(sys::clock::now());
            if left.is_zero() {
                break;
            }
            (state, _) = wait_for(&self.shared.state, &self.shared.ended, state, left);
        }
        state.asking -= usize::from(own);
        state.alive
    }

    /// Waits until all promised jobs have ended, or until `deadline`.
    pub(crate) fn keep_promises(&self, deadline: Instant) {
        let mut state = lock(&self.shared.state);
        while state.promised > 0 {
            let left = deadline.saturating_duration_since(sys::clock::now());
            if left.is_zero() {
                break;
            }
            (state, _) = wait_for(&self.shared.state, &self.shared.ended, state, left);
        }
    }

    /// Takes no more jobs, and drops those that have not started and were not promised; waits for
    /// nobody.
    fn close(&self) {
        let mut state = lock(&self.shared.state);
        state.closed = true;
        let queued: Vec<_> = std::iter::from_fn(|| state.queue.pop_unpromised()).collect();
        let bells = state.crew.wake_all();
        drop(state);
        for bell in bells {
            bell.notify_one();
        }
        for Queued { job, .. } in queued {
            job.refuse(JobError::Cancelled);
        }
    }
}

impl Default for Pool {
    fn default() -> Pool {
        Pool::new(Config::default())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("metrics", &self.metrics()).finish_non_exhaustive()
    }
}

impl State {
    /// A job has ended, or never will run; whether it was the last that was promised.
    fn gone(&mut self, promised: bool) -> bool {
        self.promised -= usize::from(promised);
        promised && self.promised == 0
    }
}

impl Shared {
    /// Queues a job and sees to it that somebody comes for it; `None` if it was refused.
    fn submit(this: &Arc<Shared>, class: Class, job: Arc<dyn Run>) -> Option<Ticket> {
        let mut state = lock(&this.state);
        if state.closed {
            drop(state);
            job.refuse(JobError::Cancelled);
            return None;
        }
        let queued = state.queue.len() + 1;
        let wanted = state.crew.wanted(queued);
        let since = matches!(wanted, Wanted::Full).then(sys::clock::now);
        let promised = class == Class::Promised;
        state.promised += usize::from(promised);
        let ticket = state.queue.push(class, Queued { job, since, promised });
        state.alive += usize::from(matches!(wanted, Wanted::Start));
        drop(state);
        match wanted {
            Wanted::Nothing | Wanted::Full => {}
            // After the lock is given back, or the thread would wake only to wait for it.
            Wanted::Wake(bell) => bell.notify_one(),
            Wanted::Start => this.start_one(),
        }
        Some(ticket)
    }

    /// Starts the thread that is counted already.
    fn start_one(self: &Arc<Shared>) {
        /// The name of a thread is told by code of the user's, which may panic.
        struct Starting<'a>(&'a Shared);
        impl Drop for Starting<'_> {
            fn drop(&mut self) {
                self.0.start_failed(&io::Error::other("the thread's name could not be made"));
            }
        }
        let starting = Starting(self);
        let started = (self.start)(self);
        std::mem::forget(starting);
        if let Err(error) = started {
            self.start_failed(&error);
        }
    }

    /// The jobs stay for the threads that there are; where there are none they are refused, all
    /// of them, for each may have trusted another's start.
    fn start_failed(&self, error: &io::Error) {
        let mut state = lock(&self.state);
        let queued = state.queue.len();
        let bell = state.crew.failed(queued);
        state.alive -= 1;
        let mut refused = Vec::new();
        if state.crew.threads() == 0 {
            refused.extend(std::iter::from_fn(|| state.queue.pop()));
        }
        state.promised -= refused.iter().filter(|queued| queued.promised).count();
        drop(state);
        if let Some(bell) = bell {
            bell.notify_one();
        }
        for Queued { job, .. } in refused {
            let error = match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(error.kind(), error.to_string()),
            };
            job.refuse(JobError::NoThread(error));
        }
        self.ended.notify_all();
    }

    pub(super) fn remove(&self, ticket: Ticket) -> Option<Arc<dyn Run>> {
        let mut state = lock(&self.state);
        let queued = state.queue.remove(ticket)?;
        let last = state.gone(queued.promised);
        drop(state);
        if last {
            self.ended.notify_all();
        }
        Some(queued.job)
    }

    /// The life of one thread of the pool.
    pub(super) fn work(&self) {
        let me = sync::current().id();
        lock(&self.state).members.insert(me);
        run_hook(self.config.on_start.as_deref());
        let bell = Arc::new(Condvar::new());
        let mut state = lock(&self.state);
        state.crew.arrive();
        loop {
            if let Some(Queued { job, since, promised }) = state.queue.pop() {
                if let Some(since) = since {
                    state.waits += 1;
                    state.waited += sys::clock::now().saturating_duration_since(since);
                }
                drop(state);
                let telling = Telling { shared: self, begun: cell::Cell::new(false) };
                // Panics of the closure and of its result's destructor are caught inside.
                job.run(&telling);
                state = lock(&self.state);
                if state.gone(promised) {
                    self.ended.notify_all();
                }
                if telling.begun.get() {
                    state.crew.arrive();
                }
            } else if state.closed {
                break;
            } else {
                let arrived;
                (state, arrived) = self.sleep(state, &bell);
                if !arrived {
                    break;
                }
            }
        }
        // In one breath with the decision: who submits from now on must not count on this thread.
        state.crew.leave();
        drop(state);
        run_hook(self.config.on_stop.as_deref());
        let mut state = lock(&self.state);
        state.members.remove(&me);
        state.alive -= 1;
        drop(state);
        self.ended.notify_all();
    }

    /// Sleeps until woken (true) or until the keep-alive has passed (false: leave).
    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        bell: &Arc<Condvar>,
    ) -> (MutexGuard<'a, State>, bool) {
        let sleeper = state.crew.sleep(Arc::clone(bell));
        loop {
            let timed_out;
            (state, timed_out) = wait_for(&self.state, bell, state, self.config.keep_alive);
            // `get_up` decides a tie: who was woken at the last moment has a job to look for.
            if timed_out && state.crew.get_up(sleeper) {
                return (state, false);
            }
            if !state.crew.sleeps(sleeper) {
                state.crew.arrive();
                return (state, true);
            }
        }
    }
}

fn run_hook(hook: Option<&(dyn Fn() + Send + Sync)>) {
    if let Some(hook) = hook {
        contain(hook);
    }
}

fn wait<'a, T>(bell: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    bell.wait(guard).unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(not(henge_loom))]
fn wait_for<'a, T>(
    _mutex: &'a Mutex<T>,
    bell: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Duration,
) -> (MutexGuard<'a, T>, bool) {
    let (guard, result) =
        bell.wait_timeout(guard, time).unwrap_or_else(|poisoned| poisoned.into_inner());
    (guard, result.timed_out())
}

/// A model has no clock: a time of zero has passed as soon as the lock was free, any other never
/// passes.
#[cfg(henge_loom)]
fn wait_for<'a, T>(
    mutex: &'a Mutex<T>,
    bell: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Duration,
) -> (MutexGuard<'a, T>, bool) {
    if time.is_zero() {
        drop(guard);
        sync::yield_now();
        return (lock(mutex), true);
    }
    (wait(bell, guard), false)
}

fn start_thread(shared: &Arc<Shared>) -> io::Result<()> {
    let config = &shared.config;
    let shared = Arc::clone(shared);
    let thread = sys::thread::spawn((config.thread_name)(), config.stack_size, move || {
        // A thread that was started on a pinned shard would share that shard's one CPU.
        // Where that is forbidden it does, and works all the same.
        drop(sys::cpu::unpin());
        shared.work();
    })?;
    // It is never joined: `ended` tells when it is about to end.
    drop(thread);
    Ok(())
}
