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
//!
//! Between tasks of one shard that never leave it, `Rc` and `RefCell` need none of this.

// Waiters stand in a queue inside the primitive's mutex and are named by keys: no pointer to a
// future is kept anywhere, so nothing in this module is unsafe, and a future that is leaked leaves
// a slot behind and nothing worse. No foreign code (wakers, values) runs under a mutex.

mod batch;
mod blocking;
pub mod broadcast;
mod cancellation_token;
mod error;
pub mod mpsc;
mod notify;
pub mod oneshot;
mod place;
mod poll_semaphore;
mod semaphore;
mod wait_queue;
pub mod watch;

pub use cancellation_token::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};
pub use error::{AcquireError, TryAcquireError};
pub use mpsc::poll::{PollSendError, PollSender};
pub use notify::{Notified, Notify, OwnedNotified};
pub use poll_semaphore::PollSemaphore;
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
