//! What a runtime was built with, as its threads read it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::watch::Watch;
use crate::stealing::Policy;
use crate::time::Resolution;

/// A callback of the user's, run by every thread of the runtime.
pub(crate) type Hook = Arc<dyn Fn() + Send + Sync>;

/// The callbacks of [`Builder`](super::Builder).
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) start: Option<Hook>,
    pub(crate) stop: Option<Hook>,
    pub(crate) park: Option<Hook>,
    pub(crate) unpark: Option<Hook>,
}

/// Runs a hook if there is one.
#[inline]
pub(crate) fn call(hook: Option<&Hook>) {
    if let Some(hook) = hook {
        hook();
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |hook: &Option<Hook>| hook.is_some();
        f.debug_struct("Hooks")
            .field("start", &set(&self.start))
            .field("stop", &set(&self.stop))
            .field("park", &set(&self.park))
            .field("unpark", &set(&self.unpark))
            .finish()
    }
}

/// What each shard and guest is made from.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) name: Option<String>,
    pub(crate) hooks: Hooks,
    /// How many tasks run before the ring is looked at again.
    pub(crate) event_interval: u32,
    pub(crate) lifo_slot: bool,
    /// Whether tasks may be stolen, and how.
    pub(crate) stealing: Option<Policy>,
    /// For how long an idle shard looks before it sleeps; zero where it does not pay.
    pub(crate) spin: Duration,
    /// For how long it may let completions wait for each other.
    pub(crate) batch_wait: Duration,
    /// Whether there is one CPU for all threads: others run only while no shard does.
    pub(crate) one_cpu: bool,
    /// Letters in a lane between two shards.
    pub(crate) lane_capacity: usize,
    pub(crate) driver: henge_driver::Config,
    pub(crate) resolution: Resolution,
    pub(crate) watch: Watch,
}
