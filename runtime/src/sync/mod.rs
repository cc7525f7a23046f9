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
//!
//! Between tasks of one shard that never leave it [`local`] has the same for less.

// Waiters stand in a queue inside the primitive's mutex and are named by keys: no pointer to a
// future is kept anywhere, and a future that is leaked leaves a slot behind and nothing worse. No
// foreign code (wakers, values) runs under a mutex. Unsafe is only what hands out references to a
// value in a shared place.

mod batch;
mod blocking;
pub mod broadcast;
mod cancellation_token;
mod error;
#[allow(unsafe_code, reason = "references to a value that a lock guards")]
mod guarded;
pub mod local;
#[allow(unsafe_code, reason = "says which field of a lock is guarded, and by what")]
mod locks;
pub mod mpsc;
mod mutex;
mod notify;
pub mod oneshot;
mod place;
mod poll_semaphore;
mod rwlock;
mod see_through;
mod semaphore;
mod wait_queue;
pub mod watch;

pub use cancellation_token::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};
pub use error::{AcquireError, TryAcquireError, TryLockError};
pub use mpsc::poll::{PollSendError, PollSender};
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::Notify;
pub use poll_semaphore::PollSemaphore;
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Futures that have names.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}
