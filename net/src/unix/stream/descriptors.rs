//! Descriptors that travel with the bytes.

use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{BorrowedFd, OwnedFd};

use henge_driver::sys::message::{self, Control};

use super::UnixStream;
use crate::readiness::Interest;
use crate::stream::recv;

impl UnixStream {
    /// Sends bytes with descriptors beside them, which the peer gets copies of with the first of
    /// these bytes: [`recv_descriptors`](UnixStream::recv_descriptors). Says how many bytes went;
    /// the descriptors went with them.
    ///
    /// It waits until what was written before has left the queue.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for more than 253 descriptors, and what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Either all descriptors and some bytes were sent, or nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// use std::os::fd::{AsFd, OwnedFd};
    ///
    /// let (reader, mut writer) = std::io::pipe()?;
    /// a.send_descriptors(b"here", &[reader.as_fd()]).await?;
    /// let (mut bytes, mut descriptors) = ([0; 8], Vec::new());
    /// assert_eq!(b.recv_descriptors(&mut bytes, &mut descriptors).await?, 4);
    /// let mut passed = std::io::PipeReader::from(descriptors.remove(0));
    /// std::io::Write::write_all(&mut writer, b"x")?;
    /// std::io::Read::read_exact(&mut passed, &mut bytes[..1])?;
    /// assert_eq!(bytes[0], b'x');
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_descriptors(
        &mut self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<usize> {
        let mut control = Control::new();
        control.push_descriptors(descriptors);
        let pieces = &[IoSlice::new(bytes)];
        let send = || message::send_now(self.core.fd(), None, pieces, &control);
        self.core.async_io(Interest::WRITABLE, send).await
    }

    /// Receives bytes, and the descriptors that were sent with them, CLOEXEC. Says how many bytes
    /// came, none at the end of the stream.
    ///
    /// Descriptors that come while the stream is read in other ways are closed by the kernel. So
    /// are those that `descriptors` has no capacity for, beyond the 16 that there is always room
    /// for.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Bytes and descriptors are either returned or still in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixStream;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (mut a, mut b) = UnixStream::pair()?;
    /// use std::os::fd::AsFd;
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// a.send_descriptors(b"two", &[reader.as_fd(), reader.as_fd()]).await?;
    /// let (mut bytes, mut descriptors) = ([0; 8], Vec::new());
    /// assert_eq!(b.recv_descriptors(&mut bytes, &mut descriptors).await?, 3);
    /// assert_eq!(descriptors.len(), 2);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_descriptors(
        &mut self,
        bytes: &mut [u8],
        descriptors: &mut Vec<OwnedFd>,
    ) -> io::Result<usize> {
        let mut control = Control::for_descriptors(descriptors.capacity() - descriptors.len());
        poll_fn(|cx| {
            let mut pieces = [IoSliceMut::new(bytes)];
            recv::poll_descriptors(&self.core.recv, cx, &mut pieces, &mut control, descriptors)
        })
        .await
    }
}
