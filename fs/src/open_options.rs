//! How a file is opened.

use std::ffi::CString;
use std::future::{Future, poll_fn};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use henge_driver::sys::file::{OpenHow, StdOpenOptions, blocking, now};
use henge_driver::{Fd, ops, submit};

use crate::File;
use crate::attempts::Attempts;
use crate::call::{c_path, offload, proceed};

/// How a file is opened: std's `OpenOptions`, with an asynchronous [`open`](OpenOptions::open).
/// Files are always closed on exec.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// let log = henge_fs::OpenOptions::new().append(true).open("/dev/null").await?;
/// # drop(log);
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    how: OpenHow,
    /// Options of std's, which do not say what they are: every setting is made in both, and these
    /// are opened with.
    std: Option<StdOpenOptions>,
}

impl OpenOptions {
    /// Nothing is allowed yet.
    pub fn new() -> OpenOptions {
        OpenOptions::default()
    }

    /// Allows reading.
    pub fn read(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.read = yes;
        self.in_std(|std| std.read(yes))
    }

    /// Allows writing.
    pub fn write(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.write = yes;
        self.in_std(|std| std.write(yes))
    }

    /// Allows writing, always at the end of the file.
    pub fn append(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.append = yes;
        self.in_std(|std| std.append(yes))
    }

    /// Empties the file.
    pub fn truncate(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.truncate = yes;
        self.in_std(|std| std.truncate(yes))
    }

    /// Makes the file if it does not exist.
    pub fn create(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.create = yes;
        self.in_std(|std| std.create(yes))
    }

    /// Makes the file, which must not exist.
    pub fn create_new(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.create_new = yes;
        self.in_std(|std| std.create_new(yes))
    }

    /// The permissions of a file that is made, before the process's mask; 0o666 unless set.
    pub fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        self.how.mode = mode;
        self.in_std(|std| std.mode(mode))
    }

    /// Further `O_*` flags, `O_DIRECT` for one. Those of the access mode have no effect.
    pub fn custom_flags(&mut self, flags: i32) -> &mut OpenOptions {
        self.how.custom_flags = flags;
        self.in_std(|std| std.custom_flags(flags))
    }

    /// Adds `O_DIRECT`.
    pub(crate) fn direct(mut self) -> OpenOptions {
        self.custom_flags(self.how.custom_flags | now::DIRECT);
        self
    }

    fn in_std(
        &mut self,
        set: impl FnOnce(&mut StdOpenOptions) -> &mut StdOpenOptions,
    ) -> &mut OpenOptions {
        if let Some(std) = &mut self.std {
            set(std);
        }
        self
    }

    /// Opens `path`, relative to the working directory.
    ///
    /// A named pipe waits for its other end, as `open` does.
    ///
    /// # Errors
    ///
    /// What the system answers; `InvalidInput` if the options contradict one another, as in std,
    /// or the path holds a NUL byte.
    ///
    /// # Cancel safety
    ///
    /// A file that was opened for a future that is gone is closed; it may have been made or
    /// emptied.
    ///
    /// # Panics
    ///
    /// On a thread without a driver.
    pub async fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        if let Some(std) = &self.std {
            let (std, path) = (std.clone(), path.as_ref().to_owned());
            return offload(move || blocking::open(&path, &std)).await.map(File::from_std);
        }
        let flags = self.how.flags()?;
        let fd = open_fd(c_path(path.as_ref())?, &self.how, flags).await?;
        Ok(File::new(fd, Attempts::with_flags(flags)))
    }
}

/// Opens without waiting where the kernel has everything in memory, else by way of the ring.
async fn open_fd(path: CString, how: &OpenHow, flags: i32) -> io::Result<Fd> {
    if !now::only_opens(flags) {
        return submit(ops::Open::new(path, how)?.waiting()).await;
    }
    proceed().await;
    let Some(fd) = now::open(None, &path, flags)? else {
        return submit(ops::Open::new(path, how)?.waiting()).await;
    };
    if now::is_nonblocking(flags) {
        return Ok(fd);
    }
    if now::only_reads(flags) && now::is_pipe(&fd) {
        return reader(fd, ops::Open::new(path, how)?.waiting(), flags).await;
    }
    now::clear_nonblocking(&fd, flags)?;
    Ok(fd)
}

/// A named pipe that was opened for reading without waiting for a writer, as soon as there has
/// been one.
///
/// A second `open` finds a writer that stays; one that came and went in between it would wait for
/// in vain, but that one has left its bytes, or its end, in the descriptor that is there already.
async fn reader(fd: Fd, open: ops::Open, flags: i32) -> io::Result<Fd> {
    let fd = Arc::new(fd);
    let mut second = submit(open);
    let mut left = submit(ops::Readable::new(Arc::clone(&fd)));
    let second = poll_fn(|cx| {
        if let Poll::Ready(second) = Pin::new(&mut second).poll(cx) {
            return Poll::Ready(second.map(Some));
        }
        Pin::new(&mut left).poll(cx).map(|left| left.map(|()| None))
    })
    .await?;
    if let Some(second) = second {
        return Ok(second);
    }
    drop(left);
    now::clear_nonblocking(&fd, flags)?;
    match Arc::try_unwrap(fd) {
        Ok(fd) => Ok(fd),
        // The wait for bytes has ended and has not been forgotten yet.
        Err(fd) => blocking::duplicate(&fd),
    }
}

impl From<StdOpenOptions> for OpenOptions {
    /// Options of std's. They do not tell what they are, so files are opened with them on the
    /// blocking pool.
    fn from(std: StdOpenOptions) -> OpenOptions {
        OpenOptions { how: OpenHow::default(), std: Some(std) }
    }
}
