//! What the measurements share: a runtime of one shard, a clock of CPU time, a cell to wake by.

#![deny(unsafe_code)]

mod slot;
/// The comparison's contestants are packages of their own, but may well wake by the same cell.
#[path = "../compare/contestants/common/src/turn.rs"]
mod turn;

use std::future::Future;
use std::time::Duration;

use henge::runtime::Builder;
use rustix::time::{ClockId, clock_gettime};

pub use slot::Slot;
pub use turn::Turn;

/// Runs a future on a new runtime of one shard: this thread.
///
/// # Panics
/// If this machine cannot have a ring.
pub fn one_shard<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    match Builder::new_current_thread().build() {
        Ok(runtime) => runtime.block_on(make()),
        Err(error) => panic!("no runtime: {error}"),
    }
}

/// The CPU time of this thread since it began.
pub fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
