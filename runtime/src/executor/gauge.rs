//! What a shard is polling at this moment, and for how long its polls took.
//!
//! The shard's thread writes it, around each poll, and only where somebody wants to know: two looks
//! at the clock a poll. Any thread reads it. A watcher has to see the task and the moment that
//! belong together, so they are published as under a sequence lock, whose sequence is the moment
//! itself: it is 0 while the other word changes.

use std::sync::Arc;
#[cfg(feature = "backtrace")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant};

use henge_driver::sys::clock;
#[cfg(feature = "backtrace")]
use henge_driver::sys::trace::Thread;

use super::id::Id;
use super::roster::Roster;
use crate::histogram::{Histogram, HistogramConfiguration};

/// One shard's.
#[derive(Debug)]
pub(crate) struct Gauge {
    origin: Instant,
    /// When the poll began, in nanoseconds after `origin`, at least 1; 0 between polls.
    since: AtomicU64,
    /// The bits of the id of the task that is polled.
    task: AtomicU64,
    /// Whether the poll is not one of a task, to its author.
    foreign: AtomicBool,
    /// How long polls took, in all, in nanoseconds.
    total: AtomicU64,
    polls: AtomicU64,
    histogram: Option<Histogram>,
    roster: Option<Arc<Roster>>,
    /// The shard's thread, once it has one.
    #[cfg(feature = "backtrace")]
    thread: OnceLock<Thread>,
    /// Polls that took too long: a watcher's.
    pub(crate) stalls: AtomicU64,
}

/// A poll that a watcher sees under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) task: Id,
    /// When it began. No two polls that take long begin at the same moment.
    pub(crate) since: u64,
}

impl Gauge {
    /// Counts polls by their length if there is a `histogram`; names tasks by the `roster`.
    pub(crate) fn new(
        histogram: Option<&HistogramConfiguration>,
        roster: Option<Arc<Roster>>,
    ) -> Self {
        Self {
            origin: clock::now(),
            since: AtomicU64::new(0),
            task: AtomicU64::new(0),
            foreign: AtomicBool::new(false),
            total: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            histogram: histogram.map(Histogram::new),
            roster,
            #[cfg(feature = "backtrace")]
            thread: OnceLock::new(),
            stalls: AtomicU64::new(0),
        }
    }

    /// From now on this thread is the shard's.
    #[cfg(feature = "backtrace")]
    pub(super) fn sit(&self) {
        // A seat is sat on once; if not, the first one keeps it.
        let _first_stays = self.thread.set(Thread::current());
    }

    #[cfg(feature = "backtrace")]
    pub(crate) fn thread(&self) -> Option<Thread> {
        self.thread.get().copied()
    }

    /// Calls `poll`, which polls `task` and does not panic. For the shard's thread, as all that
    /// changes anything. Nests: a task may run a loop inside of its poll.
    #[inline(never)]
    pub(super) fn during(&self, task: Id, poll: impl FnOnce()) {
        let outer = (self.since.load(Ordering::Relaxed), self.task.load(Ordering::Relaxed));
        let outer_is_foreign = self.foreign.load(Ordering::Relaxed);
        let begun = clock::now();
        self.publish(self.nanos(begun), task.bits());
        self.foreign.store(false, Ordering::Relaxed);
        poll();
        let took = clock::now().saturating_duration_since(begun);
        if !self.foreign.load(Ordering::Relaxed) {
            self.count(took);
        }
        self.foreign.store(outer_is_foreign, Ordering::Relaxed);
        self.publish(outer.0, outer.1);
    }

    /// The poll that is under way is not counted: it is that of a future which is no task.
    pub(crate) fn disregard(&self) {
        self.foreign.store(true, Ordering::Relaxed);
    }

    /// What the poll under way has taken so far is forgiven it: it was allowed to block.
    pub(crate) fn forgive(&self) {
        if self.since.load(Ordering::Relaxed) != 0 {
            let task = self.task.load(Ordering::Relaxed);
            self.publish(self.nanos(clock::now()), task);
        }
    }

    fn publish(&self, since: u64, task: u64) {
        self.since.store(0, Ordering::Relaxed);
        // Release: a reader that sees the new task sees that the old moment is over.
        fence(Ordering::Release);
        self.task.store(task, Ordering::Relaxed);
        // Release: a reader that sees the new moment sees the new task.
        self.since.store(since, Ordering::Release);
    }

    fn count(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let add = |number: &AtomicU64, value| {
            number.store(number.load(Ordering::Relaxed).wrapping_add(value), Ordering::Relaxed);
        };
        add(&self.total, nanos);
        add(&self.polls, 1);
        if let Some(histogram) = &self.histogram {
            histogram.count(took);
        }
    }

    /// The poll under way, for any thread. `None` between polls, and while one gives way to the
    /// next.
    pub(crate) fn sight(&self) -> Option<Sight> {
        // Acquire: pairs with the moment's store, for the task that was stored before it.
        let since = self.since.load(Ordering::Acquire);
        let task = self.task.load(Ordering::Relaxed);
        // Acquire: pairs with the fence of `publish`: if the task is a newer one, so is the moment
        // that is read next.
        fence(Ordering::Acquire);
        if since == 0 || self.since.load(Ordering::Relaxed) != since {
            return None;
        }
        Id::from_bits(task).map(|task| Sight { task, since })
    }

    /// For how long a poll had lasted at `moment`, which is before the sight: whoever looks at the
    /// clock afterwards may come to it late, and counts what is not the poll's.
    pub(crate) fn lasted(&self, sight: Sight, moment: Instant) -> Duration {
        Duration::from_nanos(self.nanos(moment).saturating_sub(sight.since))
    }

    /// How long polls took, in all.
    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.total.load(Ordering::Relaxed))
    }

    /// The mean of all polls' lengths.
    pub(crate) fn mean(&self) -> Duration {
        let polls = self.polls.load(Ordering::Relaxed);
        let total = self.total.load(Ordering::Relaxed);
        Duration::from_nanos(total.checked_div(polls).unwrap_or(0))
    }

    pub(crate) fn histogram(&self) -> Option<&Histogram> {
        self.histogram.as_ref()
    }

    pub(crate) fn roster(&self) -> Option<&Arc<Roster>> {
        self.roster.as_ref()
    }

    fn nanos(&self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.origin).as_nanos();
        u64::try_from(since).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use super::*;

    fn id(n: u64) -> Id {
        Id::from_bits(n * 64).expect("not zero")
    }

    #[test]
    fn a_poll_is_seen_while_it_lasts_and_the_one_around_it_afterwards() {
        let gauge = Gauge::new(Some(&HistogramConfiguration::default()), None);
        assert_eq!(gauge.sight(), None);
        gauge.during(id(1), || {
            let outer = gauge.sight().expect("it is under way");
            assert_eq!(outer.task, id(1));
            gauge.during(id(2), || {
                gauge.disregard();
                assert_eq!(gauge.sight().map(|sight| sight.task), Some(id(2)));
            });
            assert_eq!(gauge.sight(), Some(outer));
        });
        assert_eq!(gauge.sight(), None);
        let histogram = gauge.histogram().expect("it was asked for");
        let counted: u64 = (0..histogram.buckets()).map(|bucket| histogram.get(bucket)).sum();
        assert_eq!(counted, 1, "what is no task is not counted");
    }

    #[test]
    fn a_poll_has_not_lasted_at_a_moment_before_it() {
        let gauge = Gauge::new(None, None);
        let before = clock::now();
        gauge.during(id(1), || {
            let sight = gauge.sight().expect("it is under way");
            std::thread::sleep(Duration::from_millis(2));
            assert_eq!(gauge.lasted(sight, before), Duration::ZERO);
            assert!(gauge.lasted(sight, clock::now()) >= Duration::from_millis(2));
        });
    }

    #[test]
    fn a_reader_never_sees_the_task_of_another_moment() {
        use std::sync::atomic::AtomicBool;

        let gauge = Gauge::new(None, None);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut seen = 0_u32;
                while !over.load(Ordering::Relaxed) {
                    if let Some(Sight { task, since }) = gauge.sight() {
                        assert_eq!(task.bits(), since * 64);
                        seen += 1;
                    }
                }
                seen
            });
            for round in 1..200_000 {
                gauge.publish(round, id(round).bits());
            }
            over.store(true, Ordering::Relaxed);
            assert!(reader.join().is_ok());
        });
    }
}
