//! Tasks that keep their shard from everything else, and who looks for them.
//!
//! A shard runs one task at a time, and a poll cannot be interrupted: while it lasts the shard's
//! other tasks, its timers and its ring wait. Nobody on that thread can tell, so a thread beside
//! the shards does. It looks now and then at what each shard polls and since when.

use std::fmt;
use std::io::{self, Write};
use std::panic::Location;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use henge_driver::sys;

use super::seat::Seat;
use super::shared::Shared;
use crate::shard_id::ShardId;
use crate::task::gauge::Sight;
use crate::task::roster::Origin;
use crate::task::{Id, swallow};

/// A poll that takes too long, as [`Builder::on_stall`](super::Builder::on_stall) hears of it.
///
/// Printed, it is a sentence for a log.
///
/// # Examples
/// ```
/// use std::sync::mpsc;
/// use std::time::Duration;
///
/// let (tell, told) = mpsc::channel();
/// let runtime = henge::runtime::Builder::new_multi_thread()
///     .worker_threads(1)
///     .detect_stalls(Duration::from_millis(10))
///     .on_stall(move |stall| drop(tell.send((stall.shard(), stall.name().map(String::from)))))
///     .build()?;
/// runtime.run(|| async {
///     let busy = henge::task::Builder::new().name("busy").spawn(async {
///         std::thread::sleep(Duration::from_millis(100)); // what nobody should do
///     });
///     busy.map(drop)
/// })?;
/// let (shard, name) = told.recv().expect("the detector has told");
/// assert_eq!((shard.index(), name.as_deref()), (0, Some("busy")));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Stall {
    shard: ShardId,
    task: Id,
    origin: Option<Origin>,
    lasted: Duration,
}

impl Stall {
    /// The shard that nothing else runs on.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The task. Where it is the future of `block_on`, nobody else knows this id.
    pub fn task(&self) -> Id {
        self.task
    }

    /// What the task is called, if it has a name; see [`task::Builder`](crate::task::Builder).
    pub fn name(&self) -> Option<&str> {
        self.origin.as_ref()?.name.as_deref()
    }

    /// Where the task was spawned. `None` if it has ended by now.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        Some(self.origin.as_ref()?.location)
    }

    /// The type of the task's future, which tells the function that it comes from. `None` if it has
    /// ended by now.
    pub fn future(&self) -> Option<&'static str> {
        Some(self.origin.as_ref()?.future)
    }

    /// For how long the poll has lasted so far.
    pub fn lasted(&self) -> Duration {
        self.lasted
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shard, task, lasted, .. } = self;
        write!(f, "shard {shard} has been in one poll for {} ms: task {task}", lasted.as_millis())?;
        if let Some(name) = self.name() {
            write!(f, " \"{name}\"")?;
        }
        if let Some(origin) = &self.origin {
            write!(f, ", spawned at {} ({})", origin.location, origin.future)?;
        }
        Ok(())
    }
}

/// Who is told.
pub(super) type Report = Arc<dyn Fn(&Stall) + Send + Sync>;

/// Tells the log.
pub(super) fn print(stall: &Stall) {
    let text = format!("henge: {stall}\n");
    // Where nobody reads it there is nobody to tell.
    drop(io::stderr().write_all(text.as_bytes()));
}

/// Looks for stalls until it is dropped.
#[derive(Debug)]
pub(super) struct Watchdog(Arc<Leash>);

#[derive(Debug, Default)]
struct Leash {
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Watchdog {
    /// Starts a thread that reports what takes longer than `threshold`: once when it does, and
    /// again whenever that has doubled.
    ///
    /// # Errors
    /// If the system cannot have one more thread.
    pub(super) fn start(
        shared: &Arc<Shared>,
        threshold: Duration,
        report: Report,
    ) -> io::Result<Watchdog> {
        let leash = Arc::new(Leash::default());
        let (shared, its) = (Arc::clone(shared), Arc::clone(&leash));
        sys::thread::spawn(String::from("henge-watchdog"), None, move || {
            // Where a sandbox forbids it, the thread keeps the CPUs it has, and works all the same.
            drop(sys::cpu::unpin());
            its.watch(&shared, threshold, &report);
        })?;
        Ok(Watchdog(leash))
    }
}

impl Drop for Watchdog {
    /// Does not wait for the thread, which may be telling somebody at this moment.
    fn drop(&mut self) {
        *self.0.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.over.notify_all();
    }
}

impl Leash {
    fn watch(&self, shared: &Shared, threshold: Duration, report: &Report) {
        let period = (threshold / 2).max(Duration::from_millis(1));
        let mut seen: Vec<Option<(Sight, Duration)>> = vec![None; shared.shards()];
        let mut is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_over {
            drop(is_over);
            for (index, (seat, seen)) in shared.seats().iter().zip(&mut seen).enumerate() {
                if let Some(stall) = look(index, seat, threshold, seen) {
                    swallow(|| report(&stall));
                }
            }
            is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
            let slept = self.over.wait_timeout_while(is_over, period, |is_over| !*is_over);
            is_over = slept.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// `seen` is the poll that was reported last, and from when on it will be reported again.
fn look(
    index: usize,
    seat: &Seat,
    threshold: Duration,
    seen: &mut Option<(Sight, Duration)>,
) -> Option<Stall> {
    let gauge = seat.gauge.as_ref()?;
    if seat.is_blocked() {
        // In `block_in_place`, which says so.
        return None;
    }
    let sight = gauge.sight()?;
    let lasted = gauge.lasted(sight);
    let again = seen.filter(|(before, _)| *before == sight).map(|(_, again)| again);
    if lasted < again.unwrap_or(threshold) {
        return None;
    }
    if again.is_none() {
        // Relaxed: a number that stands for itself, and one thread writes.
        gauge.stalls.fetch_add(1, Ordering::Relaxed);
    }
    *seen = Some((sight, lasted * 2));
    let origin = gauge.roster().and_then(|roster| roster.get(sight.task));
    Some(Stall { shard: ShardId::new(index), task: sight.task, origin, lasted })
}
