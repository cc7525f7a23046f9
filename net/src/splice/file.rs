//! Between files and pipes.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use henge_driver::ops::Splice;
use henge_driver::sys::splice::{self as sys, InMemory};
use henge_driver::{Fd, coop, submit};

use crate::readiness::Interest;
use crate::stream::spliced::{From as _, To as _};
use crate::unix::pipe;

/// So much is looked for in memory at a time.
const PIECE: usize = 256 << 10;

/// Another descriptor of the same file, which an operation may keep.
fn share(fd: BorrowedFd<'_>) -> io::Result<Arc<Fd>> {
    Ok(Arc::new(Fd::from(fd.try_clone_to_owned()?)))
}

fn is_would_block(moved: &io::Result<usize>) -> bool {
    moved.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl pipe::Sender {
    /// Moves bytes of a file, from `offset` on, into the pipe: as many as there is room for, at
    /// least one and at most `len`. Returns how many; 0 at the end of the file, and only there.
    ///
    /// The pipe then has the pages of the file, not a copy: what is written to the file before they
    /// are read from the pipe may be read from there, too.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` if nobody reads any more; `InvalidInput` if `file` cannot be spliced from; what
    /// the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, nothing has been moved, unless the kernel was
    /// waiting for the file's device: then it may still move the bytes.
    ///
    /// # Panics
    ///
    /// On a thread without a driver, if the file has to be waited for.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use henge_net::unix::pipe;
    /// use tokio::io::AsyncReadExt;
    ///
    /// let file = std::fs::File::open("/proc/self/exe")?;
    /// let (sender, mut receiver) = pipe::pipe()?;
    /// assert_eq!(sender.splice_from_file(&file, 1, 3).await?, 3);
    /// let mut word = [0; 3];
    /// receiver.read_exact(&mut word).await?;
    /// assert_eq!(&word, b"ELF");
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn splice_from_file(
        &self,
        file: &(impl AsFd + ?Sized),
        offset: u64,
        len: usize,
    ) -> io::Result<usize> {
        let file = file.as_fd();
        poll_fn(|cx| coop::poll_proceed(cx).map(|spent| spent.made_progress())).await;
        loop {
            let moved = match sys::in_memory(file, offset, len.min(PIECE))? {
                _ if len == 0 => return Ok(0),
                InMemory::End => return Ok(0),
                InMemory::Bytes(len) => self.core.try_io(Interest::WRITABLE, |pipe| {
                    sys::splice_file_now(file, offset, pipe, len)
                }),
                InMemory::Nothing | InMemory::Unknown => {
                    let to = share(self.as_fd())?;
                    submit(Splice::new(share(file)?, to, len).from_offset(offset)).await
                }
            };
            if !is_would_block(&moved) {
                return moved;
            }
            self.drained().await?;
        }
    }
}

impl pipe::Receiver {
    /// Moves bytes from the pipe to a file, from the byte `offset` of the file on: as many as there
    /// are, at least one and at most `len`. Returns how many; 0 at the end of the pipe, and only
    /// there.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `file` cannot be spliced to, one that is open for appending for example;
    /// what the kernel answers.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, nothing has been moved, or the kernel was about
    /// to: then it may still move the bytes, to where they belong.
    ///
    /// # Panics
    ///
    /// On a thread without a driver.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use henge_net::unix::pipe;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// let path = std::env::temp_dir().join(format!("henge-splice-{}", std::process::id()));
    /// let file = std::fs::File::create(&path)?;
    /// let (mut sender, receiver) = pipe::pipe()?;
    /// sender.write_all(b"hello").await?;
    /// assert_eq!(receiver.splice_to_file(&file, 2, 64).await?, 5);
    /// assert_eq!(std::fs::read(&path)?, b"\0\0hello");
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn splice_to_file(
        &self,
        file: &(impl AsFd + ?Sized),
        offset: u64,
        len: usize,
    ) -> io::Result<usize> {
        if len == 0 {
            return Ok(0);
        }
        let (from, to) = (share(self.as_fd())?, share(file.as_fd())?);
        loop {
            self.filled().await?;
            let splice = Splice::new(Arc::clone(&from), Arc::clone(&to), len).to_offset(offset);
            let moved = submit(splice).await;
            if !is_would_block(&moved) {
                return moved;
            }
        }
    }
}
