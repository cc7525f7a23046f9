//! Bytes that go between pipes, streams and files inside of the kernel.
//!
//! What a stream has queued of either direction keeps its place: what was written goes first, and
//! so does what has been received already. Between pipes and streams all transfers are direct calls
//! that cannot wait, with polls where they would have to: a future that is dropped has either moved
//! nothing or told how much. A file may have to be waited for, and that the ring does.
//!
//! For a whole file through a stream there is `send_file`, of the streams.

mod ends;
mod file;

use std::future::poll_fn;
use std::io;

use henge_driver::sys::splice as sys;
use henge_driver::{Fd, coop};

use crate::stream::spliced::{From, To};
use crate::unix::pipe;

/// What bytes can be spliced from: streams, their reading halves, and the reading ends of pipes.
///
/// Implemented by them, and by nothing else.
///
/// # Examples
///
/// ```
/// use henge_net::splice::{self, SpliceSource};
/// use henge_net::{UnixStream, unix::pipe};
/// use tokio::io::AsyncWriteExt;
///
/// # henge_driver::Driver::new()?.block_on(async {
/// /// What there is to be had, whoever has it.
/// async fn gather(from: &impl SpliceSource, into: &pipe::Sender) -> std::io::Result<usize> {
///     splice::splice(from, into, 64 << 10).await
/// }
///
/// let (mut client, stream) = UnixStream::pair()?;
/// let (reading, _writing) = stream.into_split();
/// let (sender, _receiver) = pipe::pipe()?;
/// client.write_all(b"hello").await?;
/// assert_eq!(gather(&reading, &sender).await?, 5); // half of a stream
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait SpliceSource: From {}

/// What bytes can be spliced to: streams, their writing halves, and the writing ends of pipes.
///
/// Implemented by them, and by nothing else.
///
/// # Examples
///
/// ```
/// use henge_net::splice::{self, SpliceDestination};
/// use henge_net::{UnixStream, unix::pipe};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # henge_driver::Driver::new()?.block_on(async {
/// /// Passes on what a child process has written, to whoever wants it.
/// async fn pass(from: &pipe::Receiver, to: &impl SpliceDestination) -> std::io::Result<usize> {
///     splice::splice(from, to, 64 << 10).await
/// }
///
/// let (mut child, output) = pipe::pipe()?;
/// let (stream, mut client) = UnixStream::pair()?;
/// child.write_all(b"hello").await?;
/// assert_eq!(pass(&output, &stream).await?, 5);
/// let mut word = [0; 5];
/// client.read_exact(&mut word).await?;
/// assert_eq!(&word, b"hello");
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait SpliceDestination: To {}

impl<T: From> SpliceSource for T {}
impl<T: To> SpliceDestination for T {}

/// Moves bytes from a pipe to a pipe or a stream, or from a stream to a pipe: what there is and
/// there is room for, at least one and at most `len`. Returns how many; 0 at the end of `from`, and
/// only there.
///
/// A half of a stream, borrowed or owned, is as good as the stream. Nothing is copied where the
/// kernel can do without. From stream to stream it takes two, with a
/// pipe between.
///
/// # Errors
///
/// `InvalidInput` if neither is a pipe, or both are ends of the same one; `BrokenPipe` if nobody
/// reads from `to` any more; what the kernel answers.
///
/// # Cancel safety
///
/// Nothing is lost: if the future is dropped before it is ready, nothing has been moved.
///
/// # Examples
///
/// ```
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// use henge_net::{UnixStream, splice, unix::pipe};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let (mut client, from) = UnixStream::pair()?;
/// let (to, mut server) = UnixStream::pair()?;
/// let (sender, receiver) = pipe::pipe()?;
/// client.write_all(b"hello").await?;
/// client.shutdown().await?;
/// loop {
///     let mut left = splice::splice(&from, &sender, 64 << 10).await?;
///     if left == 0 {
///         break;
///     }
///     while left > 0 {
///         left -= splice::splice(&receiver, &to, left).await?;
///     }
/// }
/// drop(to);
/// let mut text = String::new();
/// server.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn splice(
    from: &impl SpliceSource,
    to: &impl SpliceDestination,
    len: usize,
) -> io::Result<usize> {
    transfer(from, to, len, |from, to| sys::splice_now(from, to, len)).await
}

/// Copies what is in a pipe to another pipe, and leaves it there: at least one byte and at most
/// `len`. Returns how many; 0 at the end of `from`, and only there.
///
/// # Errors
///
/// `InvalidInput` if both are ends of the same pipe; `BrokenPipe` if nobody reads from `to` any
/// more; what the kernel answers.
///
/// # Cancel safety
///
/// If the future is dropped before it is ready, nothing has been copied.
///
/// # Examples
///
/// ```
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// use henge_net::{splice, unix::pipe};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let (mut sender, mut receiver) = pipe::pipe()?;
/// let (to, mut copy) = pipe::pipe()?;
/// sender.write_all(b"hello").await?;
/// assert_eq!(splice::tee(&receiver, &to, 64).await?, 5);
/// let mut words = [[0; 5]; 2];
/// receiver.read_exact(&mut words[0]).await?;
/// copy.read_exact(&mut words[1]).await?;
/// assert_eq!(words, [*b"hello"; 2]);
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn tee(from: &pipe::Receiver, to: &pipe::Sender, len: usize) -> io::Result<usize> {
    transfer(from, to, len, |from, to| sys::tee_now(from, to, len)).await
}

async fn transfer(
    from: &impl From,
    to: &impl To,
    len: usize,
    call: impl Fn(&Fd, &Fd) -> io::Result<usize>,
) -> io::Result<usize> {
    if len == 0 {
        return Ok(0);
    }
    poll_fn(|cx| coop::poll_proceed(cx).map(|spent| spent.made_progress())).await;
    loop {
        // Which of the two is not ready is asked below; so that it is not held against the other,
        // the answer passes by both.
        let tried = to.try_put(|| {
            let given = from.give(len, |run| to.put(run));
            Ok(given.unwrap_or_else(|| from.try_take(|| Ok(call(from.fd(), to.fd()))).flatten()))
        });
        match tried.flatten() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
        from.filled().await?;
        to.drained().await?;
    }
}
