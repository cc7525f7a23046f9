//! The programs, one for each primitive.

mod barrier;
mod broadcast;
mod cells;
mod locks;
mod mpsc;
mod notify;
mod oneshot;
mod order;
mod semaphore;
mod watch;

pub(crate) use barrier::barrier;
pub(crate) use broadcast::broadcast;
pub(crate) use cells::{once_cell, set_once};
pub(crate) use locks::{mutex, rwlock};
pub(crate) use mpsc::{bounded_mpsc, unbounded_mpsc};
pub(crate) use notify::notify;
pub(crate) use oneshot::oneshot;
pub(crate) use order::order;
pub(crate) use semaphore::semaphore;
pub(crate) use watch::watch;

use super::{runtime, spawn, sync, task};
