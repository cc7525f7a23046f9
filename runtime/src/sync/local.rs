//! Channels and locks between tasks of one shard: the same names and methods as in [`sync`], plain
//! memory instead of atomics.
//!
//! Moving between the two is one import, and the compiler says where it cannot be: what is here is
//! shared by `Rc`, so that no handle, no guard and no future of it is `Send`. There are no
//! `blocking_*` functions, as nobody else could ever end the wait. The errors are the same types.
//!
//! | I want to | use |
//! |---|---|
//! | send messages from many to one | [`mpsc`] |
//! | send one answer | [`oneshot`] |
//! | send every message to everybody | [`broadcast`] |
//! | let everybody see the latest value | [`watch`] |
//! | bound how many do something at once | [`Semaphore`] |
//! | change something, one at a time | [`Mutex`] |
//! | let many read and one write | [`RwLock`] |
//! | wake a task, or all | [`Notify`] |
//! | open a door, once or now and then | [`Event`] |
//!
//! What is not held across an await needs none of this: `Rc`, `Cell` and `RefCell` do.
//!
//! # Examples
//!
//! ```
//! use henge::sync::local::mpsc;
//!
//! # #[henge::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut rx) = mpsc::channel(16);
//! henge::spawn(async move { tx.send(std::rc::Rc::new(1)).await });
//! assert_eq!(*rx.recv().await.unwrap(), 1);
//! # }
//! ```
//!
//! Nothing here can reach another thread:
//!
//! ```compile_fail
//! let (tx, rx) = henge::sync::local::mpsc::channel::<u8>(1);
//! std::thread::spawn(move || drop(tx));
//! ```
//!
//! [`sync`]: crate::sync

// The rule of this folder: no foreign code (a waker's wake, clone or drop; a value's drop or
// clone) runs while a `RefCell` is borrowed, as it may come back to the same primitive. Places in
// a line are those of `sync::place` and `sync::wait_queue`, with a `RefCell` for the mutex.

pub mod broadcast;
mod event;
pub mod mpsc;
mod mutex;
mod notify;
pub mod oneshot;
mod permits;
mod rwlock;
mod semaphore;
pub mod watch;

pub use event::Event;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::{Notified, Notify, OwnedNotified};
pub(crate) use permits::{Closed, Permits, Stage};
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
