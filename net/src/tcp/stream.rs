//! A TCP connection.

mod addr;
mod connect;
mod convert;
mod options;
mod read;
mod ready;
mod write;

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use henge_driver::Fd;

use crate::stream::core::Stream;
use crate::stream::traits::{reads, writes};

/// A TCP connection.
///
/// It implements tokio's [`AsyncRead`](tokio::io::AsyncRead) and
/// [`AsyncWrite`](tokio::io::AsyncWrite). Reads are served from the stream's own receive queue,
/// which a multishot receive fills; writes go to its send queue and out with the
/// next turn of the shard, several writes as one send.
///
/// # What a write means
///
/// `write` returns when the queue has taken the bytes, [`flush`] when the kernel has. An error of a
/// send is told by the next call. Dropping the stream sends what is queued, in the background, and
/// then closes; ending the process does not. When the socket is full the queue takes nothing more.
///
/// [`flush`]: tokio::io::AsyncWriteExt::flush
///
/// # Readiness
///
/// [`readable`](TcpStream::readable), [`ready`](TcpStream::ready) and the `try_` calls leave what
/// comes in the socket and take it by direct calls. They can be mixed with reads: bytes that a
/// receive has brought before come first.
///
/// # Threads
///
/// A stream is `Send` and works on whatever shard or thread it is polled. Moving it in the middle
/// of an operation costs a turn of the shard where it was.
///
/// # Examples
///
/// ```
/// # use henge_net::{TcpListener, TcpStream};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// # let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let mut a = TcpStream::connect(listener.local_addr()?).await?;
/// let (mut b, _) = listener.accept().await?;
/// a.write_all(b"hello").await?;
/// let mut word = [0; 5];
/// b.read_exact(&mut word).await?;
/// assert_eq!(&word, b"hello");
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpStream {
    pub(super) core: Stream,
}

impl TcpStream {
    pub(super) fn new(fd: Fd) -> TcpStream {
        TcpStream { core: Stream::new(fd) }
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
    /// # use henge_net::{TcpListener, TcpStream};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut a = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut b, _) = listener.accept().await?;
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

reads!(TcpStream, |stream| &stream.core.recv);
writes!(TcpStream, |stream| &stream.core.send);

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd().as_fd()
    }
}

impl AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> RawFd {
        self.fd().as_raw_fd()
    }
}

impl AsRef<Self> for TcpStream {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream").field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}
