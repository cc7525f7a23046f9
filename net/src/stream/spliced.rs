//! What a splice asks of its two ends, and how streams and their halves answer.

use std::future::Future;
use std::io;

use henge_driver::Fd;
use henge_driver::home::Homed;
use henge_driver::sys::poll::{self, events};

use super::send::{self, SendSide};

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
pub(crate) fn look(fd: &Fd, events: u32) -> io::Result<()> {
    match poll::now(fd, events)? {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}

/// Lets bytes come from `$from`, a stream or its reading half, by its side that receives.
macro_rules! source {
    ($from:ty, |$this:ident| $side:expr) => {
        const _: () = {
            use std::io;

            use henge_driver::Fd;
            use $crate::stream::recv;
            use $crate::stream::spliced::From;

            impl From for $from {
                fn fd(&self) -> &Fd {
                    let $this = self;
                    $side.shared().fd()
                }

                fn give(
                    &self,
                    most: usize,
                    give: impl FnOnce(&[u8]) -> io::Result<usize>,
                ) -> Option<io::Result<usize>> {
                    let $this = self;
                    recv::try_give($side, most, give)
                }

                fn try_take<R>(&self, io: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                    let $this = self;
                    recv::try_io($side, io)
                }

                async fn filled(&self) -> io::Result<()> {
                    let $this = self;
                    recv::readable($side).await.map(drop)
                }
            }
        };
    };
}

/// Lets bytes go to `$to`, a stream or its writing half, by its side that sends.
macro_rules! destination {
    ($to:ty, |$this:ident| $side:expr) => {
        const _: () = {
            use std::io;

            use henge_driver::Fd;
            use $crate::stream::send;
            use $crate::stream::spliced::{To, room_of_stream};

            impl To for $to {
                fn fd(&self) -> &Fd {
                    let $this = self;
                    $side.shared().fd()
                }

                fn put(&self, _bytes: &[u8]) -> io::Result<usize> {
                    // What the kernel answers where nothing has been received yet.
                    Err(io::ErrorKind::InvalidInput.into())
                }

                fn try_put<R>(&self, io: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                    let $this = self;
                    send::try_io($side, io)
                }

                async fn drained(&self) -> io::Result<()> {
                    let $this = self;
                    room_of_stream($side).await
                }
            }
        };
    };
}

pub(crate) use {destination, source};

/// Until what is queued has gone and there is room for more.
pub(crate) async fn room_of_stream(side: &Homed<SendSide>) -> io::Result<()> {
    loop {
        send::writable(side).await?;
        match send::try_io(side, || look(side.shared().fd(), events::OUT)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}
