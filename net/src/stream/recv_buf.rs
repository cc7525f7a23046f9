//! Received bytes in the buffer that the kernel put them into.

use std::fmt;
use std::ops::Deref;

use henge_driver::pool::Piece;

use super::recv_queue::Chunk;

/// Received bytes, as `recv` hands them out: in the very memory that the kernel put them into.
///
/// It dereferences to the bytes; an empty one is the end of the stream. Dropping it, on whatever
/// thread, gives the memory back. While all of the
/// driver's buffers are held, further bytes come in memory of their own.
///
/// ```
/// # use henge_net::{TcpListener, TcpStream};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// # let listener = TcpListener::bind("127.0.0.1:0").await?;
/// # let mut peer = TcpStream::connect(listener.local_addr()?).await?;
/// # let (mut stream, _) = listener.accept().await?;
/// # tokio::io::AsyncWriteExt::write_all(&mut peer, b"hello").await?;
/// let bytes = stream.recv().await?;
/// assert!(bytes.starts_with(b"h"));
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct RecvBuf {
    bytes: Option<Chunk<Piece>>,
}

impl RecvBuf {
    pub(crate) fn new(bytes: Option<Chunk<Piece>>) -> RecvBuf {
        RecvBuf { bytes }
    }
}

impl Deref for RecvBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.as_ref().map_or(&[], Chunk::bytes)
    }
}

impl AsRef<[u8]> for RecvBuf {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for RecvBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecvBuf").field(&self.as_ref()).finish()
    }
}
