//! A stream socket whole: what `TcpStream` and `UnixStream` are names of.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::task::Poll;

use henge_driver::Fd;
use henge_driver::home::Homed;
use henge_driver::sys::poll::{self, events};
use henge_driver::sys::socket as sys;

use super::recv::{self, RecvSide};
use super::send::{self, SendSide};
use super::socket::Socket;
use crate::readiness::{Interest, Ready};
use crate::waiters::Place;

/// A connected socket with its two sides.
pub(crate) struct Stream {
    pub(crate) recv: Homed<RecvSide>,
    pub(crate) send: Homed<SendSide>,
}

impl Stream {
    pub(crate) fn new(fd: Fd) -> Stream {
        Stream::of(Socket::new(fd))
    }

    /// Of a descriptor that somebody had before: see [`Socket::shared`].
    pub(crate) fn shared(fd: Fd) -> Stream {
        Stream::of(Socket::shared(fd))
    }

    fn of(socket: Socket) -> Stream {
        let socket = Arc::new(socket);
        Stream {
            recv: Homed::new(RecvSide::new(), Arc::clone(&socket)),
            send: Homed::new(SendSide::new(), socket),
        }
    }

    /// The same stream, for a half to lend. Each of its sides goes with the half that owns it.
    pub(crate) fn view(&self) -> Stream {
        Stream { recv: self.recv.view(), send: self.send.view() }
    }

    #[inline]
    pub(crate) fn fd(&self) -> &Fd {
        self.recv.shared().fd()
    }

    /// Prepares the stream to be used on another thread. What is being sent goes on from here.
    pub(crate) fn let_go(&self) {
        self.recv.let_go();
        self.send.let_go_if_idle();
    }

    /// Gives the descriptor up, non-blocking; `WouldBlock` if there are bytes that would be lost.
    pub(crate) fn into_fd(self) -> io::Result<OwnedFd> {
        let socket = Arc::clone(self.recv.shared());
        let busy = || io::Error::new(io::ErrorKind::WouldBlock, "the stream has bytes queued");
        let recv = self.recv.into_inner().map_err(|_kept| busy())?;
        let send = self.send.into_inner().map_err(|_kept| busy())?;
        if recv.unread() > 0 || !send.is_bare() {
            return Err(busy());
        }
        drop((recv, send));
        let fd: OwnedFd = match Arc::try_unwrap(socket) {
            Ok(socket) => socket.into_fd().into(),
            Err(shared) => shared.fd().as_fd().try_clone_to_owned()?,
        };
        sys::set_nonblocking(&fd, true)?;
        Ok(fd)
    }

    /// Waits until one of the directions of `interest` is ready.
    pub(crate) async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        let mut reader = Place::new(&self.recv.shared().readers);
        let mut writer = Place::new(&self.send.shared().writers);
        check(interest)?;
        let ready = poll_fn(|cx| {
            let mut ready = Ready::EMPTY;
            if interest.is_readable()
                && let Poll::Ready(read) = recv::poll_ready_in_line(&self.recv, cx, &mut reader)
            {
                ready |= read?;
            }
            if interest.is_writable()
                && let Poll::Ready(write) = send::poll_ready_in_line(&self.send, cx, &mut writer)
            {
                ready |= write?;
            }
            if ready.is_empty() { Poll::Pending } else { Poll::Ready(io::Result::Ok(ready)) }
        });
        Ok(ready.await? | self.ends(interest)?)
    }

    /// Which of its directions have ended, as far as `interest` goes.
    fn ends(&self, interest: Interest) -> io::Result<Ready> {
        let told = poll::now(self.fd(), events::IN | events::OUT | events::RDHUP)?;
        let ends = Ready::READ_CLOSED | Ready::WRITE_CLOSED | Ready::ERROR;
        Ok(Ready::from_events(told) & ends & Ready::of_interest(interest))
    }

    /// Runs `io`, which does a transfer of its own, if nothing is queued that would be overtaken.
    pub(crate) fn try_io<R>(
        &self,
        interest: Interest,
        io: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        check(interest)?;
        match (interest.is_readable(), interest.is_writable()) {
            (true, true) => recv::try_io(&self.recv, || send::try_io(&self.send, io)),
            (true, false) => recv::try_io(&self.recv, io),
            (false, _) => send::try_io(&self.send, io),
        }
    }

    /// Repeats `io` until it does not answer `WouldBlock`.
    pub(crate) async fn async_io<R>(
        &self,
        interest: Interest,
        mut io: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            self.ready(interest).await?;
            match self.try_io(interest, &mut io) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }
}

/// A stream knows of reading and writing.
fn check(interest: Interest) -> io::Result<()> {
    if interest.is_readable() || interest.is_writable() {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "a stream is waited for to be readable or writable; for other events there is AsyncFd",
    ))
}
