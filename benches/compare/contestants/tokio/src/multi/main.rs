//! Contestant: tokio, the `multi_thread` runtime with as many workers as it takes by itself.

#![deny(unsafe_code)]

#[path = "../echo.rs"]
mod echo;
#[path = "../http.rs"]
mod http;
#[path = "../pages_peer.rs"]
mod pages_peer;
mod peer;

#[path = "../../../common/rows/blocking.rs"]
mod blocking;
#[path = "../../../common/rows/channel.rs"]
mod channel;
#[path = "../../../common/rows/cross.rs"]
mod cross;
#[path = "../../../common/rows/files.rs"]
mod files;
#[path = "../../../common/rows/lanes.rs"]
mod lanes;
#[path = "../../../common/rows/pages.rs"]
mod pages;
#[path = "../../../common/rows/runtimes.rs"]
mod runtimes;
#[path = "../../../common/rows/steal.rs"]
mod steal;
#[path = "../../../common/rows/tasks.rs"]
mod tasks;
#[path = "../../../common/rows/timers.rs"]
mod timers;

use contestant::{Job, NamedRow};

// Without the rows whose tasks are not `Send`.
const ROWS: &[NamedRow] = &[
    ("spawn-batch", tasks::spawn_batch),
    ("spawn-one", tasks::spawn_one),
    ("yield", tasks::yield_thousand),
    ("channel-round-trip", channel::channel_round_trip),
    ("timer-drop", timers::drop_alone),
    ("timer-drop-earlier", timers::drop_with_earlier),
    ("timer-drop-million", timers::drop_among_million),
    ("timer-fire", timers::fire),
    ("cross-round-trip", cross::busy_round_trip),
    ("lane", lanes::throughput),
    ("lane-trip-busy", lanes::busy_round_trip),
    ("lane-trip-idle", lanes::idle_round_trip),
    ("cross-call", lanes::calls),
    ("steal-large", steal::large),
    ("steal-small", steal::small),
    ("steal-io", steal::with_io),
    ("runtime", runtimes::one),
    ("runtime-pair", runtimes::pair),
    ("spawn-blocking", blocking::round_trip),
    ("idle-tasks", tasks::idle_tasks),
    ("file-read-1", pages::cached_one),
    ("file-read-32", pages::cached_many),
    ("direct-read-32", pages::direct_many),
    ("file-read-long", pages::cached_long),
    ("small-files", files::small_files),
    ("walk-tree", files::walk),
    ("append-sync", files::append),
    ("copy", files::copy),
];

fn main() -> std::io::Result<()> {
    match contestant::job() {
        Job::Echo { addr, buffer, .. } => peer::run(move || echo::serve(addr, buffer)),
        Job::Http { file: Some(_), .. } => contestant::unsupported("the row is about one thread"),
        Job::Http { addr, .. } => peer::run(move || http::serve(addr)),
        Job::Micro { row } => {
            contestant::micro(&row, ROWS);
            Ok(())
        }
    }
}
