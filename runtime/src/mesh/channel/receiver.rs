//! The receiving end: all lanes of a channel, taken from in turns.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use henge_driver::coop;

use super::super::current;
use super::super::ring::Consumer;
use super::super::summons::{Summons, fence_before_calls};
use super::Hub;
use super::desk::{Desk, Inward};
use crate::executor::inbox::Parcel;
use crate::sync::mpsc::error::TryRecvError;

/// Messages in a row from one lane while others have some.
const IN_A_ROW: usize = 32;

/// Receives on its shard what others send there; see [`channel`](super::channel()).
///
/// It takes 32 messages at most from one shard before it looks at the next. Dropping it closes the
/// channel: senders get their messages back, and messages that were not received are dropped.
///
/// # Examples
/// ```
/// use henge::mesh::{Receiver, channel};
/// use henge::shard::{self, ShardId};
///
/// async fn greatest(mut receiver: Receiver<u32>) -> Option<u32> {
///     let mut greatest = None;
///     while let Some(number) = receiver.recv().await {
///         greatest = greatest.max(Some(number));
///     }
///     greatest
/// }
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() {
///     let (sender, port) = channel(shard::current(), 8);
///     henge::spawn_on(ShardId::new(1), || async move {
///         for number in [3, 9, 4] {
///             assert!(sender.send(number).await.is_ok());
///         }
///     });
///     assert_eq!(greatest(port.open()).await, Some(9));
/// }
/// ```
pub struct Receiver<T> {
    hub: Arc<Hub<T>>,
    inlets: Vec<Inlet<T>>,
    /// Which of them is looked at.
    at: usize,
    /// Messages in a row from this one, with those that may be taken without a second thought.
    row: usize,
    desk: Arc<Parcel<Summons<Desk>>>,
    /// It stays on its shard.
    here: PhantomData<*const ()>,
}

/// The receiving end of a lane.
pub(super) struct Inlet<T> {
    consumer: Consumer<T>,
    outlet: Arc<Inward>,
    /// Messages that were taken since it was told at once, before this run.
    taken: Cell<usize>,
    /// With how many messages this run began.
    run: Cell<usize>,
}

impl<T: Send + 'static> Inlet<T> {
    pub(super) fn new(consumer: Consumer<T>, outlet: Arc<Inward>) -> Inlet<T> {
        Inlet { consumer, outlet, taken: Cell::new(0), run: Cell::new(0) }
    }
}

impl<T> Inlet<T> {
    pub(super) fn into_parts(self) -> (Consumer<T>, Arc<Inward>) {
        (self.consumer, self.outlet)
    }
}

impl<T: Send + 'static> Receiver<T> {
    #[track_caller]
    pub(super) fn new(hub: Arc<Hub<T>>) -> Receiver<T> {
        let desk = current::with(|local| {
            let local = local.filter(|local| {
                Arc::ptr_eq(local.peers(), &hub.peers) && local.index() == Some(hub.to.index())
            })?;
            Some(Desk::new(local))
        });
        let Some(desk) = desk else {
            hub.close(Vec::new());
            panic!("this channel is to shard {}, and is received from there", hub.to);
        };
        // A port is opened once.
        drop(hub.desk.set(Arc::clone(&desk)));
        // Before the first look: against the one in `Hub::nudge_receiver`.
        fence_before_calls();
        Receiver { hub, inlets: Vec::new(), at: 0, row: 0, desk, here: PhantomData }
    }

    /// The next message; none when all senders are gone and everything was received.
    ///
    /// # Panics
    /// When it is polled elsewhere than inside of its shard's loop.
    ///
    /// # Cancel safety
    /// Nothing is lost when it is dropped.
    ///
    /// # Examples
    /// ```
    /// # use henge::{mesh, shard};
    /// #[henge::main]
    /// async fn main() {
    ///     let (sender, port) = mesh::channel(shard::current(), 8);
    ///     let mut receiver = port.open();
    ///     assert!(sender.send(7).await.is_ok());
    ///     drop(sender);
    ///     assert_eq!(receiver.recv().await, Some(7));
    ///     assert_eq!(receiver.recv().await, None);
    /// }
    /// ```
    #[inline]
    pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
        // The compiler's own states between the caller's and this one would cost as much as it all.
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// Puts the next messages into `buffer`, `limit` at most, and says how many: none when all
    /// senders are gone and everything was received, or if `limit` is zero. It waits for the first
    /// one only.
    ///
    /// # Panics
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Nothing is lost when it is dropped.
    ///
    /// # Examples
    /// ```
    /// # use henge::{mesh, shard};
    /// #[henge::main]
    /// async fn main() {
    ///     let (sender, port) = mesh::channel(shard::current(), 8);
    ///     let mut receiver = port.open();
    ///     for number in 0..5 {
    ///         assert!(sender.send(number).await.is_ok());
    ///     }
    ///     henge::task::yield_now().await; // the end of a turn
    ///     let mut numbers = Vec::new();
    ///     assert_eq!(receiver.recv_many(&mut numbers, 3).await, 3);
    ///     assert_eq!(receiver.recv_many(&mut numbers, 3).await, 2);
    ///     assert_eq!(numbers, [0, 1, 2, 3, 4]);
    /// }
    /// ```
    pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        if limit == 0 {
            return 0;
        }
        let Some(first) = self.recv().await else { return 0 };
        buffer.push(first);
        let mut count = 1;
        while count < limit
            && let Some(message) = self.take()
        {
            buffer.push(message);
            count += 1;
        }
        count
    }

    /// The next message, if there is one.
    ///
    /// # Errors
    /// [`Empty`](TryRecvError::Empty), or [`Disconnected`](TryRecvError::Disconnected) when there
    /// will never be another one.
    ///
    /// # Examples
    /// ```
    /// # use henge::{mesh, shard};
    /// use henge::sync::mpsc::error::TryRecvError;
    ///
    /// #[henge::main]
    /// async fn main() {
    ///     let (sender, port) = mesh::channel::<u8>(shard::current(), 8);
    ///     let mut receiver = port.open();
    ///     assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    ///     drop(sender);
    ///     assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    /// }
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        if let Some(message) = self.take() {
            return Ok(message);
        }
        if self.has_senders() {
            return Err(TryRecvError::Empty);
        }
        // What they sent before they went is there by now.
        self.take().ok_or(TryRecvError::Disconnected)
    }

    /// [`recv`](Self::recv) as a poll.
    ///
    /// # Panics
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::task::Poll;
    /// use henge::{mesh, shard};
    ///
    /// #[henge::main(worker_threads = 1)]
    /// async fn main() {
    ///     let (urgent, urgent_port) = mesh::channel(shard::current(), 8);
    ///     let (bulk, bulk_port) = mesh::channel(shard::current(), 8);
    ///     let (mut first, mut second) = (urgent_port.open(), bulk_port.open());
    ///     assert!(bulk.send("bulk").await.is_ok() && urgent.send("urgent").await.is_ok());
    ///
    ///     // Whatever comes, the urgent before the rest.
    ///     let next = poll_fn(|cx| match first.poll_recv(cx) {
    ///         Poll::Pending => second.poll_recv(cx),
    ///         urgent => urgent,
    ///     });
    ///     assert_eq!(next.await, Some("urgent"));
    /// }
    /// ```
    #[inline]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match self.take_quickly() {
            Some(message) => Poll::Ready(Some(message)),
            None => self.poll_slowly(cx),
        }
    }

    /// The same where a run of messages has ended. The budget of the task's poll is asked for here,
    /// for all that follow in the next run.
    #[inline(never)]
    fn poll_slowly(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let unit = ready!(coop::poll_proceed(cx));
        let is_new = self.run() == 0;
        let message = match self.take_slowly() {
            Some(message) => Poll::Ready(Some(message)),
            None => self.wait(cx),
        };
        if message.is_ready() && is_new {
            unit.spend(u8::try_from(self.run() + 1).unwrap_or(coop::BUDGET));
        }
        message
    }

    /// How many messages are left in the run.
    fn run(&self) -> usize {
        self.inlets.get(self.at).map_or(0, |inlet| inlet.consumer.run())
    }

    /// There was nothing.
    #[cold]
    fn wait(&mut self, cx: &Context<'_>) -> Poll<Option<T>> {
        let Some(waiter) = self.desk.content.who.waiter() else {
            panic!("shard {} receives here, inside of its loop", self.hub.to)
        };
        let known = waiter.waker.borrow().as_ref().is_some_and(|own| own.will_wake(cx.waker()));
        if !known {
            let waker = cx.waker().clone();
            let old = waiter.waker.replace(Some(waker));
            drop(old);
        }
        waiter.be_called(&self.desk);
        if let Some(message) = self.take() {
            self.stop_waiting();
            return Poll::Ready(Some(message));
        }
        if self.has_senders() {
            return Poll::Pending;
        }
        Poll::Ready(self.take())
    }

    fn stop_waiting(&self) {
        if let Some(waiter) = self.desk.content.who.waiter() {
            waiter.waits.set(false);
        }
    }

    /// Whether there are senders, or messages that they have left and that cannot be seen yet.
    fn has_senders(&mut self) -> bool {
        if self.hub.has_senders() {
            return true;
        }
        // In this order: who has sent something says so before it goes.
        self.take_arrivals();
        self.inlets.iter().any(|inlet| inlet.outlet.room().has_unpublished())
    }

    /// The next message, from the lane whose turn it is.
    #[inline]
    fn take(&mut self) -> Option<T> {
        self.take_quickly().or_else(|| self.take_slowly())
    }

    /// The same within a run of messages whose lane was noted in this turn.
    #[inline]
    fn take_quickly(&mut self) -> Option<T> {
        let inlet = self.inlets.get(self.at)?;
        if inlet.outlet.is_noted() { inlet.consumer.pop_quickly() } else { None }
    }

    /// The same where a run of messages has ended, or its lane was not noted in this turn.
    #[inline(never)]
    fn take_slowly(&mut self) -> Option<T> {
        let mut empty = 0;
        loop {
            if let Some(inlet) = self.inlets.get(self.at) {
                self.end_run(inlet);
                if inlet.consumer.run() == 0 && self.row < IN_A_ROW {
                    let most = (IN_A_ROW - self.row).min(self.hub.capacity.div_ceil(2));
                    inlet.run.set(inlet.consumer.begin_run(most));
                    self.row += inlet.run.get();
                    empty += usize::from(inlet.run.get() == 0);
                } else {
                    empty = 0;
                }
                if let Some(message) = inlet.consumer.pop_quickly() {
                    self.note(inlet);
                    self.end_run(inlet);
                    return Some(message);
                }
                self.at += 1;
                self.row = 0;
            } else {
                self.at = 0;
                let arrived = self.take_arrivals();
                if !arrived && empty >= self.inlets.len() {
                    return None;
                }
                empty = 0;
            }
        }
    }

    /// Takes in lanes that have not been seen. Says whether there were any.
    #[inline]
    fn take_arrivals(&mut self) -> bool {
        let mut arrivals = self.hub.arrivals();
        if arrivals.is_empty() {
            return false;
        }
        if let Some(waiter) = self.desk.content.who.waiter() {
            let gauges = arrivals.iter().map(|inlet| Box::new(inlet.consumer.gauge()) as _);
            waiter.gauges.borrow_mut().extend(gauges);
        }
        self.inlets.append(&mut arrivals);
        true
    }

    /// Has whoever waits for room in this lane told at the end of the turn that there is some.
    fn note(&self, inlet: &Inlet<T>) {
        if inlet.outlet.is_noted() {
            return;
        }
        let noted = current::with(|local| {
            let local = local?;
            self.desk.content.who.waiter_of(local)?;
            Inward::note(&inlet.outlet, local);
            Some(())
        });
        if noted.is_none() {
            // Outside of the loop.
            fence_before_calls();
            inlet.outlet.room().call();
        }
    }

    /// If a run of messages has ended: whoever waits for room in this lane is told at once when
    /// half of it was taken out.
    fn end_run(&self, inlet: &Inlet<T>) {
        if inlet.consumer.run() > 0 {
            return;
        }
        inlet.taken.set(inlet.taken.get() + inlet.run.take());
        if inlet.taken.get() * 2 >= self.hub.capacity {
            inlet.taken.set(0);
            fence_before_calls();
            inlet.outlet.room().call();
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(waiter) = self.desk.content.who.waiter() {
            waiter.waits.set(false);
            drop(waiter.waker.take());
        }
        self.hub.close(std::mem::take(&mut self.inlets));
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("channel", &self.hub).finish_non_exhaustive()
    }
}
