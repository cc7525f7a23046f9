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
    /// The defaults: 256 entries, four times as many completions, no batching, wakes by message.
    ///
    /// ```
    /// use henge_driver::{Config, Driver};
    ///
    /// let driver = Driver::with_config(&Config::new())?; // as `Driver::new`
    /// assert_eq!(driver.in_flight(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> Config {
        Config {
            ring_entries: 256,
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
    ///
    /// ```
    /// use henge_driver::{Config, Driver, ops};
    /// use std::time::Duration;
    ///
    /// let driver = Driver::with_config(&Config::new().ring_entries(8))?;
    /// let rest = Duration::from_secs(60);
    /// let rests = [(); 20].map(|()| driver.submit_detached(ops::After::new(rest, || ())));
    /// driver.turn()?; // more than eight, and none is refused
    /// assert!(rests.iter().all(|rest| driver.is_in_flight(*rest)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn ring_entries(mut self, entries: u32) -> Config {
        self.ring_entries = entries.max(1);
        self
    }

    /// Entries of the completion queue, at least four times those of the submission queue: one
    /// multishot entry brings many completions.
    ///
    /// ```
    /// use henge_driver::{Config, Driver};
    ///
    /// // Few requests, each of which is answered often.
    /// let config = Config::new().ring_entries(16).completion_entries(4096);
    /// let driver = Driver::with_config(&config)?;
    /// assert!(driver.capabilities()?.to_string().contains("4096"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn completion_entries(mut self, entries: u32) -> Config {
        self.completion_entries = entries;
        self
    }

    /// A wait ends when so many completions are there, beside those of what it submits and
    /// [completes at once](crate::Operation::AT_ONCE); after `wait`, when there is one. Without
    /// effect on kernels before 6.12. See [`Driver::set_min_wait`](super::Driver::set_min_wait).
    ///
    /// ```
    /// use henge_driver::{Config, Driver, ops, submit};
    /// use std::time::Duration;
    ///
    /// // Eight at a time, unless that takes longer than 50 µs.
    /// let config = Config::new().min_wait(8, Duration::from_micros(50));
    /// let driver = Driver::with_config(&config)?;
    /// driver.block_on(submit(ops::Timeout::new(Duration::from_millis(1))))??; // comes alone
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn min_wait(mut self, completions: u32, wait: Duration) -> Config {
        self.min_wait = Some((completions, wait));
        self
    }

    /// Wakes other drivers by an entry on this driver's own ring (the default), or by their
    /// eventfd, which costs a system call each.
    ///
    /// ```
    /// use henge_driver::{Config, Driver};
    ///
    /// // Under a filter that forbids messages between rings.
    /// let driver = Driver::with_config(&Config::new().wake_by_message(false))?;
    /// assert_eq!(driver.block_on(async { "as usual" })?, "as usual");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn wake_by_message(mut self, yes: bool) -> Config {
        self.wake_by_message = yes;
        self
    }

    /// The most memory that the buffers for receiving may take, in bytes; 16 MiB unless set. They
    /// begin with 256 KiB, when a socket first receives.
    ///
    /// ```
    /// use henge_driver::{Config, Driver};
    ///
    /// // Many thousand connections, each with some bytes that nobody has read yet.
    /// let driver = Driver::with_config(&Config::new().buffer_memory(256 << 20))?;
    /// assert_eq!(driver.block_on(async { "as usual" })?, "as usual");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn buffer_memory(mut self, bytes: usize) -> Config {
        self.pool.cap = bytes;
        self
    }

    /// Uses incremental buffers where the kernel has them (6.12; the default), or buffers of
    /// 16 KiB, one a receive, everywhere.
    ///
    /// ```
    /// use henge_driver::{Config, Driver};
    ///
    /// let driver = Driver::with_config(&Config::new().incremental_buffers(false))?;
    /// assert_eq!(driver.block_on(async { "as on an older kernel" })?, "as on an older kernel");
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
    ///
    /// ```
    /// use henge_driver::offload::{Class, Pool};
    /// use henge_driver::{Config, Driver, current};
    /// use std::sync::Arc;
    ///
    /// // The drivers of all threads share one pool.
    /// let pool = Arc::new(Pool::default());
    /// let driver = Driver::with_config(&Config::new().blocking_pool(Arc::clone(&pool)))?;
    /// let sum = driver.block_on(async {
    ///     let job = current::with(|driver| driver.blocking().spawn(Class::User, || 1 + 1));
    ///     job.expect("it is inside of `block_on`").await
    /// })?;
    /// assert_eq!(sum.expect("no panic"), 2);
    /// assert_eq!(pool.metrics().threads, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn blocking_pool(mut self, pool: Arc<offload::Pool>) -> Config {
        self.blocking = Some(pool);
        self
    }

    /// How long dropping the driver waits for what is still to be sent, and then for the kernel to
    /// give everything back; 500 ms each unless set.
    ///
    /// ```
    /// use henge_driver::{Config, Driver, ops};
    /// use std::time::Duration;
    ///
    /// // What was promised is sent, though it may take a minute.
    /// let (drain, reap) = (Duration::from_secs(60), Duration::from_secs(1));
    /// let config = Config::new().shutdown_deadlines(drain, reap);
    /// let driver = Driver::with_config(&config)?;
    /// driver.submit_detached(ops::After::new(Duration::from_secs(3600), || ()));
    /// drop(driver); // cancels it, and does not wait for an hour
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
