//! Streams without a device behind them: tokio's, counted by this runtime's budget.
//!
//! tokio's own count only inside of tokio's runtime. Such a stream is always ready, so a task that
//! copies from one to the other would keep its shard for ever.

use std::fmt;
use std::io::{Result, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use henge_driver::coop::poll_proceed;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};

/// Polls, as one step of the budget.
fn step<T>(cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    let unit = ready!(poll_proceed(cx));
    let output = ready!(poll(cx));
    unit.made_progress();
    Poll::Ready(output)
}

/// Always at its end for those who read, and without one for those who write; made by [`empty`].
///
/// # Examples
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// // In place of a body, where there is none.
/// fn body(text: Option<&str>) -> Box<dyn henge::io::AsyncRead + Unpin + '_> {
///     match text {
///         Some(text) => Box::new(text.as_bytes()),
///         None => Box::new(henge::io::empty()),
///     }
/// }
///
/// let mut received = Vec::new();
/// assert_eq!(henge::io::copy(&mut body(None), &mut received).await?, 0);
/// assert_eq!(henge::io::copy(&mut body(Some("hello")), &mut received).await?, 5);
/// # Ok(())
/// # }
/// ```
pub struct Empty(tokio::io::Empty);

/// The same byte for ever; made by [`repeat`].
///
/// # Examples
/// ```
/// use henge::io::AsyncReadExt;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// // Padding, up to the next 512 bytes.
/// let mut block = b"short".to_vec();
/// let missing = 512 - block.len() as u64;
/// henge::io::copy(&mut henge::io::repeat(0).take(missing), &mut block).await?;
/// assert_eq!(block.len(), 512);
/// assert!(block[5..].iter().all(|&byte| byte == 0));
/// # Ok(())
/// # }
/// ```
pub struct Repeat(tokio::io::Repeat);

/// Takes everything and keeps nothing; made by [`sink`].
///
/// # Examples
/// ```
/// use henge::io::AsyncReadExt;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// // What is left of a message that nobody wants, so that the next one can be read.
/// let mut stream = &b"unwanted|wanted"[..];
/// henge::io::copy(&mut (&mut stream).take(9), &mut henge::io::sink()).await?;
/// assert_eq!(stream, b"wanted");
/// # Ok(())
/// # }
/// ```
pub struct Sink(tokio::io::Sink);

/// One end of a pair of pipes in memory; made by [`duplex`].
///
/// # Examples
/// ```
/// use henge::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (mut client, mut server) = henge::io::duplex(64);
/// client.write_all(b"ping").await?;
/// let mut bytes = [0; 4];
/// server.read_exact(&mut bytes).await?;
/// assert_eq!(&bytes, b"ping");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DuplexStream(tokio::io::DuplexStream);

/// A pipe in memory, both ends of it; [`simplex`] makes one in two halves.
///
/// # Examples
/// ```
/// use henge::io::{AsyncReadExt, AsyncWriteExt, SimplexStream};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut pipe = SimplexStream::new_unsplit(16);
/// pipe.write_all(b"there and ").await?;
/// pipe.write_all(b"back").await?;
/// pipe.shutdown().await?;
/// let mut text = String::new();
/// pipe.read_to_string(&mut text).await?;
/// assert_eq!(text, "there and back");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SimplexStream(tokio::io::SimplexStream);

/// A stream that is at its end, and takes whatever is written.
///
/// # Examples
/// ```
/// use henge::io::AsyncReadExt;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut text = String::new();
/// assert_eq!(henge::io::empty().read_to_string(&mut text).await?, 0);
/// # Ok(())
/// # }
/// ```
pub fn empty() -> Empty {
    Empty(tokio::io::empty())
}

/// A stream of one byte, again and again.
///
/// # Examples
/// ```
/// use henge::io::AsyncReadExt;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut bytes = [0; 3];
/// henge::io::repeat(7).read_exact(&mut bytes).await?;
/// assert_eq!(bytes, [7, 7, 7]);
/// # Ok(())
/// # }
/// ```
pub fn repeat(byte: u8) -> Repeat {
    Repeat(tokio::io::repeat(byte))
}

/// A stream that takes everything and keeps nothing.
///
/// # Examples
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let copied = henge::io::copy(&mut &b"gone"[..], &mut henge::io::sink()).await?;
/// assert_eq!(copied, 4);
/// # Ok(())
/// # }
/// ```
pub fn sink() -> Sink {
    Sink(tokio::io::sink())
}

/// Two streams, each of which reads what is written to the other; either way holds at most
/// `max_buf_size` bytes, and then writes wait.
///
/// # Panics
/// If `max_buf_size` is 0.
///
/// # Examples
/// ```
/// use henge::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, duplex};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// // A server, and a client without a network.
/// let (mut client, server) = duplex(64);
/// let server = henge::spawn(async move {
///     let mut stream = BufReader::new(server);
///     let mut name = String::new();
///     stream.read_line(&mut name).await?;
///     stream.write_all(format!("hello, {name}").as_bytes()).await
/// });
/// client.write_all(b"world\n").await?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer).await?;
/// assert_eq!(answer, "hello, world\n");
/// server.await??;
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn duplex(max_buf_size: usize) -> (DuplexStream, DuplexStream) {
    let (one, two) = tokio::io::duplex(max_buf_size);
    (DuplexStream(one), DuplexStream(two))
}

/// A pipe that holds at most `max_buf_size` bytes: the end that reads, and the end that writes.
///
/// # Panics
/// If `max_buf_size` is 0.
///
/// # Examples
/// ```
/// use henge::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (mut reader, mut writer) = henge::io::simplex(64);
/// writer.write_all(b"ping").await?;
/// let mut bytes = [0; 4];
/// reader.read_exact(&mut bytes).await?;
/// assert_eq!(&bytes, b"ping");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn simplex(max_buf_size: usize) -> (ReadHalf<SimplexStream>, WriteHalf<SimplexStream>) {
    tokio::io::split(SimplexStream::new_unsplit(max_buf_size))
}

impl SimplexStream {
    /// A pipe that holds at most `max_buf_size` bytes, in one piece.
    ///
    /// # Panics
    /// If `max_buf_size` is 0.
    ///
    /// # Examples
    /// ```
    /// use henge::io::{AsyncReadExt, AsyncWriteExt, SimplexStream};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut pipe = SimplexStream::new_unsplit(4);
    /// assert_eq!(pipe.write(b"too much").await?, 4, "what there is room for");
    /// assert_eq!(pipe.read_u8().await?, b't');
    /// assert_eq!(pipe.write(b"more").await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn new_unsplit(max_buf_size: usize) -> SimplexStream {
        SimplexStream(tokio::io::SimplexStream::new_unsplit(max_buf_size))
    }
}

macro_rules! read {
    ($($stream:ident)*) => {$(
        impl AsyncRead for $stream {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<Result<()>> {
                step(cx, |cx| Pin::new(&mut self.0).poll_read(cx, buf))
            }
        }
    )*};
}

macro_rules! written {
    ($($stream:ident)*) => {$(
        impl AsyncWrite for $stream {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<Result<usize>> {
                step(cx, |cx| Pin::new(&mut self.0).poll_write(cx, buf))
            }

            fn poll_write_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> Poll<Result<usize>> {
                step(cx, |cx| Pin::new(&mut self.0).poll_write_vectored(cx, bufs))
            }

            fn is_write_vectored(&self) -> bool {
                self.0.is_write_vectored()
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
                step(cx, |cx| Pin::new(&mut self.0).poll_flush(cx))
            }

            fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
                step(cx, |cx| Pin::new(&mut self.0).poll_shutdown(cx))
            }
        }
    )*};
}

macro_rules! named {
    ($($stream:ident)*) => {$(
        impl fmt::Debug for $stream {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

read!(Empty Repeat DuplexStream SimplexStream);
written!(Empty Sink DuplexStream SimplexStream);
named!(Empty Repeat Sink);

impl AsyncBufRead for Empty {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        step(cx, |_| Poll::Ready(Ok(&[][..])))
    }

    fn consume(self: Pin<&mut Self>, _: usize) {}
}

impl AsyncSeek for Empty {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> Result<()> {
        Pin::new(&mut self.0).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<u64>> {
        step(cx, |cx| Pin::new(&mut self.0).poll_complete(cx))
    }
}
