//! Typed channels to a shard: a bounded ring for each shard that sends, made when it first does.
//!
//! # The protocol
//!
//! A message is moved into the ring of the sender's thread and out of it by the receiver's; it is
//! never allocated, and no lock is taken. What is sent is published at once if it is the first, so
//! that who looks sees it; else with what follows it, at the end of the turn at the latest. Who is
//! to be called is called at the end of the poll if it is the first of the turn, else then; and
//! with a batch if it is seen to wait, which may be missed, since a batch has no fence. What is
//! taken in a turn makes room that is told at *its* end, with one call to each thread on which
//! somebody waits for room. Calls are [`Summons`](super::summons::Summons).
//!
//! *The quick way.* Most messages are neither the first nor the last of anything, and are put into
//! the ring or taken out of it with nothing else done. Whatever else there is to do is done where
//! the ring's end stops (`ring`: *limit*, *run*): a producer at the end of a line of slots, and in
//! any case after a flush and while somebody waits for room; a consumer after a run of messages,
//! and in any case when the sender is to be told of room again.
//!
//! A loop that is awake [watches](super::watch) the lanes of a receiver that waits: the desk does
//! not want to be called then, and nobody does. It wants to when the loop would sleep.
//!
//! ```text
//!    a sender's thread                                  the receiver's thread
//!    Outlet: producer, those who wait for room          Inlet: consumer
//!        |  publish; call the desk if wanted -------------> Desk: who receives
//!        | <-------- at the end of a turn: call outlets that were taken from, if wanted
//! ```
//!
//! *New lanes.* A receiver watches only lanes that it has seen. So the first message of a lane
//! calls the desk whether that is wanted or not.
//!
//! *The end of the senders.* `Hub::senders` counts handles; an outlet says in `unpublished` that it
//! has something the receiver cannot see yet, for the last handle may go before its thread's turn
//! ends. Whoever finds that there are no handles any more, the last one or an outlet that has just
//! published, calls the desk in any case.
//!
//! *The end of the receiver.* It turns `closed` on, puts its ends of the rings where senders find
//! them, and drops what is in them. A sender that publishes afterwards finds `closed`, and drops
//! what is in them itself. Between the two is a pair of fences: one of them sees the other.

mod desk;
#[cfg(all(test, henge_loom))]
mod loom_tests;
mod outlet;
mod receiver;
mod sender;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crossbeam_utils::CachePadded;

use super::current;
use super::peers::Peers;
use super::ring::{self, Consumer};
use super::summons::{Summons, fence_before_calls};
use crate::executor::inbox::Parcel;
use crate::loom::sync::atomic::{AtomicBool, AtomicUsize};
use crate::loom::sync::{Mutex, MutexGuard, OnceLock};
use crate::shard_id::ShardId;
use desk::Desk;
use receiver::Inlet;

pub use receiver::Receiver;
pub use sender::{Sender, Sending};

/// A channel to a shard, with room for `capacity` messages from each shard that sends.
///
/// The [`Port`] goes to the shard, and is opened there. Each shard that sends gets a lane of its
/// own when it first does, so senders on different shards share nothing; the receiver takes from
/// them in turns. Messages from one shard arrive in the order in which they were sent.
///
/// # Panics
/// If `capacity` is 0, or more messages than addresses reach, or the runtime has no such shard. On
/// a thread on which no runtime's loop runs.
///
/// # Examples
/// ```
/// use henge::mesh;
/// use henge::shard::ShardId;
///
/// #[henge::main(worker_threads = 3)]
/// async fn main() -> Result<(), henge::mesh::CallError> {
///     let (sender, port) = mesh::channel(ShardId::new(0), 64);
///     for shard in 1..3 {
///         let sender = sender.clone();
///         henge::spawn_on(ShardId::new(shard), move || async move {
///             // With room for it, sending does not wait.
///             assert!(sender.send(shard).await.is_ok());
///         });
///     }
///     drop(sender);
///     let mut receiver = port.open();
///     let mut sum = 0;
///     while let Some(number) = receiver.recv().await {
///         sum += number;
///     }
///     assert_eq!(sum, 1 + 2);
///     Ok(())
/// }
/// ```
#[track_caller]
pub fn channel<T>(to: ShardId, capacity: usize) -> (Sender<T>, Port<T>)
where
    T: Send + 'static,
{
    assert!(capacity > 0, "a channel must have room for a message");
    assert!(ring::may_have::<T>(capacity), "a channel cannot have room for {capacity} messages");
    let peers = current::peers("a channel must be made");
    let shards = peers.shards();
    assert!(to.index() < shards, "there is no shard {to}: this runtime has {shards}");
    let hub = Arc::new(Hub {
        peers,
        to,
        capacity,
        closed: AtomicBool::new(false),
        desk: OnceLock::new(),
        has_arrivals: AtomicBool::new(false),
        arrivals: Mutex::new(Vec::new()),
        left: Mutex::new(Vec::new()),
        senders: CachePadded::new(AtomicUsize::new(1)),
    });
    (Sender::new(Arc::clone(&hub)), Port { hub: Some(hub) })
}

/// The receiving end of a [`channel`] on its way to its shard.
///
/// Dropping it closes the channel.
///
/// # Examples
/// ```
/// use henge::mesh::{Port, channel};
/// use henge::shard::ShardId;
///
/// async fn sum(port: Port<u32>) -> u32 {
///     let (mut receiver, mut sum) = (port.open(), 0);
///     while let Some(number) = receiver.recv().await {
///         sum += number;
///     }
///     sum
/// }
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() {
///     let (sender, port) = channel(ShardId::new(1), 8);
///     let sum = henge::spawn_on(ShardId::new(1), || sum(port));
///     for number in 1..=4 {
///         assert!(sender.send(number).await.is_ok());
///     }
///     drop(sender);
///     assert_eq!(sum.await.unwrap(), 10);
/// }
/// ```
pub struct Port<T> {
    /// Empty once it was opened.
    hub: Option<Arc<Hub<T>>>,
}

impl<T: Send + 'static> Port<T> {
    /// Which shard it is to be opened on.
    ///
    /// # Examples
    /// ```
    /// use henge::{mesh, shard};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() {
    ///     let (_sender, port) = mesh::channel::<u32>(shard::ShardId::new(1), 8);
    ///     // Wherever that is:
    ///     let opened = henge::spawn_on(port.shard(), || async {
    ///         drop(port.open());
    ///         shard::current()
    ///     });
    ///     assert_eq!(opened.await.unwrap().index(), 1);
    /// }
    /// ```
    pub fn shard(&self) -> ShardId {
        match &self.hub {
            Some(hub) => hub.to,
            None => unreachable!("it is used up by `open`"),
        }
    }

    /// The receiver, which stays on this shard.
    ///
    /// # Panics
    /// On another shard than that which the channel was made for.
    ///
    /// # Examples
    /// ```
    /// use henge::{mesh, shard};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() {
    ///     let (sender, port) = mesh::channel(shard::current(), 8);
    ///     // What is sent before the port is opened waits in its lane.
    ///     let sent = henge::spawn_on(shard::ShardId::new(1), || async move {
    ///         sender.send("early").await.is_ok()
    ///     });
    ///     assert!(sent.await.unwrap());
    ///     assert_eq!(port.open().recv().await, Some("early"));
    /// }
    /// ```
    #[track_caller]
    pub fn open(mut self) -> Receiver<T> {
        match self.hub.take() {
            Some(hub) => Receiver::new(hub),
            None => unreachable!("it is used up by this"),
        }
    }
}

impl<T> Drop for Port<T> {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.take() {
            hub.close(Vec::new());
        }
    }
}

impl<T> fmt::Debug for Port<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("channel", &self.hub).finish()
    }
}

/// What all threads of a channel share.
struct Hub<T> {
    peers: Arc<Peers>,
    to: ShardId,
    /// Of each lane.
    capacity: usize,
    /// The receiver has gone.
    closed: AtomicBool,
    /// How the receiver is called, once there is one.
    desk: OnceLock<Arc<Parcel<Summons<Desk>>>>,
    /// Whether there is something in `arrivals`.
    has_arrivals: AtomicBool,
    /// Lanes that the receiver has not seen.
    arrivals: Mutex<Vec<Inlet<T>>>,
    /// What the receiver has left to the senders.
    left: Mutex<Vec<Consumer<T>>>,
    /// Handles.
    senders: CachePadded<AtomicUsize>,
}

impl<T> Hub<T> {
    #[inline]
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Calls the receiver if it wants to be called, after `fence_before_calls` (without, the caller
    /// has a flush to come). Says whether this did.
    #[inline]
    fn call_receiver(&self) -> bool {
        self.desk.get().is_some_and(Summons::call)
    }

    /// Calls the receiver whether it wants to be called or not.
    fn nudge_receiver(&self) {
        // It looks at everything when it opens its end: either it sees what was done before this,
        // or its desk is seen by this.
        fence_before_calls();
        if let Some(desk) = self.desk.get() {
            Summons::nudge(desk);
        }
    }

    fn retain(&self) {
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    /// One sender less.
    fn release(&self) {
        // AcqRel: what the senders have done comes before what finds that there are none.
        if self.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.nudge_receiver();
        }
    }

    fn has_senders(&self) -> bool {
        // Acquire: pairs with `release`.
        self.senders.load(Ordering::Acquire) > 0
    }

    /// Shows the receiver a new lane.
    fn add(&self, inlet: Inlet<T>) {
        let mut arrivals = lock(&self.arrivals);
        if !self.is_closed() {
            arrivals.push(inlet);
            self.has_arrivals.store(true, Ordering::Relaxed);
        }
    }

    /// Lanes that the receiver has not seen.
    fn arrivals(&self) -> Vec<Inlet<T>> {
        if !self.has_arrivals.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let mut arrivals = lock(&self.arrivals);
        self.has_arrivals.store(false, Ordering::Relaxed);
        std::mem::take(&mut *arrivals)
    }

    /// The receiver goes, and leaves these.
    fn close(&self, mut inlets: Vec<Inlet<T>>) {
        self.closed.store(true, Ordering::Relaxed);
        inlets.append(&mut lock(&self.arrivals));
        fence_before_calls();
        let (consumers, outlets): (Vec<_>, Vec<_>) =
            inlets.into_iter().map(Inlet::into_parts).unzip();
        lock(&self.left).extend(consumers);
        outlets.into_iter().for_each(|outlet| outlet.room().call());
        while let Some(message) = self.next_left() {
            drop(message);
        }
    }

    /// One of the messages that nobody will receive.
    fn next_left(&self) -> Option<T> {
        lock(&self.left).iter().find_map(Consumer::pop)
    }
}

impl<T> fmt::Debug for Hub<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("to", &self.to)
            .field("capacity", &self.capacity)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// What is guarded is whole at every moment, whoever panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
