//! The numbers as text, in Prometheus' exposition format, version 0.0.4:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! Names end in `_total` where a number only grows and in the unit where it has one. A number of a
//! shard has the label `shard`.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use super::{RuntimeMetrics, ShardMetrics};

/// Whether a number only grows.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

/// A number: its name, what it means, and where it is had from.
struct Row<T> {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    value: fn(&T) -> Value,
}

enum Value {
    Count(u64),
    Seconds(Duration),
}

use Kind::{Counter, Gauge};
use Value::{Count, Seconds};

#[rustfmt::skip]
const RUNTIME: &[Row<RuntimeMetrics>] = &[
    Row { name: "henge_shards", kind: Gauge, help: "Shards.",
        value: |runtime| Count(runtime.num_workers() as u64) },
    Row { name: "henge_alive_tasks", kind: Gauge, help: "Tasks that have not ended.",
        value: |runtime| Count(runtime.num_alive_tasks() as u64) },
    Row { name: "henge_global_queue_depth", kind: Gauge,
        help: "Stealable tasks in the queue that all shards have in common.",
        value: |runtime| Count(runtime.global_queue_depth() as u64) },
    Row { name: "henge_blocking_threads", kind: Gauge, help: "Threads of the blocking pool.",
        value: |runtime| Count(runtime.num_blocking_threads() as u64) },
    Row { name: "henge_idle_blocking_threads", kind: Gauge,
        help: "Threads of the blocking pool that have nothing to do.",
        value: |runtime| Count(runtime.num_idle_blocking_threads() as u64) },
    Row { name: "henge_blocking_queue_depth", kind: Gauge,
        help: "Closures that wait for a thread of the blocking pool.",
        value: |runtime| Count(runtime.blocking_queue_depth() as u64) },
    Row { name: "henge_blocking_waits_total", kind: Counter,
        help: "Closures that have waited for a thread of the blocking pool, which was at its cap.",
        value: |runtime| Count(runtime.blocking_wait_count()) },
    Row { name: "henge_blocking_wait_seconds_total", kind: Counter,
        help: "For how long those closures have waited.",
        value: |runtime| Seconds(runtime.blocking_total_wait_duration()) },
];

#[rustfmt::skip]
const SHARD: &[Row<ShardMetrics>] = &[
    Row { name: "henge_shard_turns_total", kind: Counter, help: "Turns of the shard's loop.",
        value: |shard| Count(shard.turns()) },
    Row { name: "henge_shard_polls_total", kind: Counter, help: "Polls of tasks.",
        value: |shard| Count(shard.polls()) },
    Row { name: "henge_shard_enters_total", kind: Counter,
        help: "System calls that entered the shard's ring.",
        value: |shard| Count(shard.enters()) },
    Row { name: "henge_shard_completions_total", kind: Counter,
        help: "Completions of the shard's operations.",
        value: |shard| Count(shard.completions()) },
    Row { name: "henge_shard_spins_total", kind: Counter,
        help: "Times that the shard looked for work, instead of sleeping, and found some.",
        value: |shard| Count(shard.spins()) },
    Row { name: "henge_shard_spins_in_vain_total", kind: Counter,
        help: "Times that the shard looked for work, found none, and slept after all.",
        value: |shard| Count(shard.spins_in_vain()) },
    Row { name: "henge_shard_parks_total", kind: Counter, help: "Times that the shard slept.",
        value: |shard| Count(shard.parks()) },
    Row { name: "henge_shard_batch_waits_total", kind: Counter,
        help: "Times that the shard slept until several completions were there.",
        value: |shard| Count(shard.batch_waits()) },
    Row { name: "henge_shard_busy_seconds_total", kind: Counter,
        help: "For how long the shard was awake.",
        value: |shard| Seconds(shard.busy()) },
    Row { name: "henge_shard_parked_seconds_total", kind: Counter,
        help: "For how long the shard slept.",
        value: |shard| Seconds(shard.parked()) },
    Row { name: "henge_shard_wakes_sent_total", kind: Counter,
        help: "Times that the shard woke another one that slept.",
        value: |shard| Count(shard.wakes_sent()) },
    Row { name: "henge_shard_wakes_saved_total", kind: Counter,
        help: "Times that the shard had news for another one that was awake.",
        value: |shard| Count(shard.wakes_saved()) },
    Row { name: "henge_shard_queued_tasks", kind: Gauge,
        help: "Tasks of the shard that wait for their turn.",
        value: |shard| Count(shard.queued() as u64) },
    Row { name: "henge_shard_alive_tasks", kind: Gauge,
        help: "Tasks of the shard that have not ended.",
        value: |shard| Count(shard.alive() as u64) },
    Row { name: "henge_shard_timers", kind: Gauge, help: "Timers that have not fired.",
        value: |shard| Count(shard.timers() as u64) },
    Row { name: "henge_shard_stolen_tasks_total", kind: Counter,
        help: "Tasks that the shard has taken from others.",
        value: |shard| Count(shard.steals()) },
    Row { name: "henge_shard_steal_operations_total", kind: Counter,
        help: "Times that the shard has taken tasks from others.",
        value: |shard| Count(shard.steal_operations()) },
    Row { name: "henge_shard_searches_total", kind: Counter,
        help: "Times that the shard began to look for tasks of others.",
        value: |shard| Count(shard.searches()) },
    Row { name: "henge_shard_overflows_total", kind: Counter,
        help: "Times that the shard's ring of stealable tasks was full.",
        value: |shard| Count(shard.overflows()) },
    Row { name: "henge_shard_buffer_bytes", kind: Gauge,
        help: "Memory of the shard's receive buffers.",
        value: |shard| Count(shard.buffer_bytes() as u64) },
    Row { name: "henge_shard_buffers_found_empty_total", kind: Counter,
        help: "Times that the kernel had bytes for a stream and found no buffer free.",
        value: |shard| Count(shard.buffers_found_empty()) },
    Row { name: "henge_shard_stalls_total", kind: Counter,
        help: "Polls that took longer than the detector of stalls allows.",
        value: |shard| Count(shard.stalls()) },
];

pub(super) fn write(runtime: &RuntimeMetrics) -> String {
    let mut text = String::with_capacity(8 << 10);
    // Writing to a string cannot fail.
    let _always_ok = write_to(&mut text, runtime);
    text
}

fn write_to(text: &mut String, runtime: &RuntimeMetrics) -> fmt::Result {
    for row in RUNTIME {
        head(text, row.name, row.kind, row.help)?;
        writeln!(text, "{} {}", row.name, (row.value)(runtime))?;
    }
    let shards: Vec<ShardMetrics> =
        (0..runtime.num_workers()).map(|index| runtime.shard(index)).collect();
    for row in SHARD {
        head(text, row.name, row.kind, row.help)?;
        for (index, shard) in shards.iter().enumerate() {
            writeln!(text, "{}{{shard=\"{index}\"}} {}", row.name, (row.value)(shard))?;
        }
    }
    lane_depths(text, &shards)?;
    if runtime.poll_time_histogram_enabled() {
        poll_times(text, runtime)?;
    }
    Ok(())
}

fn head(text: &mut String, name: &str, kind: Kind, help: &str) -> fmt::Result {
    let kind = match kind {
        Counter => "counter",
        Gauge => "gauge",
    };
    write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n")
}

/// One number for each ordered pair: those of a shard that falls behind stand out.
fn lane_depths(text: &mut String, shards: &[ShardMetrics]) -> fmt::Result {
    const NAME: &str = "henge_lane_depth";
    head(text, NAME, Gauge, "Calls and answers from one shard that another has not taken yet.")?;
    for (to, shard) in shards.iter().enumerate() {
        for from in (0..shards.len()).filter(|&from| from != to) {
            let depth = shard.lane_depth(from);
            writeln!(text, "{NAME}{{from=\"{from}\",to=\"{to}\"}} {depth}")?;
        }
    }
    Ok(())
}

/// Buckets are cumulative there: each has all that is not above its end.
fn poll_times(text: &mut String, runtime: &RuntimeMetrics) -> fmt::Result {
    const NAME: &str = "henge_shard_poll_seconds";
    write!(text, "# HELP {NAME} How long polls of tasks took.\n# TYPE {NAME} histogram\n")?;
    let buckets = runtime.poll_time_histogram_num_buckets();
    for shard in 0..runtime.num_workers() {
        let mut below = 0;
        for bucket in 0..buckets {
            below += runtime.poll_time_histogram_bucket_count(shard, bucket);
            if bucket + 1 < buckets {
                let end = runtime.poll_time_histogram_bucket_range(bucket).end.as_secs_f64();
                writeln!(text, "{NAME}_bucket{{shard=\"{shard}\",le=\"{end}\"}} {below}")?;
            }
        }
        writeln!(text, "{NAME}_bucket{{shard=\"{shard}\",le=\"+Inf\"}} {below}")?;
        let total = runtime.total_poll_time(shard).as_secs_f64();
        writeln!(text, "{NAME}_sum{{shard=\"{shard}\"}} {total}")?;
        writeln!(text, "{NAME}_count{{shard=\"{shard}\"}} {below}")?;
    }
    Ok(())
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Count(count) => count.fmt(f),
            Seconds(duration) => duration.as_secs_f64().fmt(f),
        }
    }
}
