//! The threads of `new_multi_thread`: how they start, and how they end.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle as Thread;
use std::time::{Duration, Instant};

use henge_driver::sys;
use henge_driver::{Driver, Leaked};

use super::config::call;
use super::context;
use super::placement;
use super::seat::Seat;
use super::shard::Shard;
use super::shared::Shared;
use crate::executor::Home;

/// For how long a ring that ends waits for what was written to go out.
const DRAIN: Duration = Duration::from_millis(500);

/// For how long it then waits for the kernel to give everything back.
const REAP: Duration = Duration::from_millis(500);

/// How a shard's thread is started.
pub(super) struct Start {
    pub(super) name: String,
    pub(super) stack_bytes: usize,
    /// The CPU that it is pinned to.
    pub(super) cpu: Option<usize>,
}

/// Starts a thread for each shard, and returns when all of them run.
///
/// # Errors
/// The first that a thread met with. The others were told to end, and have ended.
pub(super) fn launch(shared: &Arc<Shared>, starts: Vec<Start>) -> io::Result<Vec<Thread<()>>> {
    let (report, reports) = mpsc::channel();
    let mut threads = Vec::with_capacity(starts.len());
    let mut failed = None;
    for (index, (start, seat)) in starts.into_iter().zip(shared.seats()).enumerate() {
        let (shared, report) = (Arc::clone(shared), report.clone());
        let main = move || live(&shared, index, &seat, start.cpu, report);
        match sys::thread::spawn(start.name, Some(start.stack_bytes), main) {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    drop(report);
    for error in reports.into_iter().filter_map(Result::err) {
        failed.get_or_insert(error);
    }
    let Some(error) = failed else { return Ok(threads) };
    dismiss(shared);
    for thread in threads {
        // Its error has been reported; a panic of a hook has been printed.
        drop(thread.join());
    }
    Err(error)
}

/// Tells each shard to end after the task that it runs.
pub(super) fn dismiss(shared: &Shared) {
    for seat in shared.seats() {
        let leave = |_: &Home| {
            context::with_shard(Shard::leave);
        };
        // One that has ended refuses.
        let _refused = seat.inbox.send(leave).is_err();
    }
}

/// Waits for the shards' threads, until `deadline` if there is one. Those that need longer go on
/// alone.
pub(super) fn join(shared: &Shared, threads: Vec<Thread<()>>, deadline: Option<Instant>) {
    if shared.running.wait(deadline) {
        for thread in threads {
            // What a thread panicked with was printed when it did.
            drop(thread.join());
        }
    }
}

/// The life of one shard's thread.
fn live(
    shared: &Arc<Shared>,
    index: usize,
    seat: &Seat,
    cpu: Option<usize>,
    report: mpsc::Sender<io::Result<()>>,
) {
    // Whatever happens below, a panic included.
    let _gone = shared.running.pass();
    let driver = match cpu.map_or(Ok(()), placement::pin) {
        Ok(()) => Driver::with_config(&shared.config.driver),
        Err(error) => Err(error),
    };
    let driver = match driver {
        Ok(driver) => driver,
        Err(error) => {
            Home::with_inbox(Arc::clone(&seat.inbox)).close();
            if let Some(partition) = shared.partitions.get(index) {
                partition.close();
            }
            // The launcher waits for it.
            drop(report.send(Err(error)));
            return;
        }
    };
    let shard = Shard::seated(shared, index, driver.clone(), seat);
    {
        let _within = shard.enter_all();
        match catch_unwind(AssertUnwindSafe(|| call(shared.config.hooks.start.as_ref()))) {
            Ok(()) => {
                drop(report);
                run(&shard);
            }
            // The panic was printed; the launcher tells whoever builds the runtime.
            Err(_panic) => {
                let text = format!("the hook `on_thread_start` panicked on shard {index}");
                drop(report.send(Err(io::Error::other(text))));
            }
        }
    }
    shard.close();
    end_driver(&driver);
    call(shared.config.hooks.stop.as_ref());
}

/// Runs turns until the shard is to end. A waker that is no task's may panic where no task runs, in
/// a completion or a timer. The panic was printed and is nobody's: the shard's tasks go on.
fn run(shard: &Shard) {
    while let Err(panic) = catch_unwind(AssertUnwindSafe(|| shard.run())) {
        if shard.is_failing() {
            resume_unwind(panic);
        }
    }
}

/// Ends a thread's ring: what was written goes out, the rest is cancelled, and what the kernel does
/// not give back in time is leaked, and said.
pub(super) fn end_driver(driver: &Driver) {
    let Leaked { operations, bytes, unsent, .. } = driver.shutdown(DRAIN, REAP);
    if operations > 0 || unsent > 0 {
        let text = format!(
            "henge: shut down with {operations} operations ({bytes} bytes) left to the kernel and \
             {unsent} bytes not sent\n"
        );
        // Where nobody reads it there is nobody to tell.
        drop(io::stderr().write_all(text.as_bytes()));
    }
}
