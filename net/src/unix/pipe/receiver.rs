//! The reading end of a pipe.

use std::io::{self, IoSliceMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use henge_driver::sys::pipe as sys;
use tokio::io::{AsyncRead, ReadBuf};

use super::end::end;
use crate::buf;
use crate::descriptor::descriptor;
use crate::readiness::Interest;
use crate::readiness::source::Who;
use crate::readiness::watched::Watched;

/// So much at most is read at once: memory that has never been written is zeroed first.
const LARGEST: usize = 64 << 10;

/// The reading end of a pipe.
///
/// # Examples
///
/// ```
/// # use henge_net::unix::pipe;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (mut sender, mut receiver) = pipe::pipe()?;
/// sender.write_all(b"hello").await?;
/// assert_eq!(receiver.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Receiver {
    pub(crate) core: Watched,
}

// Before the first writer there is no end, which a read would tell all the same.
end!(Receiver, Read, READABLE, |fd| Watched::patient(fd));
descriptor!(Receiver, |end| end.core.fd());

impl Receiver {
    /// Waits until there is something to read, or no writer any more.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// sender.write_all(b"hello").await?;
    /// receiver.readable().await?;
    /// assert_eq!(receiver.try_read(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// As [`readable`](Receiver::readable), for the one task that reads: only the one that called
    /// last is woken.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// sender.write_all(b"hello").await?;
    /// std::future::poll_fn(|cx| receiver.poll_read_ready(cx)).await?;
    /// # drop(sender);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.core.poll_ready(cx, Who::Reader, Interest::READABLE)
    }

    /// Reads what there is, without waiting; nothing if there is no writer any more.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// assert!(receiver.try_read(&mut [0; 8]).is_err());
    /// sender.write_all(b"hello").await?;
    /// receiver.readable().await?;
    /// assert_eq!(receiver.try_read(&mut [0; 8])?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| sys::read_now(fd, &mut [IoSliceMut::new(buf)]))
    }

    /// As [`try_read`](Receiver::try_read), into several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// sender.write_all(b"hello").await?;
    /// receiver.readable().await?;
    /// let (mut head, mut tail) = ([0; 2], [0; 8]);
    /// let bufs = &mut [&mut head[..], &mut tail[..]].map(std::io::IoSliceMut::new);
    /// assert_eq!(receiver.try_read_vectored(bufs)?, 5);
    /// assert_eq!(&head, b"he");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| sys::read_now(fd, bufs))
    }

    /// As [`try_read`](Receiver::try_read), behind what is in `buf` already, as far as it has room
    /// without growing.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut sender, mut receiver) = pipe::pipe()?;
    /// sender.write_all(b"hello").await?;
    /// receiver.readable().await?;
    /// let mut word = Vec::with_capacity(8);
    /// assert_eq!(receiver.try_read_buf(&mut word)?, 5);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.core.try_io(Interest::READABLE, |fd| {
            buf::fill(buf, LARGEST, |room| sys::read_now(fd, &mut [IoSliceMut::new(room)]))
        })
    }
}

impl AsyncRead for Receiver {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.core.poll_read(cx, |fd| {
            let room = buf.initialize_unfilled_to(buf.remaining().min(LARGEST));
            sys::read_now(fd, &mut [IoSliceMut::new(room)])
        });
        let n = ready!(read)?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }
}
