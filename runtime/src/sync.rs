//! Channels and locks between tasks, with tokio's names and semantics.
//!
//! They work between tasks of one shard, between shards, and with threads that run no tasks: for
//! those there are functions whose names begin with `blocking_`. Every operation that may wait
//! spends the task's [budget](crate::task::coop).
//!
//! | I want to | use |
//! |---|---|
//! | send messages from many to one | [`mpsc`] |
//! | send one answer | [`oneshot`] |
//! | send every message to everybody | [`broadcast`] |
//! | let everybody see the latest value | [`watch`] |
//! | bound how many do something at once | [`Semaphore`] |
//! | wake a task, or all | [`Notify`] |
//! | tell tasks to stop | [`CancellationToken`] |
//! | change something, one at a time | [`Mutex`] |
//! | let many read and one write | [`RwLock`] |
//! | make a value once, when it is first needed | [`OnceCell`] |
//! | wait for a value that somebody sets once | [`SetOnce`] |
//! | let tasks go on together | [`Barrier`] |
//!
//! Between tasks of one shard that never leave it [`local`] has the same for less.

// Waiters stand in a queue inside the primitive's mutex and are named by keys: no pointer to a
// future is kept anywhere, and a future that is leaked leaves a slot behind and nothing worse. No
// foreign code (wakers, values) runs under a mutex, but for the clones that `broadcast` makes under
// that of one message. Unsafe is only what hands out references to a value in a shared place.

mod barrier;
mod batch;
mod blocking;
pub mod broadcast;
mod cancellation_token;
#[cfg(all(test, henge_loom))]
mod channel_loom_tests;
mod error;
#[allow(unsafe_code, reason = "references to a value that a lock guards")]
mod guarded;
pub mod local;
#[cfg(all(test, henge_loom))]
#[allow(unsafe_code, reason = "what the locks of a model guard is a cell of the explorer's")]
mod lock_loom_tests;
#[allow(unsafe_code, reason = "says which field of a lock is guarded, and by what")]
mod locks;
pub mod mpsc;
mod mutex;
mod notification;
mod notify;
mod once_cell;
pub mod oneshot;
mod place;
mod poll_semaphore;
mod rwlock;
mod see_through;
mod semaphore;
mod sender_count;
mod set_once;
mod set_value;
mod wait_queue;
mod wake_batch;
pub mod watch;

pub use barrier::{Barrier, BarrierWaitResult};
pub use cancellation_token::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};
pub use error::{AcquireError, TryAcquireError, TryLockError};
pub use mpsc::poll::{PollSendError, PollSender};
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::Notify;
pub use once_cell::{OnceCell, SetError};
pub use poll_semaphore::PollSemaphore;
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use set_once::{SetOnce, SetOnceError};

/// Futures that have names.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}
