//! The sending handle.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use henge_driver::coop;

use super::super::current;
use super::super::local::Local;
use super::outlet::{Called, Outlet, Part, Place};
use super::{Hub, lock};
use crate::loom::sync::Mutex;
use crate::shard_id::ShardId;
use crate::sync::mpsc::error::{SendError, TrySendError};

/// Sends to the shard of a [`channel`](super::channel()). It may be cloned, and used on all shards.
///
/// # Examples
/// ```
/// use henge::mesh::{Sender, channel};
/// use henge::shard::{self, ShardId};
///
/// /// A clone for each shard: none of them shares a lane.
/// async fn greet(sender: Sender<String>) {
///     let greeting = format!("hello from {}", shard::current());
///     assert!(sender.send(greeting).await.is_ok());
/// }
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() {
///     let (sender, port) = channel(shard::current(), 8);
///     henge::spawn_on(ShardId::new(1), || greet(sender));
///     assert_eq!(port.open().recv().await.as_deref(), Some("hello from 1"));
/// }
/// ```
pub struct Sender<T> {
    lanes: Arc<Lanes<T>>,
}

struct Lanes<T> {
    hub: Arc<Hub<T>>,
    /// By the number of the shard that sends.
    shards: Box<[OnceLock<Called<T>>]>,
    /// Of guests, and of a shard that has begun again on another thread.
    others: Mutex<Vec<Called<T>>>,
}

impl<T> Sender<T> {
    pub(super) fn new(hub: Arc<Hub<T>>) -> Sender<T> {
        let shards = (0..hub.peers.shards()).map(|_| OnceLock::new()).collect();
        Sender { lanes: Arc::new(Lanes { hub, shards, others: Mutex::new(Vec::new()) }) }
    }

    /// Which shard it sends to.
    ///
    /// # Examples
    /// ```
    /// use henge::mesh;
    /// use henge::shard::{self, ShardId};
    ///
    /// #[henge::main(worker_threads = 3)]
    /// async fn main() {
    ///     let lanes = [0, 1, 2].map(|index| mesh::channel::<u32>(ShardId::new(index), 8));
    ///     // To all shards but this one.
    ///     let others = lanes.iter().filter(|(sender, _port)| sender.shard() != shard::current());
    ///     assert_eq!(others.count(), 2);
    /// }
    /// ```
    pub fn shard(&self) -> ShardId {
        self.lanes.hub.to
    }

    /// How many messages from one shard wait at most.
    ///
    /// # Examples
    /// ```
    /// use henge::mesh;
    /// use henge::shard::ShardId;
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() {
    ///     let (sender, _port) = mesh::channel(ShardId::new(1), 3);
    ///     let mut sent = 0;
    ///     while sender.try_send(sent).is_ok() {
    ///         sent += 1;
    ///     }
    ///     assert_eq!(sent, sender.capacity(), "nobody receives");
    /// }
    /// ```
    pub fn capacity(&self) -> usize {
        self.lanes.hub.capacity
    }

    /// Whether the receiver has gone, with its shard or before it.
    ///
    /// # Examples
    /// ```
    /// use henge::mesh;
    /// use henge::shard::ShardId;
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() {
    ///     let (sender, port) = mesh::channel::<u32>(ShardId::new(1), 8);
    ///     assert!(!sender.is_closed());
    ///     let there = henge::spawn_on(port.shard(), || async { drop(port.open()) });
    ///     there.await.unwrap();
    ///     assert!(sender.is_closed());
    /// }
    /// ```
    pub fn is_closed(&self) -> bool {
        self.lanes.hub.is_closed()
    }
}

impl<T: Send + 'static> Sender<T> {
    /// Sends a message, after those that wait for room on this shard.
    ///
    /// The receiver sees it when this shard's turn ends, at the latest.
    ///
    /// # Errors
    /// With the message, if the receiver has gone. A message that was sent before is dropped with
    /// the receiver.
    ///
    /// # Panics
    /// When it is polled on a thread on which no runtime's loop runs.
    ///
    /// # Cancel safety
    /// If it is dropped before it is done the message was not sent, and the place in the line is
    /// lost.
    ///
    /// # Examples
    /// ```
    /// # use henge::{mesh, shard::ShardId};
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() {
    ///     let (sender, port) = mesh::channel(ShardId::new(1), 8);
    ///     drop(port);
    ///     let refused = sender.send(String::from("nobody there")).await;
    ///     assert_eq!(refused.unwrap_err().0, "nobody there");
    /// }
    /// ```
    #[inline]
    pub fn send(&self, message: T) -> Sending<'_, T> {
        Sending { sender: self, message: Some(message), waits: None }
    }

    /// Sends a message if there is room and nobody on this shard waits for it.
    ///
    /// # Errors
    /// With the message: [`Full`](TrySendError::Full), or [`Closed`](TrySendError::Closed) if the
    /// receiver has gone.
    ///
    /// # Panics
    /// On a thread on which no runtime's loop runs.
    ///
    /// # Examples
    /// ```
    /// # use henge::{mesh, shard::ShardId};
    /// use henge::sync::mpsc::error::TrySendError;
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() {
    ///     let (sender, _port) = mesh::channel(ShardId::new(1), 1);
    ///     assert_eq!(sender.try_send(1), Ok(()));
    ///     assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    /// }
    /// ```
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.with_lane(|local, called, part| {
            if called.content.who.hub.is_closed() {
                Err(TrySendError::Closed(message))
            } else if part.is_first(None) {
                let sent = part.push(local, called, message).map_err(TrySendError::Full);
                // Nor is there a budget for this.
                part.account();
                sent
            } else {
                Err(TrySendError::Full(message))
            }
        })
    }

    /// Sends a message along the lane of this thread if there is nothing else to do, as there is
    /// once in a while: see [`Part::push_quickly`]. Else it comes back.
    #[inline]
    fn push_quickly(&self, message: T) -> Result<(), T> {
        current::with(|local| {
            if let Some(local) = local
                && let Some(place) = self.lanes.shards.get(local.number())
                && let Some(called) = place.get()
                && let Some(part) = called.content.who.part(local)
                && !called.content.who.hub.is_closed()
            {
                return part.push_quickly(message);
            }
            Err(message)
        })
    }

    /// Calls `f` with the lane of this thread.
    fn with_lane<R>(&self, f: impl FnOnce(&Local, &Called<T>, &Part<T>) -> R) -> R {
        current::with(|local| {
            let Some(local) = local else { panic!("a channel to a shard is for shards") };
            let own = local.index().and_then(|index| self.lanes.shards.get(index)?.get());
            if let Some(called) = own
                && let Some(part) = called.content.who.part(local)
            {
                return f(local, called, part);
            }
            let called = self.other_lane(local);
            match called.content.who.part(local) {
                Some(part) => f(local, &called, part),
                None => unreachable!("it is this thread's"),
            }
        })
    }

    /// The lane of a thread that sends for the first time, or has none at its shard's place.
    #[cold]
    fn other_lane(&self, local: &Local) -> Called<T> {
        let Lanes { hub, shards, others } = &*self.lanes;
        let ours = Arc::ptr_eq(&hub.peers, local.peers());
        if let Some(index) = local.index().filter(|_| ours)
            && let Some(place) = shards.get(index)
            && place.get().is_none()
        {
            return Arc::clone(place.get_or_init(|| Outlet::new(hub, local)));
        }
        let mut others = lock(others);
        let known = others.iter().find(|called| called.content.who.part(local).is_some());
        match known {
            Some(called) => Arc::clone(called),
            None => {
                let called = Outlet::new(hub, local);
                others.push(Arc::clone(&called));
                called
            }
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.lanes.hub.retain();
        Sender { lanes: Arc::clone(&self.lanes) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.lanes.hub.release();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("channel", &self.lanes.hub).finish()
    }
}

/// The future of [`Sender::send`].
///
/// # Examples
/// ```
/// use std::future::{Future, poll_fn};
/// use std::pin::Pin;
/// use std::task::Poll;
/// use henge::mesh::{Sending, channel};
/// use henge::shard;
///
/// #[henge::main(worker_threads = 1)]
/// async fn main() {
///     let (sender, port) = channel(shard::current(), 1);
///     assert!(sender.try_send("first").is_ok());
///     let mut second: Sending<'_, &str> = sender.send("second");
///     let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut second).poll(cx))).await;
///     assert!(polled.is_pending(), "it waits in line for room");
///
///     assert_eq!(port.open().recv().await, Some("first"));
/// }
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Sending<'a, T: Send + 'static> {
    sender: &'a Sender<T>,
    /// Empty once it was sent or refused.
    message: Option<T>,
    /// Behind a pointer, so that to drop a future that has not waited is to compare this with zero:
    /// one that counts, whose drop is so little code that the compiler makes no call of it.
    waits: Option<Arc<Waits<T>>>,
}

/// A place in a line, which is given up when this is dropped.
struct Waits<T: Send + 'static> {
    at: Called<T>,
    place: Arc<Place>,
}

impl<T: Send + 'static> Future for Sending<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.waits.is_none()
            && let Some(message) = self.message.take()
        {
            match self.sender.push_quickly(message) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(message) => self.message = Some(message),
            }
        }
        self.poll_slowly(cx)
    }
}

impl<T: Send + 'static> Sending<'_, T> {
    /// What is to be done once in a while is done here. The budget of the task's poll, too, is
    /// asked for once for all that was sent quickly.
    #[inline(never)]
    fn poll_slowly(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        let unit = ready!(coop::poll_proceed(cx));
        let sender = self.sender;
        sender.with_lane(|local, called, part| {
            let Some(message) = self.message.take() else {
                panic!("a message was sent already, and its future polled again")
            };
            let sent = if self.waits.is_none()
                && part.is_first(None)
                && !called.content.who.hub.is_closed()
            {
                part.push(local, called, message)
            } else {
                Err(message)
            };
            let sent = match sent {
                Ok(()) => Poll::Ready(Ok(())),
                Err(message) => {
                    self.message = Some(message);
                    self.wait(local, called, part, cx)
                }
            };
            if sent.is_ready() {
                unit.spend(part.account());
            }
            sent
        })
    }

    /// There was no room, or others wait.
    #[cold]
    fn wait(
        &mut self,
        local: &Local,
        called: &Called<T>,
        part: &Part<T>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        // Whoever waited on another thread begins anew on this one.
        if self.waits.as_ref().is_some_and(|waits| !Arc::ptr_eq(&waits.at, called)) {
            self.waits = None;
        }
        let place = part.wait(self.waits.as_ref().map(|waits| Arc::clone(&waits.place)), cx);
        if self.waits.is_none() {
            let waits = Waits { at: Arc::clone(called), place: Arc::clone(&place) };
            self.waits = Some(Arc::new(waits));
        }
        local.hope(true);
        called.content.want();
        let Some(message) = self.message.take() else { unreachable!("it was not sent") };
        if called.content.who.hub.is_closed() {
            self.waits = None;
            return Poll::Ready(Err(SendError(message)));
        }
        if part.is_first(Some(&place)) {
            match part.push(local, called, message) {
                Ok(()) => {
                    self.waits = None;
                    return Poll::Ready(Ok(()));
                }
                Err(message) => self.message = Some(message),
            }
        } else {
            self.message = Some(message);
        }
        Poll::Pending
    }
}

impl<T: Send + 'static> Drop for Waits<T> {
    fn drop(&mut self) {
        Outlet::leave(&self.at, &self.place);
    }
}

impl<T: Send + 'static> Unpin for Sending<'_, T> {}

impl<T: Send + 'static> fmt::Debug for Sending<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("to", self.sender).finish_non_exhaustive()
    }
}
