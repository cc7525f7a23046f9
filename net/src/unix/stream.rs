//! A connection between sockets of the Unix family.

mod addr;
mod connect;
mod convert;
mod descriptors;
mod read;
mod ready;
mod write;

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use henge_driver::Fd;

use crate::stream::core::Stream;
use crate::stream::traits::{reads, writes};

/// A connection between two sockets of the Unix family.
///
/// It reads and writes as a [`TcpStream`](crate::TcpStream) does: what is said there of queues,
/// errors, readiness and threads holds here too. Beside bytes it can pass descriptors.
///
/// # Examples
///
/// ```
/// # use henge_net::UnixStream;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (mut a, mut b) = UnixStream::pair()?;
/// a.write_all(b"hello").await?;
/// let mut word = [0; 5];
/// b.read_exact(&mut word).await?;
/// assert_eq!(&word, b"hello");
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixStream {
    pub(super) core: Stream,
}

impl UnixStream {
    pub(super) fn new(fd: Fd) -> UnixStream {
        UnixStream { core: Stream::new(fd) }
    }

    fn fd(&self) -> &Fd {
        self.core.fd()
    }

    /// Prepares the stream to be used on another shard or thread.
    ///
    /// It works without this, too: the first call over there then asks this shard to let go, and
    /// waits for its turn. Bytes that were received stay with the stream, and those that were
    /// written go out as they would have.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// a.write_all(b"hello").await?;
    /// assert_eq!(b.read_u8().await?, b'h');
    /// // Another thread may have it now. Here is as good as there.
    /// b.let_go();
    /// let mut rest = [0; 4];
    /// b.read_exact(&mut rest).await?;
    /// assert_eq!(&rest, b"ello");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn let_go(&mut self) {
        self.core.let_go();
    }
}

reads!(UnixStream, |stream| &stream.core.recv);
writes!(UnixStream, |stream| &stream.core.send);

impl AsFd for UnixStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd().as_fd()
    }
}

impl AsRawFd for UnixStream {
    fn as_raw_fd(&self) -> RawFd {
        self.fd().as_raw_fd()
    }
}

impl AsRef<Self> for UnixStream {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixStream").field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}
