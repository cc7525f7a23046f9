//! The accept queue of a listener: shared by all drivers that accept from it.
//!
//! # Who owns a connection
//!
//! From the completion on the queue has it, and keeps it until an `accept` takes it; a future that
//! waits only stands in line (I3). Each driver that has somebody in line arms a multishot accept
//! of its own into the queue, and cancels it when the last one of its own has left, so a listener
//! that nobody asks accepts nothing more: the kernel's backlog is the bound (I6).
//!
//! ```text
//!            first in line                 last has left: cancel
//!   (none) ───────────────▶ Arm, accepting ────────────────────▶ Arm, stopping
//!      ▲                        │  out of descriptors                  │
//!      │                        ▼                                      │
//!      │                    Arm, resting (a close here, or 50 ms)      │
//!      └────────────────────────┴──────────────────────────────────────┘
//!                    ended; armed again if somebody is in line
//! ```
//!
//! A task that may be polled by another thread the next time takes connections by calls of its own,
//! and its driver only polls for them: a multishot accept that is left with a driver that is busy
//! would keep connections which others wait for.
//!
//! For the same reason an accept ends when its driver's thread leaves its loop; who stands in line
//! there stands in line again when it is polled.
//!
//! Everything is behind one mutex, taken once a connection. Nothing of a user's runs under it: not
//! even the clone of a waker, so whoever is woken leaves its waker to that, and brings another when
//! it is polled and finds nothing.

use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use henge_driver::ops::{AcceptMultishot, Acceptor, After, PollOnce, PollSink};
use henge_driver::sys::socket;
use henge_driver::{Driver, DriverId, Fd, Link, Posted, Remote, Ticket, current, wake_each};

/// For how long a driver that is out of descriptors does not try again, unless it closes one.
const REST: Duration = Duration::from_millis(50);

/// A listening socket and its queue.
#[derive(Debug)]
pub(crate) struct Queue {
    fd: Fd,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<io::Result<Fd>>,
    line: VecDeque<Waiter>,
    next_key: u64,
    arms: Vec<(DriverId, Arm)>,
    /// `O_NONBLOCK` has been set, for calls of our own.
    nonblocking: bool,
    /// The listener is gone.
    closed: bool,
}

#[derive(Debug)]
struct Waiter {
    key: u64,
    driver: DriverId,
    /// Whom to wake, if that has not been done since it was polled.
    waker: Option<Waker>,
}

/// What a driver does for the queue.
#[derive(Debug)]
struct Arm {
    remote: Remote,
    ticket: Ticket,
    stop: Arc<Stop>,
    doing: Doing,
}

#[derive(Debug, PartialEq, Eq)]
enum Doing {
    Accepting,
    /// Waiting for a connection without taking it.
    Polling,
    /// Cancelled; the last completion is to come.
    Stopping,
    /// Out of descriptors.
    Resting,
}

/// Asks a driver, from another thread, to stop accepting.
#[derive(Debug)]
struct Stop {
    link: Link,
    queue: Arc<Queue>,
}

impl Posted for Stop {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, driver: &Driver) {
        self.queue.stop_if_unwanted(driver);
    }
}

impl Queue {
    pub(crate) fn new(fd: Fd) -> Queue {
        Queue { fd, state: Mutex::default() }
    }

    pub(crate) fn fd(&self) -> &Fd {
        &self.fd
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing of a user's runs under the lock.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The next connection, or a place in line under `key`.
    pub(crate) fn poll_accept(
        self: &Arc<Self>,
        cx: &Context<'_>,
        key: &mut Option<u64>,
    ) -> Poll<io::Result<Fd>> {
        let polled = current::with(|driver| {
            let waker = cx.waker().clone();
            let mut state = self.state();
            if let Some(ready) = state.ready.pop_front() {
                let left = key.take().and_then(|key| state.leave(key));
                drop(state);
                drop((left, waker));
                return Poll::Ready(ready);
            }
            if current::is_moving() {
                match state.accept_now(&self.fd) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    accepted => {
                        let left = key.take().and_then(|key| state.leave(key));
                        drop(state);
                        drop((left, waker));
                        return Poll::Ready(accepted);
                    }
                }
            }
            let old = state.stand(key, driver.id(), waker);
            if !state.arms.iter().any(|(id, _)| *id == driver.id()) {
                self.arm(driver, &mut state);
            }
            drop(state);
            drop(old);
            Poll::Pending
        });
        polled.unwrap_or_else(|no_driver| Poll::Ready(Err(no_driver.into())))
    }

    /// Leaves the line. A connection that this one was woken for goes to the next.
    pub(crate) fn leave(&self, key: u64) {
        let mut state = self.state();
        let left = state.leave(key);
        let next = if state.ready.is_empty() { None } else { state.next_in_line() };
        drop(state);
        drop(left);
        if let Some(next) = next {
            next.wake();
        }
        self.stop_unwanted();
    }

    /// The listener is gone: nobody will ask any more. With `hang_up` the socket stops listening at
    /// once, and not only when the operations that hold it have ended.
    pub(crate) fn close(&self, hang_up: bool) {
        if hang_up {
            // It fails where the socket does not listen: there is nothing to end then.
            let _idle = socket::shutdown(&self.fd, Shutdown::Both);
        }
        let mut state = self.state();
        state.closed = true;
        let ready = std::mem::take(&mut state.ready);
        let line = std::mem::take(&mut state.line);
        drop(state);
        drop((ready, line));
        self.stop_unwanted();
    }

    /// Arms this driver's accept. Submitting runs nothing of a user's, nor any completion.
    fn arm(self: &Arc<Self>, driver: &Driver, state: &mut State) {
        let stop = Arc::new(Stop { link: Link::new(), queue: Arc::clone(self) });
        let to = Into { queue: Arc::clone(self), driver: driver.id() };
        let (ticket, doing) = if current::is_moving() {
            (driver.submit_detached(PollOnce::readable(to)), Doing::Polling)
        } else {
            let ticket = driver.submit_detached(AcceptMultishot::new(to));
            driver.cancel_at_leave(ticket);
            (ticket, Doing::Accepting)
        };
        let arm = Arm { remote: driver.remote().clone(), ticket, stop, doing };
        state.arms.push((driver.id(), arm));
    }

    /// Every driver that accepts with nobody in line is told to stop.
    fn stop_unwanted(&self) {
        let mut elsewhere = Vec::new();
        let mut state = self.state();
        let State { arms, line, .. } = &mut *state;
        for (id, arm) in arms {
            let wanted = line.iter().any(|waiter| waiter.driver == *id);
            if wanted || !arm.doing.can_stop() {
                continue;
            }
            if current::is(*id) {
                arm.doing = Doing::Stopping;
                let _here = current::with(|driver| driver.cancel(arm.ticket));
            } else {
                elsewhere.push((arm.remote.clone(), Arc::clone(&arm.stop)));
            }
        }
        drop(state);
        for (remote, stop) in elsewhere {
            // A driver that is gone has ended its accept.
            let _gone = remote.post(stop);
        }
    }

    fn stop_if_unwanted(&self, driver: &Driver) {
        let mut state = self.state();
        let wanted = state.line.iter().any(|waiter| waiter.driver == driver.id());
        if let Some(arm) = state.arm_of(driver.id())
            && !wanted
            && arm.doing.can_stop()
        {
            arm.doing = Doing::Stopping;
            driver.cancel(arm.ticket);
        }
    }

    /// A driver's accept has brought something.
    fn accepted(self: &Arc<Self>, connection: io::Result<Fd>, more: bool) {
        let mut rest = false;
        let mut state = self.state();
        let mut unwanted = None;
        let mut stranded = Vec::new();
        match connection {
            Ok(_) if state.closed => unwanted = Some(connection),
            Ok(_) => state.ready.push_back(connection),
            Err(error) if socket::is_cancelled(&error) => {}
            Err(error) => {
                rest = socket::is_out_of_descriptors(&error);
                // Told to those who wait; with nobody in line it would be stale when somebody asks.
                if !state.closed && !state.line.is_empty() {
                    state.ready.push_back(Err(error));
                }
            }
        }
        let next = if state.ready.is_empty() { None } else { state.next_in_line() };
        if !more {
            let _ended = current::with(|driver| {
                if rest && !state.closed && !goes(driver) {
                    self.rest(driver, &mut state);
                } else {
                    stranded = self.go_on(driver, &mut state);
                }
            });
        }
        drop(state);
        drop(unwanted);
        wake_each(next.into_iter().chain(stranded));
    }

    /// A driver's poll has ended: whoever waits there tries again.
    fn polled(&self, id: DriverId) {
        let mut state = self.state();
        state.arms.retain(|(of, _)| *of != id);
        let here = state.line.iter_mut().filter(|waiter| waiter.driver == id);
        let woken: Vec<Waker> = here.filter_map(|waiter| waiter.waker.take()).collect();
        drop(state);
        wake_each(woken);
    }

    /// This driver's accept has ended: arms it again, if somebody is in line and the driver stays.
    /// If not, those look for another when they are polled, and are to be woken.
    fn go_on(self: &Arc<Self>, driver: &Driver, state: &mut State) -> Vec<Waker> {
        state.arms.retain(|(of, _)| *of != driver.id());
        if goes(driver) {
            return state.strand(driver.id());
        }
        let wanted = state.line.iter().any(|waiter| waiter.driver == driver.id());
        if wanted && !state.closed {
            self.arm(driver, state);
        }
        Vec::new()
    }

    /// Tries again when a descriptor is closed: by this thread, which is known at once, or by
    /// another, which it finds out after a while.
    fn rest(self: &Arc<Self>, driver: &Driver, state: &mut State) {
        let (queue, id) = (Arc::clone(self), driver.id());
        let again = move || {
            let stranded = current::with(|driver| queue.go_on(driver, &mut queue.state()));
            wake_each(stranded.into_iter().flatten());
        };
        let pause = driver.submit_detached(After::new(REST, again));
        driver.cancel_at_close(pause);
        if let Some(arm) = state.arm_of(id) {
            arm.doing = Doing::Resting;
        }
    }
}

/// The driver ends, or its thread goes on to something else.
fn goes(driver: &Driver) -> bool {
    driver.is_shutting_down() || driver.is_leaving()
}

impl Doing {
    fn can_stop(&self) -> bool {
        matches!(self, Doing::Accepting | Doing::Polling)
    }
}

impl State {
    fn accept_now(&mut self, fd: &Fd) -> io::Result<Fd> {
        if !self.nonblocking {
            socket::set_nonblocking(fd, true)?;
            self.nonblocking = true;
        }
        socket::accept_now(fd).map(Fd::from)
    }

    fn stand(&mut self, key: &mut Option<u64>, driver: DriverId, waker: Waker) -> Option<Waker> {
        if let Some(key) = *key
            && let Some(waiter) = self.line.iter_mut().find(|waiter| waiter.key == key)
        {
            waiter.driver = driver;
            return waiter.waker.replace(waker);
        }
        let fresh = self.next_key;
        self.next_key += 1;
        *key = Some(fresh);
        self.line.push_back(Waiter { key: fresh, driver, waker: Some(waker) });
        None
    }

    fn leave(&mut self, key: u64) -> Option<Waiter> {
        let at = self.line.iter().position(|waiter| waiter.key == key)?;
        self.line.remove(at)
    }

    /// Who is to take what has come, if it has not been woken yet. It keeps its place until then.
    fn next_in_line(&mut self) -> Option<Waker> {
        // As many as there are connections have been woken before.
        let at = (self.ready.len() - 1).min(self.line.len().checked_sub(1)?);
        self.line.get_mut(at)?.waker.take()
    }

    /// Who waits there leaves the line: what came for them is for others. All are to be woken.
    fn strand(&mut self, id: DriverId) -> Vec<Waker> {
        let line = std::mem::take(&mut self.line);
        let (gone, stay): (VecDeque<_>, _) = line.into_iter().partition(|at| at.driver == id);
        self.line = stay;
        let called = self.line.iter_mut().take(self.ready.len());
        let called = called.filter_map(|waiter| waiter.waker.take());
        gone.into_iter().filter_map(|waiter| waiter.waker).chain(called).collect()
    }

    fn arm_of(&mut self, id: DriverId) -> Option<&mut Arm> {
        self.arms.iter_mut().find(|(of, _)| *of == id).map(|(_, arm)| arm)
    }
}

/// Where a driver's accept brings its connections.
struct Into {
    queue: Arc<Queue>,
    driver: DriverId,
}

impl Acceptor for Into {
    fn listener(&self) -> &Fd {
        &self.queue.fd
    }

    fn accepted(&mut self, connection: io::Result<Fd>, more: bool) {
        self.queue.accepted(connection, more);
    }
}

impl PollSink for Into {
    fn socket(&self) -> &Fd {
        &self.queue.fd
    }

    fn ready(&mut self, _result: io::Result<()>) {
        self.queue.polled(self.driver);
    }
}

/// A future's place in line, given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    queue: &'a Arc<Queue>,
    key: Option<u64>,
}

impl<'a> Place<'a> {
    pub(crate) fn new(queue: &'a Arc<Queue>) -> Place<'a> {
        Place { queue, key: None }
    }

    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<io::Result<Fd>> {
        self.queue.poll_accept(cx, &mut self.key)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.queue.leave(key);
        }
    }
}
