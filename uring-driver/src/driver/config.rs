//! What a driver is made with.

use std::sync::Arc;
use std::time::Duration;

use crate::listen::ListenGroup;
use crate::offload;
use crate::pool::Limits;

/// How to make a [`Driver`](super::Driver).
///
/// ```
/// use henge_driver::{Config, Driver};
///
/// let driver = Driver::with_config(&Config::new().ring_entries(64))?;
/// # drop(driver);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) ring_entries: u32,
    pub(crate) completion_entries: u32,
    pub(crate) min_wait: Option<(u32, Duration)>,
    pub(crate) wake_by_message: bool,
    pub(crate) drain: Duration,
    pub(crate) reap: Duration,
    pub(crate) pool: Limits,
    pub(crate) listen_group: Arc<ListenGroup>,
    pub(crate) blocking: Option<Arc<offload::Pool>>,
}

impl Config {
    /// The defaults: 1,024 entries, four times as many completions, no batching, wakes by message.
    pub fn new() -> Config {
        Config {
            ring_entries: 1024,
            completion_entries: 0,
            min_wait: None,
            wake_by_message: true,
            drain: Duration::from_millis(500),
            reap: Duration::from_millis(500),
            pool: Limits { cap: 16 << 20, incremental: true },
            listen_group: Arc::new(ListenGroup::new()),
            blocking: None,
        }
    }

    /// Entries of the submission queue, rounded up to a power of two. More may be queued at any
    /// time; they wait outside.
    #[must_use]
    pub fn ring_entries(mut self, entries: u32) -> Config {
        self.ring_entries = entries.max(1);
        self
    }

    /// Entries of the completion queue, at least four times those of the submission queue: one
    /// multishot entry brings many completions.
    #[must_use]
    pub fn completion_entries(mut self, entries: u32) -> Config {
        self.completion_entries = entries;
        self
    }

    /// A wait ends when so many completions are there, beside those of what it submits and
    /// [completes at once](crate::Operation::AT_ONCE); after `wait`, when there is one. Without
    /// effect on kernels before 6.12. See [`Driver::set_min_wait`](super::Driver::set_min_wait).
    #[must_use]
    pub fn min_wait(mut self, completions: u32, wait: Duration) -> Config {
        self.min_wait = Some((completions, wait));
        self
    }

    /// Wakes other drivers by an entry on this driver's own ring (the default), or by their
    /// eventfd, which costs a system call each.
    #[must_use]
    pub fn wake_by_message(mut self, yes: bool) -> Config {
        self.wake_by_message = yes;
        self
    }

    /// The most memory that the buffers for receiving may take, in bytes; 16 MiB unless set. They
    /// begin with 256 KiB, when a socket first receives.
    #[must_use]
    pub fn buffer_memory(mut self, bytes: usize) -> Config {
        self.pool.cap = bytes;
        self
    }

    /// Uses incremental buffers where the kernel has them (6.12; the default), or buffers of
    /// 16 KiB, one a receive, everywhere.
    #[must_use]
    pub fn incremental_buffers(mut self, yes: bool) -> Config {
        self.pool.incremental = yes;
        self
    }

    /// The drivers that may listen on the same addresses: those made with this configuration and
    /// its clones, unless set.
    #[doc(hidden)]
    #[must_use]
    pub fn listen_group(mut self, group: Arc<ListenGroup>) -> Config {
        self.listen_group = group;
        self
    }

    /// The threads for what has no operation on the ring; unless set, a driver makes its own when
    /// it first needs one.
    #[must_use]
    pub fn blocking_pool(mut self, pool: Arc<offload::Pool>) -> Config {
        self.blocking = Some(pool);
        self
    }

    /// How long dropping the driver waits for what is still to be sent, and then for the kernel to
    /// give everything back; 500 ms each unless set.
    #[must_use]
    pub fn shutdown_deadlines(mut self, drain: Duration, reap: Duration) -> Config {
        self.drain = drain;
        self.reap = reap;
        self
    }

    pub(crate) fn completions(&self) -> u32 {
        let entries = self.ring_entries.checked_next_power_of_two().unwrap_or(1 << 31);
        self.completion_entries.max(entries.saturating_mul(4))
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}
