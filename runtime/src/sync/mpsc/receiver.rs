//! The receiving ends. They differ only in their names: a bound is the senders' affair.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::chan::Chan;
use super::error::TryRecvError;
use super::receive::Batch;
use crate::executor::coop;
use crate::sync::blocking::block_on;

/// Defines one of the two receivers. The literals are lines of
/// the examples: how a channel of the flavour is made, imported, and sent to.
macro_rules! receiver {
    ($(#[$doc:meta])* $name:ident, $make:literal, $import:literal, $one:literal, $two:literal) => {
        $(#[$doc])*
        pub struct $name<T> {
            chan: Arc<Chan<T>>,
            batch: Batch<T>,
        }

        impl<T> $name<T> {
            pub(super) fn new(chan: Arc<Chan<T>>) -> Self {
                Self { chan, batch: Batch::new() }
            }

            /// Waits for the next message; `None` when the channel is empty and closed.
            ///
            /// # Cancel safety
            ///
            /// A message is either returned or still in the channel.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            /// # #[henge::main(flavor = "current_thread")]
            /// # async fn main() {
            #[doc = $make]
            #[doc = $one]
            /// drop(tx);
            /// assert_eq!(rx.recv().await, Some(1));
            /// assert_eq!(rx.recv().await, None);
            /// # }
            /// ```
            pub async fn recv(&mut self) -> Option<T> {
                poll_fn(|cx| self.poll_recv(cx)).await
            }

            /// Waits for messages and appends up to `limit` of them to `buffer`. Returns how many:
            /// 0 when the channel is empty and closed, or when `limit` is 0.
            ///
            /// # Cancel safety
            ///
            /// Messages are either in `buffer` or still in the channel.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            /// # #[henge::main(flavor = "current_thread")]
            /// # async fn main() {
            #[doc = $make]
            #[doc = $one]
            #[doc = $two]
            /// let mut got = Vec::new();
            /// assert_eq!(rx.recv_many(&mut got, 10).await, 2);
            /// assert_eq!(got, [1, 2]);
            /// # }
            /// ```
            pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                poll_fn(|cx| self.poll_recv_many(cx, buffer, limit)).await
            }

            /// The next message, if one is there.
            ///
            /// # Errors
            ///
            /// [`TryRecvError::Empty`] if none is there, [`TryRecvError::Disconnected`] if none can
            /// come any more.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            #[doc = $make]
            /// assert!(rx.try_recv().is_err());
            #[doc = $one]
            /// assert_eq!(rx.try_recv(), Ok(1));
            /// ```
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                Ok(self.chan.try_recv(&mut self.batch)?)
            }

            /// Waits for the next message on a thread that runs no tasks.
            ///
            /// # Panics
            ///
            /// On a thread that runs tasks: it would hold all of them up.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            #[doc = $make]
            #[doc = $one]
            /// assert_eq!(rx.blocking_recv(), Some(1));
            /// ```
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                block_on(self.recv())
            }

            /// Waits for messages on a thread that runs no tasks; see
            /// [`recv_many`](Self::recv_many).
            ///
            /// # Panics
            ///
            /// On a thread that runs tasks: it would hold all of them up.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            #[doc = $make]
            #[doc = $one]
            /// let mut got = Vec::new();
            /// assert_eq!(rx.blocking_recv_many(&mut got, 4), 1);
            /// ```
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                block_on(self.recv_many(buffer, limit))
            }

            /// Refuses further messages. What is in the channel, and what holders of permits yet
            /// send, can still be received.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            #[doc = $make]
            #[doc = $one]
            /// rx.close();
            /// assert!(tx.is_closed());
            /// assert_eq!(rx.try_recv(), Ok(1));
            /// ```
            pub fn close(&mut self) {
                self.chan.close();
            }

            /// Whether no sender can send any more: [`close`](Self::close) was called, or all
            /// senders are gone.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            #[doc = $make]
            #[doc = $one]
            /// assert!(!rx.is_closed());
            /// drop(tx);
            /// assert!(rx.is_closed());
            /// # rx.try_recv().unwrap();
            /// ```
            pub fn is_closed(&self) -> bool {
                self.chan.is_receiver_closed() || self.chan.senders.are_gone()
            }

            /// Whether there is no message in the channel.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            #[doc = $make]
            /// assert!(rx.is_empty());
            #[doc = $one]
            /// assert!(!rx.is_empty());
            /// # rx.try_recv().unwrap();
            /// ```
            pub fn is_empty(&self) -> bool {
                self.chan.len(&self.batch) == 0
            }

            /// How many messages are in the channel.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            #[doc = $make]
            #[doc = $one]
            /// assert_eq!(rx.len(), 1);
            /// # rx.try_recv().unwrap();
            /// ```
            pub fn len(&self) -> usize {
                self.chan.len(&self.batch)
            }

            /// Polls for the next message; `None` when the channel is empty and closed. The waker
            /// of the last call is the one that is woken.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::future::poll_fn;
            #[doc = $import]
            /// # #[henge::main(flavor = "current_thread")]
            /// # async fn main() {
            #[doc = $make]
            #[doc = $one]
            /// assert_eq!(poll_fn(|cx| rx.poll_recv(cx)).await, Some(1));
            /// # }
            /// ```
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
                let progress = ready!(coop::poll_proceed(cx));
                let value = ready!(self.chan.poll_recv(cx, &mut self.batch));
                progress.made_progress();
                Poll::Ready(value)
            }

            /// Polls for up to `limit` messages; see [`recv_many`](Self::recv_many).
            ///
            /// # Examples
            ///
            /// ```
            /// use std::future::poll_fn;
            #[doc = $import]
            /// # #[henge::main(flavor = "current_thread")]
            /// # async fn main() {
            #[doc = $make]
            #[doc = $one]
            /// let mut got = Vec::new();
            /// assert_eq!(poll_fn(|cx| rx.poll_recv_many(cx, &mut got, 8)).await, 1);
            /// # }
            /// ```
            pub fn poll_recv_many(
                &mut self,
                cx: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                if limit == 0 {
                    return Poll::Ready(0);
                }
                let progress = ready!(coop::poll_proceed(cx));
                let n = ready!(self.chan.poll_recv_many(cx, &mut self.batch, buffer, limit));
                progress.made_progress();
                Poll::Ready(n)
            }

            /// How many senders keep the channel open.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            #[doc = $make]
            #[doc = $one]
            /// assert_eq!(rx.sender_strong_count(), 1);
            /// # rx.try_recv().unwrap();
            /// ```
            pub fn sender_strong_count(&self) -> usize {
                self.chan.senders.strong()
            }

            /// How many weak senders there are.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $import]
            #[doc = $make]
            #[doc = $one]
            /// let weak = tx.downgrade();
            /// assert_eq!(rx.sender_weak_count(), 1);
            /// # rx.try_recv().unwrap();
            /// # drop(weak);
            /// ```
            pub fn sender_weak_count(&self) -> usize {
                self.chan.senders.weak()
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                self.chan.close();
                // Out of the channel first, as a message may hold one of its senders.
                drop(self.chan.drain(&mut self.batch));
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("len", &self.len()).finish_non_exhaustive()
            }
        }
    };
}

receiver! {
    /// The receiving end of a bounded channel; see [`channel`](super::channel).
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::mpsc::channel(1);
    /// tx.try_send("hello").unwrap();
    /// assert_eq!(rx.try_recv(), Ok("hello"));
    /// ```
    Receiver,
    "let (tx, mut rx) = channel(4);",
    "use henge::sync::mpsc::channel;",
    "tx.try_send(1).unwrap();",
    "tx.try_send(2).unwrap();"
}

receiver! {
    /// The receiving end of an unbounded channel; see
    /// [`unbounded_channel`](super::unbounded_channel).
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, mut rx) = henge::sync::mpsc::unbounded_channel();
    /// tx.send("hello").unwrap();
    /// assert_eq!(rx.try_recv(), Ok("hello"));
    /// ```
    UnboundedReceiver,
    "let (tx, mut rx) = unbounded_channel();",
    "use henge::sync::mpsc::unbounded_channel;",
    "tx.send(1).unwrap();",
    "tx.send(2).unwrap();"
}

impl<T> Receiver<T> {
    /// How many messages the senders can send before they must wait.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = henge::sync::mpsc::channel(4);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(rx.capacity(), 3);
    /// ```
    pub fn capacity(&self) -> usize {
        self.chan.free()
    }

    /// The bound that the channel was made with.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = henge::sync::mpsc::channel::<()>(4);
    /// assert_eq!(rx.max_capacity(), 4);
    /// ```
    pub fn max_capacity(&self) -> usize {
        self.chan.max()
    }
}
