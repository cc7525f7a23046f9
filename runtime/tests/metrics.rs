//! What a runtime says of itself is what it has done, in numbers and as text.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use henge::runtime::{Builder, HistogramConfiguration, LogHistogram, Runtime};

fn polls_by_bucket(runtime: &Runtime, shard: usize) -> Vec<u64> {
    let metrics = runtime.metrics();
    let buckets = 0..metrics.poll_time_histogram_num_buckets();
    buckets.map(|bucket| metrics.poll_time_histogram_bucket_count(shard, bucket)).collect()
}

#[test]
fn polls_are_counted_by_how_long_they_take() {
    let linear = HistogramConfiguration::linear(Duration::from_millis(20), 2);
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_metrics_poll_time_histogram()
        .metrics_poll_time_histogram_configuration(linear)
        .build()
        .expect("a runtime");
    runtime.run(|| async {
        for _ in 0..100 {
            henge::spawn(async {}).await.expect("it ends");
        }
        let long = henge::spawn(async { std::thread::sleep(Duration::from_millis(30)) });
        long.await.expect("it ends");
    });
    let metrics = runtime.metrics();
    assert!(metrics.poll_time_histogram_enabled());
    let polls = polls_by_bucket(&runtime, 0);
    let counted: u64 = polls.iter().sum();
    assert!(polls[1] >= 1, "the long one is above 20 ms: {polls:?}");
    assert!(counted >= 101, "each task was polled: {polls:?}");
    assert!(metrics.worker_mean_poll_time(0) * counted as u32 >= Duration::from_millis(29));
    let unbounded = Duration::from_millis(20)..Duration::from_nanos(u64::MAX);
    assert_eq!(metrics.poll_time_histogram_bucket_range(1), unbounded);
}

#[test]
fn the_future_of_block_on_is_no_task_and_not_counted() {
    let runtime = Builder::new_current_thread()
        .enable_metrics_poll_time_histogram()
        .metrics_poll_time_histogram_configuration(HistogramConfiguration::log(
            LogHistogram::default(),
        ))
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for _ in 0..5 {
            henge::spawn(async {}).await.expect("it ends");
        }
    });
    assert_eq!(polls_by_bucket(&runtime, 0).iter().sum::<u64>(), 5);
}

#[test]
fn without_being_asked_nothing_is_timed() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async { henge::spawn(async {}).await.expect("it ends") });
    let metrics = runtime.metrics();
    assert!(!metrics.poll_time_histogram_enabled());
    assert_eq!(metrics.poll_time_histogram_num_buckets(), 0);
    assert_eq!(metrics.worker_mean_poll_time(0), Duration::ZERO);
    assert!(!metrics.prometheus().contains("poll_seconds"));
}

/// The samples of a page by name and labels. Panics where the page is not what Prometheus reads.
fn samples(page: &str) -> HashMap<&str, f64> {
    let mut samples = HashMap::new();
    let mut typed = "";
    for line in page.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let words: Vec<&str> = comment.splitn(3, ' ').collect();
            assert!(["HELP", "TYPE"].contains(&words[0]) && words.len() == 3, "{line}");
            if words[0] == "TYPE" {
                assert!(["counter", "gauge", "histogram"].contains(&words[2]), "{line}");
                typed = words[1];
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(series.starts_with(typed), "{line} stands under the type of {typed}");
        let value = value.parse().expect("a number");
        assert!(samples.insert(series, value).is_none(), "{series} is there twice");
    }
    samples
}

#[test]
fn the_page_for_prometheus_says_the_same_as_the_numbers() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_metrics_poll_time_histogram()
        .build()
        .expect("a runtime");
    runtime.run(|| async {
        henge::time::sleep(Duration::from_millis(2)).await;
        assert!(henge::metrics::prometheus().contains("henge_shards 2\n"));
    });
    // The other shard may be slow to begin.
    let begun = Instant::now();
    while runtime.metrics().shard(1).turns() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never turns");
        std::thread::sleep(Duration::from_millis(1));
    }
    let page = runtime.metrics().prometheus();
    let samples = samples(&page);
    let metrics = runtime.metrics();
    assert_eq!(samples["henge_shards"], 2.0);
    for shard in 0..2 {
        let labelled = |name: &str| samples[format!("{name}{{shard=\"{shard}\"}}").as_str()];
        let now = metrics.shard(shard);
        assert!(labelled("henge_shard_turns_total") >= 1.0);
        assert!(labelled("henge_shard_turns_total") <= now.turns() as f64);
        assert!(labelled("henge_shard_parks_total") <= now.parks() as f64);
        // Buckets are cumulative, and the last one has all.
        let bucket = |end: &str| {
            let series =
                format!("henge_shard_poll_seconds_bucket{{shard=\"{shard}\",le=\"{end}\"}}");
            samples[series.as_str()]
        };
        assert!(bucket("0.0001") <= bucket("0.0002") && bucket("0.0009") <= bucket("+Inf"));
        assert_eq!(bucket("+Inf"), labelled("henge_shard_poll_seconds_count"));
    }
    assert_eq!(samples["henge_lane_depth{from=\"0\",to=\"1\"}"], 0.0);
    assert!(samples["henge_shard_poll_seconds_count{shard=\"0\"}"] >= 1.0);
}
