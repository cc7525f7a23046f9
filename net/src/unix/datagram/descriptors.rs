//! Descriptors that travel with a datagram.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{BorrowedFd, OwnedFd};

use henge_driver::Fd;
use henge_driver::sys::message::{self, Control};

use super::UnixDatagram;
use crate::datagram::RECEIVES;
use crate::readiness::Interest;

impl UnixDatagram {
    /// Sends a datagram with descriptors beside it, to the one whom the socket is connected to, who
    /// gets copies of them.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for more than 253 descriptors; what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// A datagram is either sent or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// use std::os::fd::AsFd;
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// a.send_descriptors(b"here", &[reader.as_fd()]).await?;
    /// let mut descriptors = Vec::new();
    /// b.recv_descriptors(&mut [0; 8], &mut descriptors).await?;
    /// assert_eq!(descriptors.len(), 1);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn send_descriptors(
        &self,
        buf: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<usize> {
        let mut control = Control::new();
        control.push_descriptors(descriptors);
        let pieces = &[IoSlice::new(buf)];
        let send = |fd: &Fd| message::send_now(fd, None, pieces, &control);
        self.core.io(Interest::WRITABLE, send).await
    }

    /// Receives a datagram, and the descriptors that were sent with it, CLOEXEC.
    ///
    /// Descriptors of datagrams that are received in other ways are closed by the kernel. So are
    /// those that `descriptors` has no capacity for, beyond the 16 that there is always room for.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// Datagram and descriptors are either returned or still in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::UnixDatagram;
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let (a, b) = UnixDatagram::pair()?;
    /// use std::os::fd::AsFd;
    ///
    /// let (reader, _writer) = std::io::pipe()?;
    /// a.send_descriptors(b"here", &[reader.as_fd()]).await?;
    /// let mut descriptors = Vec::new();
    /// assert_eq!(b.recv_descriptors(&mut [0; 8], &mut descriptors).await?, 4);
    /// assert_eq!(descriptors.len(), 1);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn recv_descriptors(
        &self,
        buf: &mut [u8],
        descriptors: &mut Vec<OwnedFd>,
    ) -> io::Result<usize> {
        let mut control = Control::for_descriptors(descriptors.capacity() - descriptors.len());
        let pieces = &mut [IoSliceMut::new(buf)];
        let receive = |fd: &Fd| message::recv_now(fd, None, pieces, &mut control, false);
        let received = self.core.io(RECEIVES, receive).await?;
        descriptors.extend(received.descriptors);
        Ok(received.bytes)
    }
}
