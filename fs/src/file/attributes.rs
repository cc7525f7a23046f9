//! What concerns the file as a whole: its safety on the device, its length, what is known of it.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use henge_driver::sys::file::{Metadata, Permissions, blocking};
use henge_driver::{ops, submit};

use super::{File, LAST, beyond};
use crate::call::{offload, set_len};
use crate::waiters::lock;
use crate::{FileTimes, facts};

impl File {
    /// Returns when all that was written before is on the device, metadata included.
    ///
    /// Waits for what is under way at the file's position; transfers at offsets have to be awaited
    /// before.
    ///
    /// # Errors
    ///
    /// What the system answers; bytes that were written may then be lost. An error of a write
    /// that is under way shows in the next write or flush.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost; whether the device has everything is not known.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// henge_fs::File::open(".").await?.sync_all().await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn sync_all(&self) -> io::Result<()> {
        self.idle().await;
        submit(ops::Fsync::new(Arc::clone(&self.fd), false)).await
    }

    /// As [`sync_all`](File::sync_all), but only as much metadata as is needed to read the bytes
    /// back.
    ///
    /// # Errors
    ///
    /// As [`sync_all`](File::sync_all).
    ///
    /// # Cancel safety
    ///
    /// As [`sync_all`](File::sync_all).
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// henge_fs::File::open(".").await?.sync_data().await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn sync_data(&self) -> io::Result<()> {
        self.idle().await;
        submit(ops::Fsync::new(Arc::clone(&self.fd), true)).await
    }

    /// Cuts the file to `len` bytes, or lengthens it with zeros. The file must be open for
    /// writing. Waits for what is under way at the file's position, which stays where it is.
    ///
    /// Before Linux 6.9, which has no such operation, the blocking pool does it.
    ///
    /// # Errors
    ///
    /// What the system answers; `InvalidInput` for a file that is not open for writing, and for a
    /// length beyond 2⁶³ - 1.
    ///
    /// # Cancel safety
    ///
    /// The length may be set or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-fs-len-{}", std::process::id()));
    /// let file = henge_fs::File::create(path).await?;
    /// file.set_len(1 << 20).await?;
    /// assert_eq!(file.metadata().await?.len(), 1 << 20);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn set_len(&self, len: u64) -> io::Result<()> {
        if len > LAST {
            return Err(beyond());
        }
        self.idle().await;
        lock(&self.cursor).step_back(&self.fd)?;
        set_len(Arc::clone(&self.fd), len).await
    }

    /// What is known of the file, once what is being written at its position is in it.
    ///
    /// # Errors
    ///
    /// What the system answers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// assert!(henge_fs::File::open(".").await?.metadata().await?.is_dir());
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn metadata(&self) -> io::Result<Metadata> {
        facts::of_file(&self.fd).await
    }

    /// Sets who may do what with the file.
    ///
    /// # Errors
    ///
    /// What the system answers.
    ///
    /// # Cancel safety
    ///
    /// It may take place or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-its-mode-{}", std::process::id()));
    /// let file = henge_fs::File::create(path).await?;
    /// let mut permissions = file.metadata().await?.permissions();
    /// permissions.set_readonly(true);
    /// file.set_permissions(permissions).await?;
    /// assert!(file.metadata().await?.permissions().readonly());
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        let fd = Arc::clone(&self.fd);
        offload(move || blocking::set_file_permissions(&fd, permissions)).await
    }

    /// Sets when the file was read or changed last. Waits for what is under way at the file's
    /// position, which would set it again.
    ///
    /// # Errors
    ///
    /// What the system answers.
    ///
    /// # Cancel safety
    ///
    /// It may take place or not.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::SystemTime;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-fs-times-{}", std::process::id()));
    /// let file = henge_fs::File::create(path).await?;
    /// let times = henge_fs::FileTimes::new().set_accessed(SystemTime::UNIX_EPOCH);
    /// file.set_times(times).await?;
    /// assert_eq!(file.metadata().await?.accessed()?, SystemTime::UNIX_EPOCH);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn set_times(&self, times: FileTimes) -> io::Result<()> {
        self.idle().await;
        let fd = Arc::clone(&self.fd);
        offload(move || blocking::set_times(&fd, times.accessed, times.modified)).await
    }

    /// Sets when the file was changed last; see [`set_times`](File::set_times).
    ///
    /// # Errors
    ///
    /// What the system answers.
    ///
    /// # Cancel safety
    ///
    /// It may take place or not.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::SystemTime;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-changed-{}", std::process::id()));
    /// let file = henge_fs::File::create(path).await?;
    /// file.set_modified(SystemTime::UNIX_EPOCH).await?;
    /// assert_eq!(file.metadata().await?.modified()?, SystemTime::UNIX_EPOCH);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.set_times(FileTimes::new().set_modified(time)).await
    }
}
