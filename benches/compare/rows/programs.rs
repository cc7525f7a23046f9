//! The small programs: what their contestants know them by, and what an operation is.

/// On a runtime of one thread, on one CPU.
pub(super) const ON_ONE: &[(&str, &str)] = &[
    ("block-on-nothing", "`block_on` of a future that is ready"),
    ("block-on-spawn", "`block_on` of a task spawned and joined"),
    ("block-on-message", "`block_on` of a message that is there"),
    ("block-on-entered", "a task spawned from outside, and `block_on` of its end"),
    ("spawn-one", "a task spawned and joined"),
    ("spawn-many", "the same, a hundred at a time"),
    ("yield-two", "a yield of one of two tasks"),
    ("join-three", "three futures by `join!`"),
    ("join-set", "a task of a `JoinSet` of a hundred"),
    ("abort", "a task that waits, aborted and joined"),
    ("task-local", "a `task_local` scope"),
    ("recursion", "a level of an async function that calls itself"),
    ("local-set", "a task of a `LocalSet`, spawned and joined"),
    ("mpsc", "a message from task to task, 16 at most under way"),
    ("mpsc-unbounded", "the same without a bound"),
    ("mpsc-fan-in", "a message from one of ten tasks to one"),
    ("mpsc-pipeline", "a message through five tasks"),
    ("mpsc-many", "a message, taken with others by `recv_many`"),
    ("worker-pool", "a question to one of ten workers, ten under way"),
    ("request-reply", "a question to a task, and its answer"),
    ("merge", "a message of one of two channels, by `select!`"),
    ("broadcast", "a message to four tasks"),
    ("broadcast-lag", "a message to a task that misses most"),
    ("watch", "a change of a value, seen and told back"),
    ("mutex", "a lock that ten tasks want, held while others run"),
    ("rwlock", "a lock of eight readers and two writers"),
    ("semaphore", "one of four permits, for ten tasks"),
    ("notify", "a `Notify` there and one back"),
    ("barrier", "a wait of one of ten tasks for the others"),
    ("thread-sends", "a message from a thread to a task"),
    ("thread-asks", "a thread's question to a task, and its answer"),
    ("thread-answers", "a task's question to a thread, and its answer"),
    ("thread-spawns", "a task that a thread spawns, and its result"),
    ("threads-block-on", "a message from one of four threads in `block_on`"),
    ("thread-for-each", "a thread that blocks on one future"),
    ("blocking-one", "a closure in the blocking pool"),
    ("blocking-burst", "the same, 64 at a time"),
    ("sleep", "a sleep of a millisecond"),
    ("sleep-many", "a task that sleeps for 1 to 10 ms, of 5,000"),
    ("interval", "a tick of an interval of a millisecond"),
    ("timeout-met", "a bound of 5 s for what takes a turn"),
    ("timeout-missed", "a bound of a millisecond for what never ends"),
    ("select-timer", "a message, and an idle timer set anew"),
    ("file-small", "a file of 1 KiB written, read and removed"),
    ("file-large", "64 KiB of a file written and read"),
    ("file-append", "a line appended to a file and flushed"),
    ("file-seek", "a page read after a seek"),
    ("file-lines", "a line written and read through buffers"),
    ("file-list", "an entry of a folder and its metadata"),
    ("tcp-trip", "64 B over TCP and back"),
    ("tcp-bulk", "64 KiB over TCP"),
    ("tcp-lines", "a line over TCP, and the line that answers"),
    ("tcp-split", "8 B over TCP and back, many under way"),
    ("tcp-short", "a connection for one message and its echo"),
    ("tcp-storm", "the same, fifty at once"),
    ("tcp-proxy", "64 B over TCP and back, through a proxy"),
    ("unix-trip", "64 B over a Unix socket and back"),
    ("unix-bulk", "64 KiB over a Unix socket"),
    ("udp-trip", "a datagram and its echo"),
    ("unix-datagrams", "the same by Unix sockets"),
    ("pipe", "8 B by one pipe and back by another"),
    ("duplex-trip", "64 B by `io::duplex` and back"),
    ("duplex-copy", "16 KiB by `io::copy`"),
    ("frames", "a frame with its length in front, by `io::duplex`"),
    ("process", "a child that does nothing"),
    ("process-pipe", "a child that sends back what it is sent"),
    ("signal", "a signal to this process"),
];

/// On a runtime of two threads, on two CPUs.
pub(super) const ON_TWO: &[(&str, &str)] = &[
    ("two-block-on-nothing", "`block_on` of a future that is ready"),
    ("two-spawn-each", "a task spawned from outside and joined there, of a hundred"),
    ("two-mpsc", "a message from task to task"),
    ("two-fan-in", "a message from one of ten tasks to one"),
    ("two-request-reply", "a question to a task, and its answer"),
    ("two-worker-pool", "a question to one of ten workers, ten under way"),
    ("two-broadcast", "a message to four tasks"),
    ("two-watch", "a change of a value, seen and told back"),
    ("two-mutex", "a lock that ten tasks want, held while others run"),
    ("two-semaphore", "one of four permits, for ten tasks"),
    ("two-notify", "a `Notify` there and one back"),
    ("two-barrier", "a wait of one of ten tasks for the others"),
    ("two-thread-sends", "a message from a thread to a task"),
    ("two-thread-asks", "a thread's question to a task, and its answer"),
    ("two-threads-block-on", "a message from one of four threads in `block_on`"),
    ("two-blocking-burst", "a closure in the blocking pool, 64 at a time"),
    ("two-sleep-many", "a task that sleeps for 1 to 10 ms, of 5,000"),
    ("two-tcp-trip", "64 B over TCP and back"),
    ("two-tcp-bulk", "64 KiB over TCP"),
    ("two-tcp-storm", "a connection for one message, fifty at once"),
    ("two-file-small", "a file of 1 KiB written, read and removed"),
];

#[cfg(test)]
mod tests {
    use super::{ON_ONE, ON_TWO};

    /// The contestants' own table names the same programs in the same order, on as many CPUs.
    #[test]
    fn every_row_is_a_program() {
        let text = include_str!("../contestants/programs/src/programs.rs");
        let names = |table: &str| -> Vec<&str> {
            let (_, after) = text.split_once(table).expect("the table is there");
            let (table, _) = after.split_once("];").expect("the table ends");
            let lines = table.lines().filter_map(|line| line.trim().strip_prefix("(\""));
            lines.filter_map(|line| line.split('"').next()).collect()
        };
        for (table, rows) in [("const ON_ONE", ON_ONE), ("const ON_TWO", ON_TWO)] {
            let rows: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
            assert_eq!(names(table), rows);
        }
    }
}
