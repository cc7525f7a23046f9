//! The polls behind a source: one a driver, armed when somebody waits there, ended by the drop.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

use henge_driver::ops::{PollMultishot, Watcher};
use henge_driver::{Driver, DriverId, Link, Posted, current, wake_each};

use super::Source;
use super::state::{State, Watch};
use crate::readiness::interest::Interest;
use crate::readiness::ready::Ready;

/// A drop waits so many turns for the kernel to let go of the file.
const TURNS: usize = 4;

impl Source {
    /// Arms this driver's polls for `interest` now, so that what comes is known before anybody
    /// asks.
    pub(crate) fn watch(self: &Arc<Self>, interest: Interest) -> io::Result<()> {
        let watched = current::with(|driver| self.arm(driver, &mut self.state(), interest));
        watched.map_err(io::Error::from)
    }

    /// Arms what this driver does not watch yet; what nobody has watched is looked at, too, since
    /// the poll tells in the driver's next turn only. Submitting runs nothing of a user's.
    pub(super) fn arm(self: &Arc<Self>, driver: &Driver, state: &mut State, interest: Interest) {
        let missing = interest.events() & !state.watched_by(driver.id());
        if missing == 0 {
            return;
        }
        let told = Told { source: Arc::clone(self), driver: driver.id(), events: missing };
        let ticket = driver.submit_detached(PollMultishot::new(told, missing));
        let remote = driver.remote().clone();
        state.polls.push(Watch { driver: driver.id(), remote, ticket, events: missing });
    }

    /// Nobody watches any more: ends all polls, and sees to it that those of this thread's driver
    /// have ended.
    pub(crate) fn close(self: &Arc<Self>) {
        let mut elsewhere = Vec::new();
        let here = current::with(|driver| {
            for watch in &self.state().polls {
                if watch.driver == driver.id() {
                    driver.cancel(watch.ticket);
                } else {
                    elsewhere.push(watch.remote.clone());
                }
            }
            let watched = || self.state().polls.iter().any(|watch| watch.driver == driver.id());
            for _ in 0..TURNS {
                if !watched() || !driver.is_turnable() || driver.turn().is_err() {
                    break;
                }
            }
        });
        if here.is_err() {
            elsewhere.extend(self.state().polls.iter().map(|watch| watch.remote.clone()));
        }
        for remote in elsewhere {
            let stop = Arc::new(Stop { link: Link::new(), source: Arc::clone(self) });
            // A driver that is gone has ended its polls.
            let _gone = remote.post(stop);
        }
    }

    fn stop_here(&self, driver: &Driver) {
        for watch in &self.state().polls {
            if watch.driver == driver.id() {
                driver.cancel(watch.ticket);
            }
        }
    }

    /// A driver's poll tells something.
    fn told(&self, by: &Told, told: io::Result<u32>, more: bool) {
        let mut state = self.state();
        state.tell(told);
        if !more {
            let ended = |watch: &Watch| watch.driver == by.driver && watch.events == by.events;
            state.polls.retain(|watch| !ended(watch));
        }
        // Those who waited for a poll that has ended arm the next one.
        let woken = if more { state.ready } else { Ready::ALL };
        let (reader, writer, line) = state.take_woken(woken);
        drop(state);
        wake_each(reader.into_iter().chain(writer).chain(line));
    }
}

/// Where a driver's poll tells what it sees.
struct Told {
    source: Arc<Source>,
    driver: DriverId,
    events: u32,
}

impl Watcher for Told {
    fn descriptor(&self) -> RawFd {
        self.source.number()
    }

    fn told(&mut self, events: io::Result<u32>, more: bool) {
        self.source.told(self, events, more);
    }
}

/// Asks a driver, from another thread, to end its polls.
#[derive(Debug)]
struct Stop {
    link: Link,
    source: Arc<Source>,
}

impl Posted for Stop {
    fn link(&self) -> &Link {
        &self.link
    }

    fn run(self: Arc<Self>, driver: &Driver) {
        self.source.stop_here(driver);
    }
}
