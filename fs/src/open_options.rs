//! How a file is opened.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use henge_driver::sys::file::OpenHow;
use henge_driver::{ops, submit};

use crate::File;

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
}

impl OpenOptions {
    /// Nothing is allowed yet.
    pub fn new() -> OpenOptions {
        OpenOptions::default()
    }

    /// Allows reading.
    pub fn read(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.read = yes;
        self
    }

    /// Allows writing.
    pub fn write(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.write = yes;
        self
    }

    /// Allows writing, always at the end of the file.
    pub fn append(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.append = yes;
        self
    }

    /// Empties the file.
    pub fn truncate(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.truncate = yes;
        self
    }

    /// Makes the file if it does not exist.
    pub fn create(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.create = yes;
        self
    }

    /// Makes the file, which must not exist.
    pub fn create_new(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.create_new = yes;
        self
    }

    /// The permissions of a file that is made, before the process's mask; 0o666 unless set.
    pub fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        self.how.mode = mode;
        self
    }

    /// Further `O_*` flags, `O_DIRECT` for one. Those of the access mode have no effect.
    pub fn custom_flags(&mut self, flags: i32) -> &mut OpenOptions {
        self.how.custom_flags = flags;
        self
    }

    /// Opens `path`, relative to the working directory.
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
        let path = CString::new(path.as_ref().as_os_str().as_bytes())?;
        let fd = submit(ops::Open::new(path, &self.how)?).await?;
        Ok(File::new(fd))
    }
}
