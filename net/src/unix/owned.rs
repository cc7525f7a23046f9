//! Halves of a stream that own it together.

use henge_driver::home::Homed;

use super::addr::SocketAddr;
use super::stream::UnixStream;
use crate::stream::methods::half::half;
use crate::stream::methods::read::reads;
use crate::stream::methods::reunite::reunites;
use crate::stream::methods::write::writes;
use crate::stream::owned::OwnedWrite;
use crate::stream::recv::RecvSide;
use crate::stream::spliced::{destination, source};

/// The reading half of a stream; see [`UnixStream::into_split`].
///
/// The two halves have homes of their own: on two shards they do not disturb each other.
///
/// # Examples
///
/// ```
/// # use henge_net::{TcpListener, UnixStream};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (mut a, mut b) = UnixStream::pair()?;
/// let (mut read, _write) = b.into_split();
/// a.write_all(b"hello").await?;
/// assert_eq!(read.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct OwnedReadHalf {
    recv: Homed<RecvSide>,
    whole: UnixStream,
}

/// The writing half of a stream; see [`UnixStream::into_split`]. Dropping it sends what is queued
/// and then ends the stream for the peer.
///
/// # Examples
///
/// ```
/// # use henge_net::{TcpListener, UnixStream};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (mut a, mut b) = UnixStream::pair()?;
/// let (_read, mut write) = b.into_split();
/// write.write_all(b"hello").await?;
/// assert_eq!(a.read_u8().await?, b'h');
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct OwnedWriteHalf {
    write: OwnedWrite,
    whole: UnixStream,
}

/// The halves are of two streams; both come back.
///
/// # Examples
///
/// ```
/// # use henge_net::{TcpListener, UnixStream};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (mut a, mut b) = UnixStream::pair()?;
/// let (read, _write) = a.into_split();
/// let (_read, write) = b.into_split();
/// assert!(read.reunite(write).is_err());
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

reunites!(UnixStream);
reads!(UnixStream, OwnedReadHalf, |half| &half.recv, "let (mut b, _write) = b.into_split();");
writes!(
    UnixStream,
    OwnedWriteHalf,
    |half| half.write.side(),
    "let (_read, mut a) = a.into_split();"
);
source!(OwnedReadHalf, |half| &half.recv);
destination!(OwnedWriteHalf, |half| half.write.side());
half! {
    UnixStream, OwnedReadHalf, "let (half, _write) = b.into_split();",
    address: SocketAddr, |half| half.recv.shared().fd(),
    ready: "READABLE", |half, interest| half.whole.ready(interest),
}
half! {
    UnixStream, OwnedWriteHalf, "let (_read, half) = b.into_split();",
    address: SocketAddr, |half| half.write.side().shared().fd(),
    ready: "WRITABLE", |half, interest| half.whole.ready(interest),
}
