//! What is measured: the rows, in the order of the report.

mod programs;

use crate::load::Arrival;

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// What the row shows, for the report's heading.
    pub(crate) title: String,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Echo {
        size: usize,
        connections: usize,
        depth: usize,
        arrival: Arrival,
    },
    /// hyper's hello server under wrk, or one that serves a file of so many bytes.
    Http {
        connections: usize,
        file: Option<u64>,
    },
    /// A row that a contestant measures by itself.
    Micro {
        row: &'static str,
        cores: usize,
        figure: &'static str,
    },
    /// Likewise, about files.
    Files {
        row: &'static str,
        figure: &'static str,
    },
    /// A small program, the same text on henge and on tokio.
    Program {
        row: &'static str,
        cores: usize,
    },
    /// Memory of a connection that has echoed once and gone idle.
    Idle {
        connections: usize,
    },
}

/// Rows that the contestants measure by themselves: name, title, cores, and the figure that counts.
const MICRO: [(&str, &str, usize, &str); 42] = [
    ("spawn-batch", "a task spawned and joined, a thousand at a time", 1, "cpu_ns"),
    ("spawn-one", "a task spawned and joined, one at a time", 1, "cpu_ns"),
    ("yield", "a yield, among a thousand tasks", 1, "cpu_ns"),
    ("wake-round-trip", "a round trip between two tasks of a thread, by waker", 1, "cpu_ns"),
    ("channel-round-trip", "the same over the runtime's own channel", 1, "cpu_ns"),
    ("oneshot-round-trip", "a question, and its answer by a one-message channel", 1, "cpu_ns"),
    ("mutex", "a mutex that nobody else wants, locked and unlocked", 1, "cpu_ns"),
    ("local-channel-round-trip", "channel-round-trip by channels of one thread", 1, "cpu_ns"),
    ("local-oneshot-round-trip", "oneshot-round-trip by channels of one thread", 1, "cpu_ns"),
    ("local-mutex", "mutex by one of one thread", 1, "cpu_ns"),
    ("timer-drop", "a timer made and dropped, nothing earlier due", 1, "cpu_ns"),
    ("timer-drop-earlier", "a timer made and dropped, one due earlier", 1, "cpu_ns"),
    ("timer-drop-million", "a timer made and dropped, a million pending", 1, "cpu_ns"),
    ("timer-fire", "a timer fired, 100,000 within a second", 1, "cpu_ns"),
    ("timer-exact", "timer-fire, as exact as it gets", 1, "cpu_ns"),
    ("timer-exact-few", "a timer fired, of ten tasks that sleep for 1 to 10 ms", 1, "cpu_ns"),
    ("channel-threads", "a message from one of two threads to a third", 2, "wall_ns"),
    ("unbounded-threads", "the same without a bound", 2, "wall_ns"),
    ("channel-runtimes", "channel-threads by tasks of a runtime each", 2, "wall_ns"),
    ("unbounded-runtimes", "the same without a bound", 2, "wall_ns"),
    ("oneshot-runtimes", "a question to another runtime, and its answer", 2, "wall_ns"),
    ("mutex-runtimes", "a mutex that two runtimes want", 2, "wall_ns"),
    ("semaphore-runtimes", "a semaphore of one permit that two runtimes want", 2, "wall_ns"),
    ("notify-runtimes", "two runtimes notify each other", 2, "wall_ns"),
    ("watch-runtimes", "a change of a value that another runtime watches", 2, "wall_ns"),
    ("broadcast-runtimes", "a message to tasks of two runtimes", 2, "wall_ns"),
    ("cross-round-trip", "a round trip between two busy shards", 2, "cpu_ns"),
    ("lane", "a message from one shard to another, as many as it takes", 2, "cpu_ns"),
    ("lane-trip-busy", "a round trip over channels between two busy shards", 2, "cpu_ns"),
    ("lane-trip-idle", "the same between two that have nothing else to do", 2, "cpu_ns"),
    ("cross-call", "a question to another shard, a thousand at a time", 2, "cpu_ns"),
    ("steal-large", "a task of 20 to 200 µs, of 10,000 that one shard spawns", 2, "wall_ns"),
    ("steal-small", "a task of 1 to 3 µs, of 200,000 that one shard spawns", 2, "wall_ns"),
    ("steal-io", "steal-large, and each task asks an echo first", 2, "wall_ns"),
    ("udp-echo", "a datagram of 64B and its echo, 32 peers, both ends on one core", 1, "cpu_ns"),
    ("select", "a message of one of three channels, by `select!`", 1, "cpu_ns"),
    ("join-set", "a task of a set of 100,000, spawned and joined", 1, "cpu_ns"),
    ("runtime", "a runtime of one thread made, used once and dropped", 1, "cpu_ns"),
    ("runtime-pair", "the same of two shards", 2, "cpu_ns"),
    ("spawn-blocking", "a closure in the blocking pool and back, one core", 1, "cpu_ns"),
    ("sleeping-tasks", "memory of a task that sleeps, of a million", 1, "bytes"),
    ("idle-tasks", "memory of an idle task with a 72-byte future, of a million", 1, "bytes"),
];

/// Rows about files: name, what the contestants know it by, title, and the figure that counts.
/// Where a device sets the pace that is the time; what it costs to keep up is a row of its own.
const FILES: [(&str, &str, &str, &str); 10] = [
    ("file-read-1", "file-read-1", "a page of a file in memory, one at a time", "wall_ns"),
    ("file-read-32", "file-read-32", "a page of a file in memory, by 32 tasks", "wall_ns"),
    ("file-read-long", "file-read-long", "a MiB of a file in memory", "wall_ns"),
    ("direct-read-32", "direct-read-32", "a page of a file on the device, by 32 tasks", "cpu_ns"),
    ("direct-rate-32", "direct-read-32", "the same, by the clock", "wall_ns"),
    ("direct-stream", "direct-stream", "a MiB of a file on the device, read ahead", "wall_ns"),
    ("small-files", "small-files", "a small file read, of 10,000", "wall_ns"),
    ("walk-tree", "walk-tree", "a file of a tree that is walked, with its metadata", "wall_ns"),
    ("append-sync", "append-sync", "a record of a log, on the device before the next", "wall_ns"),
    ("copy", "copy", "a MiB of a file copied", "wall_ns"),
];

pub(crate) fn all() -> Vec<Row> {
    let mut rows = Vec::new();
    for size in [64, 4_096, 16_384] {
        let size_name =
            if size < 1_024 { format!("{size}B") } else { format!("{}KiB", size / 1_024) };
        // With one connection the two ways of arriving are the same.
        let arrivals = [("", Arrival::Trickling)];
        for (connections, depth, arrivals) in
            [(1, 1, &arrivals[..]), (50, 1, &BOTH), (1_000, 1, &BOTH), (50, 16, &BOTH)]
        {
            for &(arrival_name, arrival) in arrivals {
                let depth_name = if depth > 1 { format!("x{depth}") } else { String::new() };
                let name = format!("echo-{size_name}-{connections}{depth_name}{arrival_name}");
                let deep = if depth > 1 { format!(", {depth} deep") } else { String::new() };
                let how = arrival_name.replace('-', ", ");
                let title = format!("echo of {size_name}, {connections} connections{deep}{how}");
                let kind = Kind::Echo { size, connections, depth, arrival };
                rows.push(Row {
                    name,
                    title: title.replace("1 connections", "1 connection"),
                    kind,
                });
            }
        }
    }
    for (name, micros) in [("200us", 200), ("5ms", 5_000)] {
        rows.push(Row {
            name: format!("echo-paced-{name}"),
            title: format!("echo of 64B, a request every {name} on one connection"),
            kind: Kind::Echo {
                size: 64,
                connections: 1,
                depth: 1,
                arrival: Arrival::Paced(micros),
            },
        });
    }
    rows.push(Row {
        name: "http-50".into(),
        title: "hyper's hello server under wrk, 50 connections".into(),
        kind: Kind::Http { connections: 50, file: None },
    });
    for kib in [16, 1_024] {
        rows.push(Row {
            name: format!("file-server-{kib}KiB"),
            title: format!("a file of {kib} KiB in memory, served under wrk, 10 connections"),
            kind: Kind::Http { connections: 10, file: Some(kib << 10) },
        });
    }
    for (row, title, cores, figure) in MICRO {
        rows.push(Row {
            name: row.into(),
            title: title.into(),
            kind: Kind::Micro { row, cores, figure },
        });
    }
    for (name, row, title, figure) in FILES {
        let kind = Kind::Files { row, figure };
        rows.push(Row { name: name.into(), title: title.into(), kind });
    }
    rows.push(Row {
        name: "idle-connections".into(),
        title: "memory of a connection that echoed once and went idle, of 10,000".into(),
        kind: Kind::Idle { connections: 10_000 },
    });
    for (cores, list) in [(1, programs::ON_ONE), (2, programs::ON_TWO)] {
        rows.extend(list.iter().map(|&(row, title)| Row {
            name: format!("program-{row}"),
            title: title.into(),
            kind: Kind::Program { row, cores },
        }));
    }
    rows
}

const BOTH: [(&str, Arrival); 2] =
    [("-bursty", Arrival::Bursty), ("-trickling", Arrival::Trickling)];

impl Kind {
    /// Whether it is a server under load, which is more than one figure.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Kind::Echo { .. } | Kind::Http { .. })
    }

    /// Whether it is a small program, of which only two runtimes know.
    pub(crate) fn is_program(&self) -> bool {
        matches!(self, Kind::Program { .. })
    }

    /// The figure by which the row is judged.
    pub(crate) fn figure(&self) -> &'static str {
        match self {
            Kind::Echo { .. } | Kind::Http { .. } | Kind::Program { .. } => "cpu_ns",
            Kind::Micro { figure, .. } | Kind::Files { figure, .. } => figure,
            Kind::Idle { .. } => "bytes",
        }
    }
}
