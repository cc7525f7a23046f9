//! What does the mesh cost with more shards? Memory for each lane in use, and what a broadcast
//! takes in enters and time. Prints a table: `docs/scaling.md` compares it with its model.

#![deny(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the table is what it is for")]

use std::time::{Duration, Instant};

use henge::mesh;
use henge::runtime::{Builder, Pinning};
use henge::shard::{self, ShardId};

const BROADCASTS: u32 = 200;

/// This process's anonymous resident memory, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0_u64) * 1024
}

/// Every shard calls every other one, so that all lanes there can be are made.
async fn call_everybody() {
    for to in 0..shard::count() {
        assert!(ShardId::new(to).call_sync(|| ()).await.is_ok());
    }
}

/// Fills every lane once: memory that was never written to is not resident.
async fn fill_all_lanes(places: usize) {
    let own = shard::current().index();
    let others = (0..shard::count()).filter(|to| *to != own);
    for to in others {
        let calls: Vec<_> =
            (0..places).map(|_| henge::spawn(ShardId::new(to).call_sync(|| ()))).collect();
        for call in calls {
            assert!(matches!(call.await, Ok(Ok(()))));
        }
    }
}

struct Point {
    lane_bytes: u64,
    channel_lane_bytes: u64,
    enters: f64,
    time: Duration,
}

fn measure(shards: usize, places: usize) -> Point {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(shards).pinning(Pinning::None).lane_capacity(places);
    let runtime = builder.build().expect("the shards");
    let lanes = (shards * (shards - 1)) as u64;
    let before = resident();
    runtime.run(|| async { assert!(shard::broadcast(call_everybody).await.len() > 1) });
    // One after the other, so that little else is alive at the same time.
    runtime.run(move || async move {
        for at in 0..shard::count() {
            let filled = ShardId::new(at).call(move || fill_all_lanes(places)).await;
            assert!(filled.is_ok());
        }
    });
    let after = resident();
    // A channel to each shard, with a message from each of the others.
    let before_channels = resident();
    runtime.run(move || async move {
        for to in 0..shard::count() {
            let (sender, port) = mesh::channel::<[u64; 2]>(ShardId::new(to), 256);
            let sent = shard::broadcast(move || {
                let sender = sender.clone();
                async move {
                    for _ in 0..256 {
                        assert!(sender.try_send([1; 2]).is_ok());
                    }
                }
            });
            assert!(sent.await.iter().all(Result::is_ok));
            // It stays: what it takes is to be seen.
            std::mem::forget(port);
        }
    });
    let channels = resident();
    let (time, enters) = runtime.run(move || async move {
        let metrics = henge::runtime::Handle::current().metrics();
        let enters = metrics.shard(0).enters();
        let start = Instant::now();
        for _ in 0..BROADCASTS {
            assert!(shard::broadcast(|| async {}).await.iter().all(Result::is_ok));
        }
        (start.elapsed(), metrics.shard(0).enters() - enters)
    });
    Point {
        lane_bytes: after.saturating_sub(before) / lanes,
        channel_lane_bytes: channels.saturating_sub(before_channels) / (shards * shards) as u64,
        enters: enters as f64 / f64::from(BROADCASTS),
        time: time / BROADCASTS,
    }
}

fn main() {
    // Each point in a process of its own: what an earlier one gave back would be used again.
    if let Ok(point) = std::env::var(POINT) {
        let (shards, places) = point.split_once(' ').expect("two numbers");
        let (shards, places) = (shards.parse().expect("shards"), places.parse().expect("places"));
        let Point { lane_bytes, channel_lane_bytes, enters, time } = measure(shards, places);
        print!("| {shards} | {places} | {lane_bytes} | {channel_lane_bytes} ");
        println!("| {enters:.1} | {time:.1?} |");
        return;
    }
    println!("| shards | places | lane, bytes | channel's lane | enters a broadcast | its time |");
    println!("|---|---|---|---|---|---|");
    let program = std::env::current_exe().expect("this program");
    for (shards, places) in [(8, 256), (16, 256), (32, 256), (64, 256), (64, 32)] {
        let mut point = std::process::Command::new(&program);
        let ended = point.env(POINT, format!("{shards} {places}")).status();
        assert!(ended.is_ok_and(|ended| ended.success()));
    }
}

/// The environment variable that says which point to measure.
const POINT: &str = "MESH_SCALING_POINT";
