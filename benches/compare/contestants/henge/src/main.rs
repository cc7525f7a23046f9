//! Contestant: henge, one shard.

#![deny(unsafe_code)]

mod echo;
mod http;
mod pages_peer;
mod peer;
mod served_peer;

#[path = "../../common/rows/blocking.rs"]
mod blocking;
#[path = "../../common/rows/channel.rs"]
mod channel;
#[path = "../../common/rows/cross.rs"]
mod cross;
#[path = "../../common/rows/everyday.rs"]
mod everyday;
#[path = "../../common/rows/exact.rs"]
mod exact;
#[path = "../../common/rows/files.rs"]
mod files;
#[path = "../../common/rows/lanes.rs"]
mod lanes;
#[path = "../../common/rows/local.rs"]
mod local;
#[path = "../../common/rows/pages.rs"]
mod pages;
#[path = "../../common/rows/runtimes.rs"]
mod runtimes;
#[path = "../../common/rows/served.rs"]
mod served;
#[path = "../../common/rows/steal.rs"]
mod steal;
#[path = "../../common/rows/streams.rs"]
mod streams;
#[path = "../../common/rows/sync.rs"]
mod sync;
#[path = "../../common/rows/tasks.rs"]
mod tasks;
#[path = "../../common/rows/threads.rs"]
mod threads;
#[path = "../../common/rows/timers.rs"]
mod timers;
#[path = "../../common/rows/udp.rs"]
mod udp;

use contestant::{Job, NamedRow};

const ROWS: &[NamedRow] = &[
    ("spawn-batch", tasks::spawn_batch),
    ("spawn-one", tasks::spawn_one),
    ("yield", tasks::yield_thousand),
    ("wake-round-trip", local::wake_round_trip),
    ("channel-round-trip", channel::channel_round_trip),
    ("oneshot-round-trip", sync::oneshot_round_trip::<peer::Everywhere>),
    ("mutex", sync::mutex_uncontended::<peer::Everywhere>),
    ("local-channel-round-trip", sync::channel_round_trip::<peer::Local>),
    ("local-oneshot-round-trip", sync::oneshot_round_trip::<peer::Local>),
    ("local-mutex", sync::mutex_uncontended::<peer::Local>),
    ("timer-drop", timers::drop_alone),
    ("timer-drop-earlier", timers::drop_with_earlier),
    ("timer-drop-million", timers::drop_among_million),
    ("timer-fire", timers::fire),
    ("timer-exact", exact::many),
    ("timer-exact-few", exact::few),
    ("channel-threads", threads::bounded),
    ("unbounded-threads", threads::unbounded),
    ("channel-runtimes", threads::bounded_by_tasks),
    ("unbounded-runtimes", threads::unbounded_by_tasks),
    ("oneshot-runtimes", threads::oneshot_trip),
    ("mutex-runtimes", threads::mutex),
    ("semaphore-runtimes", threads::semaphore),
    ("notify-runtimes", threads::notify_trip),
    ("watch-runtimes", threads::watched),
    ("broadcast-runtimes", threads::broadcast),
    ("cross-round-trip", cross::busy_round_trip),
    ("lane", lanes::throughput),
    ("lane-trip-busy", lanes::busy_round_trip),
    ("lane-trip-idle", lanes::idle_round_trip),
    ("cross-call", lanes::calls),
    ("steal-large", steal::large),
    ("steal-small", steal::small),
    ("steal-io", steal::with_io),
    ("udp-echo", udp::echo),
    ("select", everyday::select_three),
    ("join-set", everyday::join_set),
    ("sleeping-tasks", everyday::sleeping_tasks),
    ("runtime", runtimes::one),
    ("runtime-pair", runtimes::pair),
    ("spawn-blocking", blocking::round_trip),
    ("idle-tasks", tasks::idle_tasks),
    ("file-read-1", pages::cached_one),
    ("file-read-32", pages::cached_many),
    ("direct-read-32", pages::direct_many),
    ("file-read-long", pages::cached_long),
    ("direct-stream", streams::direct),
    ("small-files", files::small_files),
    ("walk-tree", files::walk),
    ("append-sync", files::append),
    ("copy", files::copy),
];

fn main() -> std::io::Result<()> {
    match contestant::job() {
        Job::Echo { addr, buffer, variant } => match variant.as_str() {
            "owned" => peer::run(|| echo::serve(addr, echo::by_buffers)),
            "no-spin" => peer::run_without_spin(|| {
                echo::serve(addr, move |stream| echo::by_copies(stream, buffer))
            }),
            _ => peer::run(|| echo::serve(addr, move |stream| echo::by_copies(stream, buffer))),
        },
        Job::Http { addr, file: Some(bytes), .. } => {
            peer::run(|| served::serve::<served_peer::BySendfile>(addr, bytes))
        }
        Job::Http { addr, .. } => peer::run(|| http::serve(addr)),
        Job::Micro { row } => {
            contestant::micro(&row, ROWS);
            Ok(())
        }
    }
}
