//! What a runtime is watched for: how long polls take, and which take too long.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle as Thread;
use std::time::Duration;

use super::Builder;
use crate::executor::roster::Roster;
use crate::histogram::HistogramConfiguration;
use crate::runtime::Runtime;
use crate::runtime::handle::Handle;
use crate::runtime::shared::Shared;
use crate::runtime::stall::{self, Report, Stall};
use crate::runtime::watch::Watch;
use crate::runtime::watchdog::{Orders, Watchdog};

/// What was asked for.
#[derive(Clone, Default)]
pub(super) struct Watching {
    histogram: Option<HistogramConfiguration>,
    counts_polls: bool,
    threshold: Option<Duration>,
    report: Option<Report>,
    #[cfg(feature = "backtrace")]
    backtraces: bool,
}

impl Builder {
    /// Counts polls by how long they take; off by default, as it looks at the clock before and
    /// after each poll. See `poll_time_histogram_bucket_count` of [`RuntimeMetrics`].
    ///
    /// [`RuntimeMetrics`]: crate::runtime::RuntimeMetrics::poll_time_histogram_bucket_count
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .build()?;
    /// runtime.block_on(async { henge::spawn(async {}).await })?;
    /// let metrics = runtime.metrics();
    /// let buckets = 0..metrics.poll_time_histogram_num_buckets();
    /// let polls: u64 = buckets.map(|b| metrics.poll_time_histogram_bucket_count(0, b)).sum();
    /// assert_eq!(polls, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn enable_metrics_poll_time_histogram(&mut self) -> &mut Builder {
        self.watching.counts_polls = true;
        self
    }

    /// The buckets of that histogram; ten of 100 µs each unless set.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use henge::runtime::{Builder, HistogramConfiguration};
    ///
    /// // Below a millisecond, and above.
    /// let two = HistogramConfiguration::linear(Duration::from_millis(1), 2);
    /// let runtime = Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .metrics_poll_time_histogram_configuration(two)
    ///     .build()?;
    /// let slow = async { std::thread::sleep(Duration::from_millis(2)) };
    /// runtime.block_on(async { henge::spawn(slow).await })?;
    /// assert_eq!(runtime.metrics().poll_time_histogram_bucket_count(0, 1), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn metrics_poll_time_histogram_configuration(
        &mut self,
        configuration: HistogramConfiguration,
    ) -> &mut Builder {
        self.watching.histogram = Some(configuration);
        self
    }

    /// Looks for polls that take longer than `threshold`, and says on the error output which task
    /// it is and where that was spawned; off by default. While a poll lasts, its shard does nothing
    /// else.
    ///
    /// A thread beside the shards looks twice a `threshold`, and a report comes that much later at
    /// most; it comes again whenever the poll has taken twice as long. Each task's origin is kept
    /// for it, which costs about 100 ns per task, and each poll costs two clock reads. Time in
    /// [`block_in_place`](crate::task::block_in_place) does not count, and guests are not watched.
    ///
    /// # Panics
    /// If `threshold` is zero.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = henge::runtime::Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .detect_stalls(Duration::from_millis(10))
    ///     .build()?;
    /// let shard = runtime.metrics().shard(0);
    /// runtime.run(|| async move {
    ///     while shard.stalls() == 0 {
    ///         std::thread::yield_now(); // which is no `await`: it goes on until it is found
    ///     }
    /// });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn detect_stalls(&mut self, threshold: Duration) -> &mut Builder {
        assert!(!threshold.is_zero(), "every poll takes longer than no time");
        self.watching.threshold = Some(threshold);
        self
    }

    /// What is called with what [`detect_stalls`](Builder::detect_stalls) finds, instead of a line
    /// on the error output. It runs on the detector's thread; a panic is swallowed.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let (log, logged) = mpsc::channel();
    /// let runtime = henge::runtime::Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .detect_stalls(Duration::from_millis(10))
    ///     .on_stall(move |stall| drop(log.send(stall.to_string())))
    ///     .build()?;
    /// // What nobody should do: it blocks, here until the detector has found it.
    /// let line = runtime.run(|| async { henge::spawn(async move { logged.recv() }).await })?;
    /// assert!(line.is_ok_and(|line| line.starts_with("shard 0 has been in one poll for ")));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_stall<F>(&mut self, report: F) -> &mut Builder
    where
        F: Fn(&Stall) + Send + Sync + 'static,
    {
        self.watching.report = Some(Arc::new(report));
        self
    }

    /// Whether reports of stalls say where the thread is; off by default. With the feature
    /// `backtrace`.
    ///
    /// The thread is asked by a signal, SIGURG, which nothing else uses and whose handler is
    /// installed for the process when first needed. A system call that it interrupts may end early,
    /// with `EINTR` or short, as after any signal.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = henge::runtime::Builder::new_multi_thread()
    ///     .detect_stalls(Duration::from_millis(100))
    ///     .stall_backtraces(true)
    ///     .build()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "backtrace")]
    pub fn stall_backtraces(&mut self, on: bool) -> &mut Builder {
        self.watching.backtraces = on;
        self
    }

    pub(super) fn watch(&self) -> Watch {
        let Watching { histogram, counts_polls, threshold, .. } = &self.watching;
        Watch {
            histogram: counts_polls.then(|| histogram.clone().unwrap_or_default()),
            roster: threshold.map(|_| Roster::new()),
        }
    }

    /// What `build` gives, with whoever watches it.
    pub(super) fn watched(
        &self,
        shared: Arc<Shared>,
        threads: Vec<Thread<()>>,
    ) -> io::Result<Runtime> {
        let watchdog = self.watching.threshold.map(|threshold| {
            let report = self.watching.report.clone().unwrap_or_else(|| Arc::new(stall::print));
            let orders = Orders {
                threshold,
                report,
                #[cfg(feature = "backtrace")]
                backtraces: self.watching.backtraces,
            };
            Watchdog::start(&shared, orders)
        });
        let mut runtime = Runtime { handle: Handle::new(shared), threads, watchdog: None };
        // If there is no thread for it, the runtime is dropped, which ends its shards.
        runtime.watchdog = watchdog.transpose()?;
        Ok(runtime)
    }
}
