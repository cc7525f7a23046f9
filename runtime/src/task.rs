//! Tasks: futures that run by themselves, on the shard that they were spawned on.
//!
//! A task is polled and dropped by one thread, its home's, and need not be `Send`. What may be
//! elsewhere are its handles and its wakers: [`JoinHandle`] awaits the end, [`AbortHandle`] asks
//! for it, and both work from any shard, any thread and under any executor.
//!
//! ```
//! # #[henge::main(flavor = "current_thread")]
//! # async fn main() {
//! let task = henge::task::spawn(async { 6 * 7 });
//! assert_eq!(task.await.unwrap(), 42);
//! # }
//! ```
//!
//! A panic ends its task alone, and comes out of the handle as a [`JoinError`]. A task that
//! computes for long keeps its shard from everything else: it should [`yield_now`] now and then, or
//! be closures for [`spawn_blocking`].

mod abort_on_drop;
mod builder;
mod join_map;
mod join_queue;
pub mod join_set;
mod local_set;
mod scope;
mod spawn;
mod task_local;
pub mod task_tracker;

pub use abort_on_drop::{AbortOnDrop, AbortOnDropHandle};
pub use builder::{Builder, name};
pub use join_map::{JoinMap, JoinMapKeys};
pub use join_queue::JoinQueue;
pub use join_set::JoinSet;
pub use local_set::{LocalEnterGuard, LocalSet, spawn_local};
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use spawn::spawn;
#[doc(hidden)]
pub use task_local::Slot as __Slot;
pub use task_local::{AccessError, LocalKey};
#[doc(inline)]
pub use task_tracker::TaskTracker;

/// The futures of this module that have a name.
pub mod futures {
    #[doc(inline)]
    pub use super::task_local::TaskLocalFuture;
}

pub use crate::blocking::call::{block_in_place, spawn_blocking};
pub use crate::executor::coop::{self, consume_budget, unconstrained};
pub use crate::executor::{AbortHandle, Id, JoinError, JoinHandle, id, try_id, yield_now};
