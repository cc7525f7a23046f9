//! The ends of a splice: whole streams, and pipes.

use std::io::{self, IoSlice};

use henge_driver::Fd;
use henge_driver::sys::pipe as calls;
use henge_driver::sys::poll::events;

use crate::readiness::Interest;
use crate::stream::spliced::{From, To, destination, look, source};
use crate::unix::pipe;
use crate::{TcpStream, UnixStream};

source!(TcpStream, |stream| &stream.core.recv);
source!(UnixStream, |stream| &stream.core.recv);
destination!(TcpStream, |stream| &stream.core.send);
destination!(UnixStream, |stream| &stream.core.send);

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
