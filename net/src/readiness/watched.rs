//! A descriptor of our own, for transfers by direct calls and waits by polls: what datagram sockets
//! and pipes are handles of.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use henge_driver::Fd;

use super::interest::Interest;
use super::ready::Ready;
use super::source::{Source, Waiting, Who};

/// A watched descriptor; dropping it stops the watch and closes it.
#[derive(Debug)]
pub(crate) struct Watched {
    source: Arc<Source>,
}

impl Watched {
    /// `fd` is non-blocking, or its transfers say themselves that they do not wait.
    pub(crate) fn new(fd: Fd) -> Watched {
        Watched { source: Source::new(fd) }
    }

    /// As [`new`](Watched::new), where a transfer that is tried too early says something else than
    /// `WouldBlock`.
    pub(crate) fn patient(fd: Fd) -> Watched {
        Watched { source: Source::patient(fd) }
    }

    #[inline]
    pub(crate) fn fd(&self) -> &Fd {
        self.source.fd()
    }

    /// Gives the descriptor up.
    pub(crate) fn into_fd(self) -> io::Result<OwnedFd> {
        let source = Arc::clone(&self.source);
        // Stops the watch.
        drop(self);
        match source.into_fd() {
            Ok(fd) => Ok(fd.into()),
            // A poll at another driver has it for a moment.
            Err(shared) => shared.fd().as_fd().try_clone_to_owned(),
        }
    }

    /// Waits until something of `interest` is ready, and says what.
    pub(crate) async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        let mut waiting = Waiting::new(&self.source);
        let event = poll_fn(|cx| self.source.poll_ready(cx, waiting.who(), interest)).await?;
        Ok(event.ready)
    }

    /// As [`ready`](Watched::ready), for the one task that reads, or writes.
    pub(crate) fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        who: Who<'_>,
        interest: Interest,
    ) -> Poll<io::Result<()>> {
        self.source.poll_ready(cx, who, interest).map_ok(drop)
    }

    /// Does a transfer, as soon as it does not answer `WouldBlock`.
    pub(crate) async fn io<R>(
        &self,
        interest: Interest,
        mut io: impl FnMut(&Fd) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut waiting = Waiting::new(&self.source);
        poll_fn(|cx| self.source.poll_io(cx, waiting.who(), interest, || io(self.fd()))).await
    }

    /// As [`io`](Watched::io), for the one task that reads.
    pub(crate) fn poll_read<R>(
        &self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(&Fd) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.source.poll_io(cx, Who::Reader, Interest::READABLE, || read(self.fd()))
    }

    /// As [`io`](Watched::io), for the one task that writes.
    pub(crate) fn poll_write<R>(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&Fd) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.source.poll_io(cx, Who::Writer, Interest::WRITABLE, || write(self.fd()))
    }

    /// Tries a transfer once.
    pub(crate) fn try_io<R>(
        &self,
        interest: Interest,
        io: impl FnOnce(&Fd) -> io::Result<R>,
    ) -> io::Result<R> {
        self.source.try_io(interest, || io(self.fd()))
    }

    /// Tries a transfer of the caller's, if it is known to be ready.
    pub(crate) fn try_known<R>(
        &self,
        interest: Interest,
        io: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        self.source.try_known(interest, io)
    }

    /// Repeats a transfer of the caller's, each time when something is ready.
    pub(crate) async fn async_io<R>(
        &self,
        interest: Interest,
        mut io: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            self.ready(interest).await?;
            match self.try_known(interest, &mut io) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.source.close();
    }
}
