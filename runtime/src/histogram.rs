//! How long things took, by the bucket: counted by one thread, read by all.

mod scale;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use scale::{
    HistogramConfiguration, InvalidHistogramConfiguration, LogHistogram, LogHistogramBuilder,
};

/// Counts durations. Each number stands for itself: relaxed throughout.
#[derive(Debug)]
pub(crate) struct Histogram {
    /// Where each bucket begins, in nanoseconds, the first at 0; ascending.
    starts: Box<[u64]>,
    counts: Box<[AtomicU64]>,
}

impl Histogram {
    pub(crate) fn new(configuration: &HistogramConfiguration) -> Self {
        let starts = configuration.starts();
        let counts = starts.iter().map(|_| AtomicU64::new(0)).collect();
        Self { starts, counts }
    }

    /// For the one thread that counts.
    pub(crate) fn count(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        // The first bucket begins at 0, so at least one does not begin later.
        let bucket = self.starts.partition_point(|&start| start <= nanos) - 1;
        let count = &self.counts[bucket];
        count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    pub(crate) fn buckets(&self) -> usize {
        self.counts.len()
    }

    /// What falls into a bucket. The last one has no end.
    pub(crate) fn range(&self, bucket: usize) -> Range<Duration> {
        let end = self.starts.get(bucket + 1).copied().unwrap_or(u64::MAX);
        Duration::from_nanos(self.starts[bucket])..Duration::from_nanos(end)
    }

    pub(crate) fn get(&self, bucket: usize) -> u64 {
        self.counts[bucket].load(Ordering::Relaxed)
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use super::*;

    fn filled(configuration: &HistogramConfiguration, nanos: &[u64]) -> Vec<u64> {
        let histogram = Histogram::new(configuration);
        for &nanos in nanos {
            histogram.count(Duration::from_nanos(nanos));
        }
        (0..histogram.buckets()).map(|bucket| histogram.get(bucket)).collect()
    }

    #[test]
    fn each_duration_falls_into_the_bucket_whose_range_has_it() {
        let linear = HistogramConfiguration::linear(Duration::from_nanos(50), 3);
        assert_eq!(filled(&linear, &[0, 49, 50, 99, 100, u64::MAX]), [2, 2, 2]);
        let log = HistogramConfiguration::log(LogHistogram::default());
        let histogram = Histogram::new(&log);
        for bucket in 0..histogram.buckets() {
            let range = histogram.range(bucket);
            histogram.count(range.start);
            histogram.count(range.end - Duration::from_nanos(1));
            assert_eq!(histogram.get(bucket), 2, "{range:?}");
        }
    }

    #[test]
    fn ranges_follow_one_another_from_zero_to_the_end() {
        let log = HistogramConfiguration::log(LogHistogram::builder().max_error(0.01));
        let histogram = Histogram::new(&log);
        let mut end = Duration::ZERO;
        for bucket in 0..histogram.buckets() {
            let range = histogram.range(bucket);
            assert_eq!(range.start, end);
            assert!(range.start < range.end);
            end = range.end;
        }
        assert_eq!(end, Duration::from_nanos(u64::MAX));
    }
}
