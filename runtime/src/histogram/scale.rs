//! How durations are divided into buckets.
//!
//! The logarithmic scale is that of H2 histograms (<https://h2histogram.org>): each power of two
//! has the same number of buckets of equal width, so that the relative error is bounded, and a
//! bucket's bounds are computed with shifts alone.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// How a histogram divides durations into buckets; see [`Builder`]'s
/// `metrics_poll_time_histogram_configuration`.
///
/// [`Builder`]: crate::runtime::Builder::metrics_poll_time_histogram_configuration
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use henge::runtime::{HistogramConfiguration, LogHistogram};
///
/// let even = HistogramConfiguration::linear(Duration::from_micros(50), 20);
/// let wide = HistogramConfiguration::log(LogHistogram::builder().max_error(0.1));
/// # let _ = (even, wide);
/// ```
#[derive(Clone, Debug)]
pub struct HistogramConfiguration(Scale);

#[derive(Clone, Debug)]
enum Scale {
    Linear { width: u64, buckets: usize },
    Log(LogHistogram),
}

impl HistogramConfiguration {
    /// Buckets of the same width. The last one also has everything beyond it.
    ///
    /// # Panics
    /// If there is to be no bucket, or their width is zero.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use henge::runtime::{Builder, HistogramConfiguration};
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .metrics_poll_time_histogram_configuration(
    ///         HistogramConfiguration::linear(Duration::from_micros(50), 3),
    ///     )
    ///     .build()?;
    /// let metrics = runtime.metrics();
    /// assert_eq!(metrics.poll_time_histogram_num_buckets(), 3);
    /// let second = Duration::from_micros(50)..Duration::from_micros(100);
    /// assert_eq!(metrics.poll_time_histogram_bucket_range(1), second);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn linear(bucket_width: Duration, num_buckets: usize) -> Self {
        assert!(num_buckets > 0, "a histogram has at least one bucket");
        assert!(!bucket_width.is_zero(), "a bucket is at least a nanosecond wide");
        Self(Scale::Linear { width: nanos(bucket_width), buckets: num_buckets })
    }

    /// Buckets that grow with what falls into them.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::{Builder, HistogramConfiguration, LogHistogram};
    ///
    /// let doubling = HistogramConfiguration::log(LogHistogram::builder().precision_exact(0));
    /// let mut builder = Builder::new_current_thread();
    /// builder.metrics_poll_time_histogram_configuration(doubling);
    /// let metrics = builder.enable_metrics_poll_time_histogram().build()?.metrics();
    /// // Each bucket is twice as wide as the one before.
    /// let width = |bucket| {
    ///     let range = metrics.poll_time_histogram_bucket_range(bucket);
    ///     range.end - range.start
    /// };
    /// assert_eq!(width(5), 2 * width(4));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn log(configuration: impl Into<LogHistogram>) -> Self {
        Self(Scale::Log(configuration.into()))
    }

    /// Where each bucket begins, in nanoseconds.
    pub(super) fn starts(&self) -> Box<[u64]> {
        match &self.0 {
            Scale::Linear { width, buckets } => {
                (0..*buckets as u64).map(|bucket| bucket.saturating_mul(*width)).collect()
            }
            Scale::Log(log) => log.starts().collect(),
        }
    }
}

/// Ten buckets, 100 µs each.
impl Default for HistogramConfiguration {
    fn default() -> Self {
        Self::linear(Duration::from_micros(100), 10)
    }
}

/// Buckets with a bounded relative error; made by [`LogHistogram::builder`].
///
/// The default reaches from 100 ns to 60 s with an error of at most a quarter, in 119 buckets.
///
/// # Examples
/// ```
/// use henge::runtime::{HistogramConfiguration, LogHistogram};
///
/// let default = LogHistogram::default();
/// assert!(default.max_value() >= 60_000_000_000, "a minute, in nanoseconds");
/// assert_eq!(LogHistogram::builder().max_buckets(119).ok(), Some(default));
/// let polls = HistogramConfiguration::log(default);
/// # drop(polls);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHistogram {
    /// Each power of two has `1 << precision` buckets.
    precision: u32,
    min: u64,
    max: u64,
}

impl LogHistogram {
    /// A builder with the default's settings.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::LogHistogram;
    ///
    /// assert_eq!(LogHistogram::builder().build(), LogHistogram::default());
    /// assert_ne!(LogHistogram::builder().max_error(0.01).build(), LogHistogram::default());
    /// ```
    pub fn builder() -> LogHistogramBuilder {
        LogHistogramBuilder::default()
    }

    /// Where the last bucket begins, in nanoseconds: what is above is not told apart.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use henge::runtime::LogHistogram;
    ///
    /// let log = LogHistogram::builder().max_value(Duration::from_secs(1)).build();
    /// // Rounded up to where a bucket begins: 2³⁰.
    /// assert_eq!(log.max_value(), 1_073_741_824);
    /// ```
    pub fn max_value(&self) -> u64 {
        self.starts().last().unwrap_or(0)
    }

    fn starts(&self) -> impl Iterator<Item = u64> + use<> {
        let Self { precision, min, max } = *self;
        // From the bucket in which the minimum falls to the first one past the maximum.
        let first = index(min, precision).max(1);
        let last = index(max - 1, precision) + 1;
        let inner = (first..=last.max(first)).map(move |index| start(index, precision));
        std::iter::once(0).chain(inner)
    }
}

impl Default for LogHistogram {
    fn default() -> Self {
        LogHistogramBuilder::default().build()
    }
}

impl From<LogHistogramBuilder> for LogHistogram {
    fn from(builder: LogHistogramBuilder) -> Self {
        builder.build()
    }
}

/// The number of the bucket that a value falls into.
fn index(value: u64, precision: u32) -> u64 {
    let Some(log) = value.checked_ilog2() else { return 0 };
    match log.checked_sub(precision) {
        None | Some(0) => value,
        Some(shift) => (u64::from(shift) << precision) + (value >> shift),
    }
}

/// The least value that falls into the bucket of this number.
fn start(index: u64, precision: u32) -> u64 {
    match (index >> precision).checked_sub(1) {
        None | Some(0) => index,
        Some(shift) => {
            let digits = index - (shift << precision);
            if digits.leading_zeros() as u64 >= shift { digits << shift } else { u64::MAX }
        }
    }
}

/// Makes a [`LogHistogram`].
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use henge::runtime::LogHistogram;
///
/// let fine = LogHistogram::builder()
///     .min_value(Duration::from_micros(1))
///     .max_value(Duration::from_secs(10))
///     .max_error(0.05)
///     .max_buckets(1_000)?;
/// assert!(fine.max_value() >= 10_000_000_000);
/// # Ok::<(), henge::runtime::InvalidHistogramConfiguration>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LogHistogramBuilder {
    precision: u32,
    min: Duration,
    max: Duration,
}

/// The most buckets that a power of two is divided into, as a power of two.
const FINEST: u32 = 10;

impl Default for LogHistogramBuilder {
    fn default() -> Self {
        Self { precision: 2, min: Duration::from_nanos(100), max: Duration::from_secs(60) }
    }
}

impl LogHistogramBuilder {
    /// By how much of a value others in its bucket may differ from it, at most: a quarter at the
    /// coarsest, a thousandth at the finest.
    ///
    /// # Panics
    /// If it is not between 0 and 1.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::LogHistogram;
    ///
    /// let buckets = |error| match LogHistogram::builder().max_error(error).max_buckets(0) {
    ///     Err(henge::runtime::InvalidHistogramConfiguration::TooManyBuckets {
    ///         required_bucket_count,
    ///     }) => required_bucket_count,
    ///     Ok(_) => 0,
    /// };
    /// assert!(buckets(0.01) > 10 * buckets(0.25), "what it costs to be exact");
    /// ```
    #[track_caller]
    pub fn max_error(mut self, max_error: f64) -> Self {
        assert!(max_error > 0.0, "max_error must be greater than 0");
        assert!(max_error < 1.0, "max_error must be less than 1");
        let fits = |precision: &u32| 2_f64.powf(-f64::from(*precision)) <= max_error;
        self.precision = (2..FINEST).find(fits).unwrap_or(FINEST);
        self
    }

    /// Divides each power of two into `1 << precision` buckets.
    ///
    /// # Panics
    /// If that is more than 1,024.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::LogHistogram;
    ///
    /// // Four buckets for each power of two: no bucket is wider than a quarter of where it begins.
    /// let log = LogHistogram::builder().precision_exact(2).build();
    /// assert_eq!(log, LogHistogram::builder().max_error(0.25).build());
    /// ```
    #[track_caller]
    pub fn precision_exact(mut self, precision: u32) -> Self {
        assert!(precision <= FINEST, "precision must be <= {FINEST}");
        self.precision = precision;
        self
    }

    /// Below this, durations are not told apart.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use henge::runtime::{Builder, HistogramConfiguration, LogHistogram};
    ///
    /// let coarse = LogHistogram::builder().min_value(Duration::from_millis(1));
    /// let mut builder = Builder::new_current_thread();
    /// builder.metrics_poll_time_histogram_configuration(HistogramConfiguration::log(coarse));
    /// let runtime = builder.enable_metrics_poll_time_histogram().build()?;
    /// // One bucket has all that is shorter, but for the rounding to where a bucket begins.
    /// let first = runtime.metrics().poll_time_histogram_bucket_range(0);
    /// assert!(first.start.is_zero() && first.end > Duration::from_micros(750));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn min_value(mut self, duration: Duration) -> Self {
        self.min = duration;
        self
    }

    /// Above this, durations need not be told apart.
    ///
    /// # Panics
    /// If it is zero.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use henge::runtime::LogHistogram;
    ///
    /// let mut short = LogHistogram::builder().max_value(Duration::from_millis(10));
    /// assert!(short.build().max_value() >= 10_000_000);
    /// assert!(short.max_buckets(80).is_ok(), "a minute would take 119");
    /// ```
    #[track_caller]
    pub fn max_value(mut self, duration: Duration) -> Self {
        assert!(!duration.is_zero(), "max value must be greater than 0");
        self.max = duration;
        self
    }

    /// The histogram, unless it has more buckets than this.
    ///
    /// # Errors
    /// How many buckets it would have.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::{InvalidHistogramConfiguration, LogHistogram};
    ///
    /// let mut exact = LogHistogram::builder().max_error(0.001);
    /// let refused = exact.max_buckets(1_000);
    /// assert!(matches!(
    ///     refused,
    ///     Err(InvalidHistogramConfiguration::TooManyBuckets { required_bucket_count: 1_001.. })
    /// ));
    /// ```
    pub fn max_buckets(
        &mut self,
        max_buckets: usize,
    ) -> Result<LogHistogram, InvalidHistogramConfiguration> {
        let histogram = self.build();
        let required_bucket_count = histogram.starts().count();
        if required_bucket_count > max_buckets {
            return Err(InvalidHistogramConfiguration::TooManyBuckets { required_bucket_count });
        }
        Ok(histogram)
    }

    /// The histogram.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use henge::runtime::LogHistogram;
    ///
    /// let log = LogHistogram::builder()
    ///     .min_value(Duration::from_micros(1))
    ///     .max_value(Duration::from_millis(100))
    ///     .build();
    /// assert!((100_000_000..200_000_000).contains(&log.max_value()));
    /// ```
    pub fn build(&self) -> LogHistogram {
        LogHistogram { precision: self.precision, min: nanos(self.min), max: nanos(self.max) }
    }
}

/// Why a histogram cannot be had.
///
/// # Examples
/// ```
/// use henge::runtime::{InvalidHistogramConfiguration, LogHistogram};
///
/// // As exact as what there is room for allows.
/// let mut builder = LogHistogram::builder().max_error(0.001);
/// let log = match builder.max_buckets(500) {
///     Ok(log) => log,
///     Err(InvalidHistogramConfiguration::TooManyBuckets { .. }) => LogHistogram::default(),
/// };
/// assert_eq!(log, LogHistogram::default());
/// ```
#[derive(Debug)]
pub enum InvalidHistogramConfiguration {
    /// It would have more buckets than it may.
    TooManyBuckets {
        /// How many it would have.
        required_bucket_count: usize,
    },
}

impl fmt::Display for InvalidHistogramConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::TooManyBuckets { required_bucket_count } = self;
        write!(
            f,
            "the histogram would have {required_bucket_count} buckets: allow a larger error, or \
             narrow its range"
        )
    }
}

impl Error for InvalidHistogramConfiguration {}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_the_bucket_that_starts_at_or_before_it() {
        for precision in 0..=FINEST {
            let near = (0..64).map(|shift| 1_u64 << shift);
            for value in near.flat_map(|power| [power - 1, power, power + 1, power | power >> 1]) {
                let index = index(value, precision);
                assert!(start(index, precision) <= value, "{value} at {precision}");
                let next = start(index + 1, precision);
                assert!(next > value || next == u64::MAX, "{value} at {precision}");
            }
        }
    }

    #[test]
    fn the_default_is_what_its_documentation_says() {
        let starts: Vec<u64> = LogHistogram::default().starts().collect();
        assert_eq!(starts.len(), 119);
        assert_eq!(starts[..3], [0, 96, 112]);
        assert!(starts[118] >= 60_000_000_000 && starts[117] < 60_000_000_000);
        for pair in starts[1..].windows(2) {
            assert!(pair[1] - pair[0] <= pair[0] / 4 + 1, "{pair:?}");
        }
    }

    #[test]
    fn too_many_buckets_are_refused_with_their_number() {
        let refused = LogHistogram::builder().max_error(0.001).max_buckets(10);
        let Err(InvalidHistogramConfiguration::TooManyBuckets { required_bucket_count }) = refused
        else {
            panic!("ten buckets cannot be that exact");
        };
        assert!(required_bucket_count > 10);
        assert!(
            LogHistogram::builder().max_error(0.001).max_buckets(required_bucket_count).is_ok()
        );
    }
}
