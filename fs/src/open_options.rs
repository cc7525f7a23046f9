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
use crate::unwritten;

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
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::OpenOptions;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let nothing = OpenOptions::new().open("/dev/null").await;
    /// assert_eq!(nothing.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> OpenOptions {
        OpenOptions::default()
    }

    /// Allows reading.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::OpenOptions;
    /// use tokio::io::AsyncReadExt;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let mut zeros = OpenOptions::new().read(true).open("/dev/zero").await?;
    /// assert_eq!(zeros.read_u32().await?, 0);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.read = yes;
        self.in_std(|std| std.read(yes))
    }

    /// Allows writing.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::OpenOptions;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let null = OpenOptions::new().write(true).open("/dev/null").await?;
    /// assert_eq!(null.write_at("nobody reads it", 0).await.0?, 15);
    /// let (read, _buf) = null.read_at(Vec::with_capacity(8), 0).await;
    /// assert!(read.is_err(), "it was not opened for that");
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.write = yes;
        self.in_std(|std| std.write(yes))
    }

    /// Allows writing, always at the end of the file.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::OpenOptions;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-append-{}", std::process::id()));
    /// henge_fs::write(path, "started\n").await?;
    /// let log = OpenOptions::new().append(true).open(path).await?;
    /// let (written, _line) = log.write_all_at("stopped\n", 0).await; // the place has no effect
    /// written?;
    /// assert_eq!(henge_fs::read_to_string(path).await?, "started\nstopped\n");
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn append(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.append = yes;
        self.in_std(|std| std.append(yes))
    }

    /// Empties the file.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::OpenOptions;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-truncate-{}", std::process::id()));
    /// henge_fs::write(path, "a long text of yesterday").await?;
    /// let file = OpenOptions::new().write(true).truncate(true).open(path).await?;
    /// assert_eq!(file.metadata().await?.len(), 0);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn truncate(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.truncate = yes;
        self.in_std(|std| std.truncate(yes))
    }

    /// Makes the file if it does not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::OpenOptions;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-create-{}", std::process::id()));
    /// let mut options = OpenOptions::new();
    /// options.read(true).write(true).create(true); // what it holds stays
    /// options.open(path).await?.write_all_at("kept", 0).await.0?;
    /// assert_eq!(options.open(path).await?.metadata().await?.len(), 4);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.create = yes;
        self.in_std(|std| std.create(yes))
    }

    /// Makes the file, which must not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::OpenOptions;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-new-{}", std::process::id()));
    /// let mut options = OpenOptions::new();
    /// options.write(true).create_new(true);
    /// let lock = options.open(path).await?; // of two who try, one succeeds
    /// let second = options.open(path).await.unwrap_err();
    /// assert_eq!(second.kind(), std::io::ErrorKind::AlreadyExists);
    /// # drop(lock);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create_new(&mut self, yes: bool) -> &mut OpenOptions {
        self.how.create_new = yes;
        self.in_std(|std| std.create_new(yes))
    }

    /// The permissions of a file that is made, before the process's mask; 0o666 unless set.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::OpenOptions;
    /// use std::os::unix::fs::PermissionsExt;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-mode-{}", std::process::id()));
    /// let secret = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await?;
    /// assert_eq!(secret.metadata().await?.permissions().mode() & 0o777, 0o600);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        self.how.mode = mode;
        self.in_std(|std| std.mode(mode))
    }

    /// Further `O_*` flags, `O_DIRECT` for one. Those of the access mode have no effect.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::OpenOptions;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// const O_NOFOLLOW: i32 = 0o400_000;
    ///
    /// let mut options = OpenOptions::new();
    /// let link = options.read(true).custom_flags(O_NOFOLLOW).open("/proc/self/exe").await;
    /// assert_eq!(link.unwrap_err().raw_os_error(), Some(40), "ELOOP");
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::OpenOptions;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let none = OpenOptions::new().read(true).open("/no/such/file").await;
    /// assert_eq!(none.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    /// let null = OpenOptions::new().read(true).open("/dev/null").await?;
    /// assert_eq!(null.read_at(vec![0; 8], 0).await.0?, 0);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let path = path.as_ref();
        let file = if let Some(std) = &self.std {
            // They may say that it is to be emptied.
            unwritten::settle_name(path).await;
            let (std, path) = (std.clone(), path.to_owned());
            File::from_std(offload(move || blocking::open(&path, &std)).await?)
        } else {
            if self.how.truncate {
                unwritten::settle_name(path).await;
            }
            let flags = self.how.flags()?;
            let fd = open_fd(c_path(path)?, &self.how, flags).await?;
            File::new(fd, Attempts::with_flags(flags))
        };
        if let Some(before) = unwritten::before_of(file.fd()) {
            before.ended().await;
        }
        Ok(file)
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
        if left.is_elsewhere() {
            // Nobody may turn that ring any more.
            left = submit(ops::Readable::new(Arc::clone(&fd)));
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
