//! From when on buffers are sent without a copy.

use super::TcpStream;

impl TcpStream {
    /// From how many bytes on [`write_owned`](TcpStream::write_owned) and
    /// [`write_all_owned`](TcpStream::write_all_owned) have the kernel send the buffer itself and
    /// not a copy; `None`, as it is at first, if never.
    ///
    /// The buffer then comes back when the peer has acknowledged the bytes, a round trip later, for
    /// the network's card reads them from there. So it pays for large buffers (from 32 KiB or so)
    /// and peers that are near, or many. What is written by other means, and in tasks that move, is
    /// copied as ever; and so is everything where the kernel has no such send.
    ///
    /// Where a route can do nothing without a copy, as the loopback device and those of most
    /// virtual networks, the kernel makes one in the end, and all of this was in vain. It says so:
    /// after three such buffers in a row the stream goes back to `None`.
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
    /// assert_eq!(a.zero_copy(), None);
    /// a.set_zero_copy(Some(32 << 10));
    /// let (sent, page) = a.write_all_owned(vec![7; 40_000]).await;
    /// sent?;
    /// let mut there = vec![0; page.len()];
    /// b.read_exact(&mut there).await?;
    /// assert_eq!(there, page);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_zero_copy(&self, from: Option<usize>) {
        self.core.send.shared().set_zero_copy_from(from);
    }

    /// What [`set_zero_copy`](TcpStream::set_zero_copy) has been told, unless the stream has gone
    /// back from it.
    ///
    /// # Examples
    ///
    /// ```
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let std = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// let stream = henge_net::TcpStream::from_std(std)?;
    /// stream.set_zero_copy(Some(32 << 10));
    /// assert_eq!(stream.zero_copy(), Some(32 << 10));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn zero_copy(&self) -> Option<usize> {
        match self.core.send.shared().zero_copy_from() {
            usize::MAX => None,
            from => Some(from),
        }
    }
}
