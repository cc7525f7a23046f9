//! Contestant: glommio, with its defaults.

#![deny(unsafe_code)]

mod echo;
mod pages_peer;
mod peer;

#[path = "../../common/rows/blocking.rs"]
mod blocking;
#[path = "../../common/rows/channel.rs"]
mod channel;
#[path = "../../common/rows/cross.rs"]
mod cross;
#[path = "../../common/rows/local.rs"]
mod local;
#[path = "../../common/rows/pages.rs"]
mod pages;
#[path = "../../common/rows/runtimes.rs"]
mod runtimes;
#[path = "../../common/rows/tasks.rs"]
mod tasks;
#[path = "../../common/rows/timers.rs"]
mod timers;

use contestant::{Job, NamedRow};

const ROWS: &[NamedRow] = &[
    ("spawn-batch", tasks::spawn_batch),
    ("spawn-one", tasks::spawn_one),
    ("yield", tasks::yield_thousand),
    ("wake-round-trip", local::wake_round_trip),
    ("channel-round-trip", channel::channel_round_trip),
    ("timer-drop", timers::drop_alone),
    ("timer-drop-earlier", timers::drop_with_earlier),
    ("timer-drop-million", timers::drop_among_million),
    ("timer-fire", timers::fire),
    ("cross-round-trip", cross::busy_round_trip),
    ("runtime", runtimes::one),
    ("runtime-pair", runtimes::pair),
    ("spawn-blocking", blocking::round_trip),
    ("idle-tasks", tasks::idle_tasks),
    ("file-read-1", pages::cached_one),
    ("file-read-32", pages::cached_many),
    ("direct-read-32", pages::direct_many),
    ("file-read-long", pages::cached_long),
];

fn main() -> std::io::Result<()> {
    match contestant::job() {
        Job::Echo { addr, buffer, .. } => peer::run(move || echo::serve(addr, buffer)),
        Job::Http { .. } => contestant::unsupported("no hyper without an adapter"),
        Job::Micro { row } => {
            contestant::micro(&row, ROWS);
            Ok(())
        }
    }
}
