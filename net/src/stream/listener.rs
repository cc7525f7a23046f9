//! A listening socket: what `TcpListener` and `UnixListener` are names of.

use std::future::{Future as _, poll_fn};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use henge_driver::ops::Timeout;
use henge_driver::sys::socket;
use henge_driver::{Fd, coop, submit};

use super::accept::{Place, Queue};

/// A listening socket and its accept queue.
#[derive(Debug)]
pub(crate) struct Listener {
    queue: Arc<Queue>,
    /// The place in line of `poll_accept`, which has no future to keep it.
    polled: Mutex<Option<u64>>,
    /// The socket may go on listening in other hands: it was somebody's descriptor before, of which
    /// there may be others, in other processes too; or it was handed over.
    shared: bool,
}

/// That place while it is used. Not under a lock: to poll is to clone a waker, which may poll, too.
struct Polled<'a> {
    listener: &'a Listener,
    key: Option<u64>,
}

impl Drop for Polled<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let other = self.listener.polled().replace(key);
        if let Some(other) = other {
            // Of a poll meanwhile. The last one counts.
            self.listener.queue.leave(other);
        }
    }
}

impl Listener {
    pub(crate) fn new(fd: Fd) -> Listener {
        Listener { queue: Arc::new(Queue::new(fd)), polled: Mutex::new(None), shared: false }
    }

    /// Of a descriptor that is not the only one of its socket, as far as anybody knows. Dropping it
    /// only closes it: until its operations have ended, with the next turn, the socket listens.
    pub(crate) fn shared(fd: Fd) -> Listener {
        let mut listener = Listener::new(fd);
        listener.shared = true;
        listener
    }

    pub(crate) fn fd(&self) -> &Fd {
        self.queue.fd()
    }

    pub(crate) async fn accept(&self) -> io::Result<Fd> {
        let mut place = Place::new(&self.queue);
        poll_fn(|cx| poll_place(&mut place, cx)).await
    }

    /// As [`accept`](Listener::accept), until a time-out of the kernel's.
    pub(crate) async fn accept_timeout(&self, limit: Duration) -> io::Result<Fd> {
        let mut place = Place::new(&self.queue);
        let mut limit = pin!(submit(Timeout::new(limit)));
        poll_fn(|cx| {
            if let Poll::Ready(accepted) = poll_place(&mut place, cx) {
                return Poll::Ready(accepted);
            }
            limit.as_mut().poll(cx).map(|over| over.and(Err(io::ErrorKind::TimedOut.into())))
        })
        .await
    }

    fn polled(&self) -> MutexGuard<'_, Option<u64>> {
        // Nothing that can panic runs under the lock.
        self.polled.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Fd>> {
        let progress = ready!(coop::poll_proceed(cx));
        let mut place = Polled { listener: self, key: self.polled().take() };
        let fd = ready!(self.queue.poll_accept(cx, &mut place.key));
        progress.made_progress();
        Poll::Ready(fd)
    }

    pub(crate) fn incoming(&self) -> Incoming<'_> {
        Incoming { queue: &self.queue, place: Place::new(&self.queue) }
    }

    /// Gives a descriptor of the socket up, non-blocking.
    pub(crate) fn into_fd(mut self) -> io::Result<OwnedFd> {
        // An operation may still hold the old descriptor for a moment; the file is the same.
        let fd = self.fd().as_fd().try_clone_to_owned()?;
        socket::set_nonblocking(&fd, true)?;
        self.shared = true;
        Ok(fd)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.queue.close(!self.shared);
    }
}

fn poll_place(place: &mut Place<'_>, cx: &mut Context<'_>) -> Poll<io::Result<Fd>> {
    let progress = ready!(coop::poll_proceed(cx));
    let fd = ready!(place.poll(cx));
    progress.made_progress();
    Poll::Ready(fd)
}

/// Connections without an end, one place in line after the other.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    queue: &'a Arc<Queue>,
    place: Place<'a>,
}

impl Incoming<'_> {
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Fd>> {
        let fd = ready!(poll_place(&mut self.place, cx));
        self.place = Place::new(self.queue);
        Poll::Ready(fd)
    }
}
