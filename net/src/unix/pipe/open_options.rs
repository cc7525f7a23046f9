//! How a pipe that has a path is opened.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use henge_driver::sys::pipe as sys;

use super::{Receiver, Sender};

/// How a pipe that has a path (`mkfifo`) is opened.
///
/// # Examples
///
/// ```
/// # use henge_net::unix::pipe;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// # let path = std::env::temp_dir().join(format!("henge-fifo-options-{}", std::process::id()));
/// # let _ = std::fs::remove_file(&path);
/// # assert!(std::process::Command::new("mkfifo").arg(&path).status()?.success());
/// let mut receiver = pipe::OpenOptions::new().open_receiver(&path)?;
/// let mut sender = pipe::OpenOptions::new().open_sender(&path)?;
/// sender.write_all(b"hello").await?;
/// assert_eq!(receiver.read_u8().await?, b'h');
/// # std::fs::remove_file(&path)?;
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    read_write: bool,
    unchecked: bool,
}

impl OpenOptions {
    /// Neither option is set.
    ///
    /// # Examples
    ///
    /// ```
    /// let options = henge_net::unix::pipe::OpenOptions::new();
    /// # let _ = options;
    /// ```
    pub fn new() -> OpenOptions {
        OpenOptions { read_write: false, unchecked: false }
    }

    /// Opens the file for both, whatever is asked for: then it can be opened without anybody at the
    /// other end, and has no end. Linux alone allows that.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-fifo-rw-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// # assert!(std::process::Command::new("mkfifo").arg(&path).status()?.success());
    /// let mut sender = pipe::OpenOptions::new().read_write(true).open_sender(&path)?;
    /// sender.write_all(b"nobody reads yet").await?;
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_write(&mut self, value: bool) -> &mut OpenOptions {
        self.read_write = value;
        self
    }

    /// Whether to leave out the look whether the file is a pipe.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-fifo-unchecked-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// # assert!(std::process::Command::new("mkfifo").arg(&path).status()?.success());
    /// let receiver = pipe::OpenOptions::new().unchecked(true).open_receiver(&path)?;
    /// # drop(receiver);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn unchecked(&mut self, value: bool) -> &mut OpenOptions {
        self.unchecked = value;
        self
    }

    /// Opens the reading end of the pipe at `path`. It does not wait for a writer.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is no pipe; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let name = format!("henge-fifo-receiver-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// # let _ = std::fs::remove_file(&path);
    /// # assert!(std::process::Command::new("mkfifo").arg(&path).status()?.success());
    /// let mut receiver = pipe::OpenOptions::new().open_receiver(&path)?;
    /// let mut sender = pipe::OpenOptions::new().open_sender(&path)?;
    /// sender.write_all(b"hello").await?;
    /// assert_eq!(receiver.read_u8().await?, b'h');
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn open_receiver<P: AsRef<Path>>(&self, path: P) -> io::Result<Receiver> {
        let fd = self.open(path.as_ref(), sys::Access::Read)?;
        Receiver::from_owned_fd_unchecked(fd)
    }

    /// Opens the writing end of the pipe at `path`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is no pipe; an error that says so (ENXIO) if nobody has it open for
    /// reading; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::unix::pipe;
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-fifo-sender-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// # assert!(std::process::Command::new("mkfifo").arg(&path).status()?.success());
    /// assert!(pipe::OpenOptions::new().open_sender(&path).is_err(), "nobody reads");
    /// let receiver = pipe::OpenOptions::new().open_receiver(&path)?;
    /// let sender = pipe::OpenOptions::new().open_sender(&path)?;
    /// # drop((receiver, sender));
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn open_sender<P: AsRef<Path>>(&self, path: P) -> io::Result<Sender> {
        let fd = self.open(path.as_ref(), sys::Access::Write)?;
        Sender::from_owned_fd_unchecked(fd)
    }

    fn open(&self, path: &Path, access: sys::Access) -> io::Result<OwnedFd> {
        let asked = if self.read_write { sys::Access::Both } else { access };
        let fd = sys::open(path, asked)?;
        if !self.unchecked {
            sys::check_end(&fd, access)?;
        }
        Ok(fd)
    }
}
