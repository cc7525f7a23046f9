//! A sender that is polled: for those who implement futures and sinks by hand.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_sink::Sink;

use super::bounded::Sender;
use crate::executor::coop;

/// The channel of a [`PollSender`] is closed.
///
/// # Examples
///
/// ```
/// use henge::sync::{PollSender, mpsc};
///
/// let (tx, _rx) = mpsc::channel(1);
/// let mut tx = PollSender::new(tx);
/// tx.close();
/// assert_eq!(tx.send_item(1).unwrap_err().into_inner(), Some(1));
/// ```
#[derive(Debug)]
pub struct PollSendError<T>(Option<T>);

impl<T> PollSendError<T> {
    /// The message, if the error is [`send_item`](PollSender::send_item)'s.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    /// use henge::sync::{PollSender, mpsc};
    ///
    /// let mut tx = PollSender::new(mpsc::channel::<u8>(1).0); // the receiver is gone
    /// let mut cx = Context::from_waker(Waker::noop());
    /// let Poll::Ready(Err(error)) = tx.poll_reserve(&mut cx) else { panic!("there is room") };
    /// assert_eq!(error.into_inner(), None);
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.0
    }
}

impl<T> fmt::Display for PollSendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl<T: fmt::Debug> std::error::Error for PollSendError<T> {}

/// A [`Sender`] that is polled: first [for room](Self::poll_reserve), then to
/// [send](Self::send_item). So it is a [`Sink`], too.
///
/// # Examples
///
/// ```
/// use std::future::poll_fn;
/// use henge::sync::{PollSender, mpsc};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = mpsc::channel(1);
/// let mut tx = PollSender::new(tx);
/// poll_fn(|cx| tx.poll_reserve(cx)).await.unwrap();
/// tx.send_item("hello").unwrap();
/// assert_eq!(rx.recv().await, Some("hello"));
/// # }
/// ```
pub struct PollSender<T> {
    /// `None` once closed and nothing is reserved.
    sender: Option<Sender<T>>,
    stage: Stage,
    /// Closed by [`PollSender::close`]: what is reserved can still be used.
    closing: bool,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Idle,
    /// Waits for room, under this key.
    InLine(usize),
    /// There is room that is this sender's.
    Reserved,
    Closed,
}

impl<T> PollSender<T> {
    /// Wraps a sender.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{PollSender, mpsc};
    /// let (tx, _rx) = mpsc::channel::<()>(1);
    /// assert!(!PollSender::new(tx).is_closed());
    /// ```
    pub fn new(sender: Sender<T>) -> Self {
        Self { sender: Some(sender), stage: Stage::Idle, closing: false }
    }

    /// Polls for room for one message, which is this sender's until it is
    /// [sent](Self::send_item) or [given up](Self::abort_send). The waker of the last call is the
    /// one that is woken. While there is room reserved it is ready at once.
    ///
    /// # Errors
    ///
    /// [`PollSendError`] if the channel or this sender is closed. It stays so.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::task::{Context, Waker};
    /// use henge::sync::{PollSender, mpsc};
    ///
    /// let (tx, mut rx) = mpsc::channel(1);
    /// tx.try_send(1).unwrap();
    /// let mut tx = PollSender::new(tx);
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert!(tx.poll_reserve(&mut cx).is_pending());
    /// rx.try_recv().unwrap();
    /// assert!(tx.poll_reserve(&mut cx).is_ready());
    /// ```
    pub fn poll_reserve(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), PollSendError<T>>> {
        let (Some(sender), false) = (&self.sender, matches!(self.stage, Stage::Closed)) else {
            return Poll::Ready(Err(PollSendError(None)));
        };
        let mut key = match self.stage {
            Stage::Reserved => return Poll::Ready(Ok(())),
            Stage::InLine(key) => Some(key),
            Stage::Idle | Stage::Closed => None,
        };
        let progress = ready!(coop::poll_proceed(cx));
        let reserved = sender.chan.poll_reserve(cx, 1, &mut key);
        self.stage = match (&reserved, key) {
            (Poll::Ready(Ok(())), _) => Stage::Reserved,
            (Poll::Ready(Err(_)), _) => Stage::Closed,
            (Poll::Pending, Some(key)) => Stage::InLine(key),
            (Poll::Pending, None) => Stage::Idle,
        };
        let reserved = ready!(reserved);
        progress.made_progress();
        Poll::Ready(reserved.map_err(|_closed| PollSendError(None)))
    }

    /// Sends a message in the room that [`poll_reserve`](Self::poll_reserve) has reserved.
    ///
    /// # Errors
    ///
    /// [`PollSendError`] with the message if this sender was closed before the room was reserved.
    /// A receiver that closes afterwards still gets the message.
    ///
    /// # Panics
    ///
    /// If no room is reserved.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    /// use henge::sync::{PollSender, mpsc};
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(2);
    /// let mut tx = PollSender::new(tx);
    /// for n in 0..2 {
    ///     poll_fn(|cx| tx.poll_reserve(cx)).await.unwrap();
    ///     tx.send_item(n).unwrap();
    /// }
    /// assert_eq!((rx.recv().await, rx.recv().await), (Some(0), Some(1)));
    /// # }
    /// ```
    #[track_caller]
    pub fn send_item(&mut self, value: T) -> Result<(), PollSendError<T>> {
        match (&self.sender, self.stage) {
            (Some(sender), Stage::Reserved) => {
                sender.chan.send_permitted(value);
                self.stage = Stage::Idle;
                if self.closing {
                    self.end();
                }
                Ok(())
            }
            (Some(_), Stage::Idle | Stage::InLine(_)) => {
                panic!("`send_item` called without first calling `poll_reserve`")
            }
            (_, Stage::Closed) | (None, _) => Err(PollSendError(Some(value))),
        }
    }

    /// Whether this sender is closed. The channel may be open for others.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{PollSender, mpsc};
    /// let (tx, _rx) = mpsc::channel::<()>(1);
    /// let mut tx = PollSender::new(tx);
    /// tx.close();
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.closing || matches!(self.stage, Stage::Closed)
    }

    /// The sender that is wrapped; `None` after [`close`](Self::close).
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{PollSender, mpsc};
    /// let (tx, _rx) = mpsc::channel::<()>(3);
    /// assert_eq!(PollSender::new(tx).get_ref().unwrap().capacity(), 3);
    /// ```
    pub fn get_ref(&self) -> Option<&Sender<T>> {
        self.sender.as_ref().filter(|_| !self.closing)
    }

    /// Closes this sender, not the channel. Room that is reserved can still be sent in, or given up
    /// by [`abort_send`](Self::abort_send).
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::{PollSender, mpsc};
    /// let (tx, rx) = mpsc::channel::<()>(1);
    /// let mut tx = PollSender::new(tx);
    /// tx.close();
    /// assert!(rx.is_closed());
    /// ```
    pub fn close(&mut self) {
        self.closing = true;
        if !matches!(self.stage, Stage::Reserved) {
            self.end();
        }
    }

    /// Gives up the room that is reserved or waited for. Returns whether there was any. If this
    /// sender is not closed it can be polled for room again.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    /// use henge::sync::{PollSender, mpsc};
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, _rx) = mpsc::channel::<()>(1);
    /// let mut polled = PollSender::new(tx.clone());
    /// poll_fn(|cx| polled.poll_reserve(cx)).await.unwrap();
    /// assert_eq!(tx.capacity(), 0);
    /// assert!(polled.abort_send());
    /// assert_eq!(tx.capacity(), 1);
    /// # }
    /// ```
    pub fn abort_send(&mut self) -> bool {
        let aborted = self.give_up();
        if aborted && self.closing {
            self.end();
        }
        aborted
    }

    /// Nothing is reserved or waited for any more. False if nothing was.
    fn give_up(&mut self) -> bool {
        let Some(sender) = &self.sender else { return false };
        match self.stage {
            Stage::InLine(key) => sender.chan.cancel_reserve(1, key),
            Stage::Reserved => sender.chan.release(1),
            Stage::Idle | Stage::Closed => return false,
        }
        self.stage = Stage::Idle;
        true
    }

    fn end(&mut self) {
        self.give_up();
        self.stage = Stage::Closed;
        self.sender = None;
    }
}

/// Ready when [room is reserved](PollSender::poll_reserve). What is sent is in the channel at once:
/// there is nothing to flush.
impl<T> Sink<T> for PollSender<T> {
    type Error = PollSendError<T>;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.poll_reserve(cx)
    }

    #[track_caller]
    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), Self::Error> {
        self.send_item(item)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Result<(), Self::Error>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

impl<T> Clone for PollSender<T> {
    /// A sender of the same channel, with nothing reserved.
    fn clone(&self) -> Self {
        match self.get_ref() {
            Some(sender) => Self::new(sender.clone()),
            None => Self { sender: None, stage: Stage::Closed, closing: true },
        }
    }
}

impl<T> Drop for PollSender<T> {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl<T> fmt::Debug for PollSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollSender")
            .field("sender", &self.get_ref())
            .field("stage", &self.stage)
            .finish()
    }
}
