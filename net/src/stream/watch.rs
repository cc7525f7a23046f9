//! Waiting for a socket in a task that may be polled by another thread the next time.
//!
//! Such a task leaves nothing with a driver that only that driver could bring: it transfers by
//! calls that cannot wait, and where one would have to it arms a one-shot poll at the driver of
//! whoever polls. The poll takes nothing from the socket, so it does no harm wherever it stays
//! behind, and what it says is only that it is time to try again.
//!
//! ```text
//!            arm                    told                 look: try again
//!   (none) ───────▶ armed here ────────────▶ fired ─────────────────────▶ (none)
//!                      │  looked at elsewhere: try; nothing there: armed anew, there
//!                      ▼
//!                  superseded: cancelled, and what it tells, however late, is ignored (epoch)
//! ```
//!
//! The place of a side is shared by nobody while it is visited; what a poll tells comes to the
//! thread of its driver at any time. So what both touch, the epoch and the waker, has a lock of its
//! own ([`Told`]). A poll holds the file: [`Socket::hang_up`] sees to it that the peer need not
//! wait for it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use henge_driver::ops::{PollOnce, PollSink};
use henge_driver::{Driver, DriverId, Fd, Link, Posted, Remote, Ticket, current};

use super::socket::Socket;

/// What a poll waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    Bytes,
    Room,
}

/// The watch of one side of a stream.
#[derive(Debug)]
pub(crate) struct Watch {
    told: Arc<Told>,
    armed: Option<Armed>,
    /// Of the driver that was armed last.
    remote: Option<Remote>,
}

#[derive(Debug)]
struct Armed {
    driver: DriverId,
    epoch: u64,
    ticket: Ticket,
}

/// What a look at a watch says about a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing is known.
    Unknown,
    /// It would not find anything: a poll of this driver waits.
    Waits,
    /// It is worth a try: a poll has ended, or is at a driver that may be busy.
    Try,
}

/// What polls tell, and whom.
#[derive(Debug)]
pub(crate) struct Told {
    socket: Arc<Socket>,
    wait: For,
    /// The last poll that has ended and was listened to. Written under the lock.
    fired: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Counts the polls: only the last one is listened to.
    epoch: u64,
    waker: Option<Waker>,
}

impl Told {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing of a user's runs under the lock.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn has_fired(&self, epoch: u64) -> bool {
        // Acquire: pairs with the end of the poll, so that a transfer finds what it told of.
        self.fired.load(Ordering::Acquire) == epoch
    }

    /// Has a task woken when the poll ends that was armed last. Outside of visits: cloning and
    /// dropping are the waker's own code.
    pub(crate) fn wake_later(&self, waker: &Waker) {
        let fresh = waker.clone();
        let mut state = self.state();
        let fired = self.has_fired(state.epoch);
        let old = state.waker.replace(fresh);
        drop(state);
        drop(old);
        if fired {
            // At another thread, where somebody else waits by the same watch.
            waker.wake_by_ref();
        }
    }
}

impl Watch {
    pub(crate) fn new(socket: &Arc<Socket>, wait: For) -> Box<Watch> {
        let (state, fired) = (Mutex::new(State { epoch: 0, waker: None }), AtomicU64::new(0));
        let told = Arc::new(Told { socket: Arc::clone(socket), wait, fired, state });
        Box::new(Watch { told, armed: None, remote: None })
    }

    /// Where a task that waits leaves its waker.
    pub(crate) fn told(&self) -> Arc<Told> {
        Arc::clone(&self.told)
    }

    /// Whether a transfer is worth a try for a visitor at driver `here`.
    pub(crate) fn look(&mut self, here: DriverId) -> Look {
        let Some(armed) = &self.armed else { return Look::Unknown };
        if self.told.has_fired(armed.epoch) {
            self.armed = None;
            return Look::Try;
        }
        if armed.driver == here { Look::Waits } else { Look::Try }
    }

    /// A transfer at `driver` has found that it would have to wait.
    pub(crate) fn arm(&mut self, driver: &Driver) {
        if self.armed.as_ref().is_some_and(|armed| armed.driver == driver.id()) {
            return;
        }
        self.cancel();
        let epoch = {
            let mut state = self.told.state();
            state.epoch += 1;
            state.epoch
        };
        self.told.socket.polled();
        let sink = Sink { told: Arc::clone(&self.told), epoch };
        let ticket = match self.told.wait {
            For::Bytes => driver.submit_detached(PollOnce::readable(sink)),
            For::Room => driver.submit_detached(PollOnce::writable(sink)),
        };
        if self.remote.as_ref().is_none_or(|remote| remote.id() != driver.id()) {
            self.remote = Some(driver.remote().clone());
        }
        self.armed = Some(Armed { driver: driver.id(), epoch, ticket });
    }

    fn cancel(&mut self) {
        let Some(Armed { driver, epoch, ticket }) = self.armed.take() else { return };
        if self.told.has_fired(epoch) {
            return;
        }
        if current::is(driver) {
            let _here = current::with(|driver| driver.cancel(ticket));
        } else if let Some(remote) = &self.remote {
            // A driver that is gone has ended its polls.
            let _gone = remote.post(Arc::new(Stop { link: Link::new(), ticket }));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.cancel();
        let mut state = self.told.state();
        state.epoch += 1;
        let waker = state.waker.take();
        drop(state);
        drop(waker);
    }
}

/// Asks a driver, from another thread, to end a poll.
struct Stop {
    link: Link,
    ticket: Ticket,
}

impl Posted for Stop {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, driver: &Driver) {
        driver.cancel(self.ticket);
    }
}

/// Where one poll tells that it has ended.
struct Sink {
    told: Arc<Told>,
    epoch: u64,
}

impl PollSink for Sink {
    fn socket(&self) -> &Fd {
        self.told.socket.fd()
    }

    fn ready(&mut self, _result: io::Result<()>) {
        // Whatever came of it, a transfer learns more from the socket.
        let told = &*self.told;
        told.socket.poll_ended();
        let mut state = told.state();
        if state.epoch != self.epoch {
            return;
        }
        // Release: see `has_fired`.
        told.fired.store(self.epoch, Ordering::Release);
        let waker = state.waker.take();
        drop(state);
        match told.wait {
            For::Bytes => told.socket.readers.wake_all(),
            For::Room => told.socket.writers.wake_all(),
        }
        // Last: if it panics nobody else is left out.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
