//! A TCP connection.

mod addr;
mod connect;
mod convert;
mod options;
mod zero_copy;

use crate::descriptor::descriptor;
use crate::stream::core::Stream;
use crate::stream::methods::handle::handle;
use crate::stream::methods::lend::lends;
use crate::stream::methods::read::reads;
use crate::stream::methods::ready::readies;
use crate::stream::methods::write::writes;

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
/// [`flush`]: https://docs.rs/tokio/1/tokio/io/trait.AsyncWriteExt.html#method.flush
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
    pub(crate) core: Stream,
}

handle!(TcpStream);
reads!(TcpStream, TcpStream, |stream| &stream.core.recv);
writes!(TcpStream, TcpStream, |stream| &stream.core.send);
lends!(TcpStream);
readies!(TcpStream);
descriptor!(TcpStream, |stream| stream.core.fd(), std::net::TcpStream);
