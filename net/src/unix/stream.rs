//! A connection between sockets of the Unix family.

mod addr;
mod connect;
mod convert;
mod descriptors;

use crate::descriptor::descriptor;
use crate::stream::core::Stream;
use crate::stream::methods::handle::handle;
use crate::stream::methods::lend::lends;
use crate::stream::methods::read::reads;
use crate::stream::methods::ready::readies;
use crate::stream::methods::write::writes;

/// A connection between two sockets of the Unix family.
///
/// It reads and writes as a [`TcpStream`](crate::TcpStream) does: what is said there of queues,
/// errors, readiness and threads holds here too. Beside bytes it can pass descriptors.
///
/// # Dropping
///
/// A stream that is dropped sends what is queued, for as long as its peer takes some of it, and
/// then closes; a peer that takes nothing for 30 seconds is given up. This family has no linger:
/// who would rather lose what is queued shuts the socket down before the drop. Then it closes at
/// once, and the peer reads what the kernel had taken, and the end.
///
/// ```
/// # use henge_net::UnixStream;
/// # use tokio::io::AsyncWriteExt;
/// use std::net::Shutdown;
/// use std::os::fd::AsFd;
///
/// # henge_driver::Driver::new()?.block_on(async {
/// let (mut stream, peer) = UnixStream::pair()?;
/// stream.write_all(b"nobody will read this").await?;
/// let socket = std::os::unix::net::UnixStream::from(stream.as_fd().try_clone_to_owned()?);
/// socket.shutdown(Shutdown::Both)?;
/// drop(stream); // and nothing is left of it
/// # drop(peer);
/// # std::io::Result::Ok(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
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
    pub(crate) core: Stream,
}

handle!(UnixStream);
reads!(UnixStream, UnixStream, |stream| &stream.core.recv);
writes!(UnixStream, UnixStream, |stream| &stream.core.send);
lends!(UnixStream);
readies!(UnixStream);
descriptor!(UnixStream, |stream| stream.core.fd(), std::os::unix::net::UnixStream);
