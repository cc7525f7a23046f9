//! What a splice asks of its two ends.

use std::future::Future;
use std::io::{self, IoSlice};

use henge_driver::Fd;
use henge_driver::sys::pipe as calls;
use henge_driver::sys::poll::{self, events};

use crate::readiness::Interest;
use crate::stream::recv;
use crate::unix::pipe;
use crate::{TcpStream, UnixStream};

/// Where bytes come from.
pub trait From {
    fn fd(&self) -> &Fd;

    /// Gives what has been received already to `give`, which says how much it has taken; `None` if
    /// there is nothing of it.
    fn give(
        &self,
        most: usize,
        give: impl FnOnce(&[u8]) -> io::Result<usize>,
    ) -> Option<io::Result<usize>>;

    /// Runs a transfer, if nothing is queued that it would overtake. If it answers `WouldBlock`,
    /// it was for want of bytes.
    fn try_take<R>(&self, io: impl FnOnce() -> io::Result<R>) -> io::Result<R>;

    /// Until there is something, or an end.
    fn filled(&self) -> impl Future<Output = io::Result<()>> + Send;
}

/// Where bytes go to.
pub trait To {
    fn fd(&self) -> &Fd;

    /// Puts bytes that are in the process's memory.
    fn put(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Runs a transfer, if nothing is queued that it would overtake. If it answers `WouldBlock`,
    /// it was for want of room.
    fn try_put<R>(&self, io: impl FnOnce() -> io::Result<R>) -> io::Result<R>;

    /// Until there is room, or an end.
    fn drained(&self) -> impl Future<Output = io::Result<()>> + Send;
}

/// Answers `WouldBlock` if none of `events` is there.
fn look(fd: &Fd, events: u32) -> io::Result<()> {
    match poll::now(fd, events)? {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}

macro_rules! stream_ends {
    ($($stream:ty),*) => {$(
        impl From for $stream {
            fn fd(&self) -> &Fd {
                self.core.fd()
            }

            fn give(
                &self,
                most: usize,
                give: impl FnOnce(&[u8]) -> io::Result<usize>,
            ) -> Option<io::Result<usize>> {
                recv::try_give(&self.core.recv, most, give)
            }

            fn try_take<R>(&self, io: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                self.core.try_io(Interest::READABLE, io)
            }

            async fn filled(&self) -> io::Result<()> {
                recv::readable(&self.core.recv).await.map(drop)
            }
        }

        impl To for $stream {
            fn fd(&self) -> &Fd {
                self.core.fd()
            }

            fn put(&self, _bytes: &[u8]) -> io::Result<usize> {
                // What the kernel answers where nothing has been received yet.
                Err(io::ErrorKind::InvalidInput.into())
            }

            fn try_put<R>(&self, io: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                self.core.try_io(Interest::WRITABLE, io)
            }

            async fn drained(&self) -> io::Result<()> {
                let look = || look(self.core.fd(), events::OUT);
                self.core.async_io(Interest::WRITABLE, look).await
            }
        }
    )*};
}

stream_ends!(TcpStream, UnixStream);

impl From for pipe::Receiver {
    fn fd(&self) -> &Fd {
        self.core.fd()
    }

    fn give(
        &self,
        _most: usize,
        _give: impl FnOnce(&[u8]) -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        None
    }

    fn try_take<R>(&self, io: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.core.try_io(Interest::READABLE, |_fd| io())
    }

    async fn filled(&self) -> io::Result<()> {
        self.core.io(Interest::READABLE, |fd| look(fd, events::IN)).await
    }
}

impl To for pipe::Sender {
    fn fd(&self) -> &Fd {
        self.core.fd()
    }

    fn put(&self, bytes: &[u8]) -> io::Result<usize> {
        calls::write_now(self.core.fd(), &[IoSlice::new(bytes)])
    }

    fn try_put<R>(&self, io: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.core.try_io(Interest::WRITABLE, |_fd| io())
    }

    async fn drained(&self) -> io::Result<()> {
        self.core.io(Interest::WRITABLE, |fd| look(fd, events::OUT)).await
    }
}
