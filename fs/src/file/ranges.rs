//! What concerns ranges of a file and not their bytes: room, plans, and the way to the device.

use std::io;
use std::sync::Arc;

use henge_driver::sys::file::{Advice, Allocation, RangeSync, blocking};
use henge_driver::{ops, submit};

use super::{File, LAST, beyond};
use crate::call::offload;

/// Each as the system call of the name.
impl File {
    /// Changes what room a range of the file has on the device.
    ///
    /// # Errors
    ///
    /// What the system answers: `StorageFull`, or `Unsupported` where the file system has no such
    /// thing.
    ///
    /// # Cancel safety
    ///
    /// It may take place or not.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::Allocation;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-fs-room-{}", std::process::id()));
    /// let log = henge_fs::File::create(path).await?;
    /// match log.fallocate(Allocation::Reserve, 0, 1 << 20).await {
    ///     Ok(()) => assert_eq!(log.metadata().await?.len(), 1 << 20),
    ///     Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::Unsupported),
    /// }
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn fallocate(&self, how: Allocation, offset: u64, len: u64) -> io::Result<()> {
        if offset > LAST || len > LAST {
            return Err(beyond());
        }
        submit(ops::Allocate::new(Arc::clone(&self.fd), how, offset, len)).await
    }

    /// Tells the kernel how a range of the file will be used; a length of 0 is all that follows.
    ///
    /// # Errors
    ///
    /// What the system answers; `ESPIPE` for a pipe.
    ///
    /// # Cancel safety
    ///
    /// It may take place or not.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::Advice;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let file = henge_fs::File::open("/proc/self/exe").await?;
    /// file.fadvise(Advice::Sequential, 0, 0).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn fadvise(&self, advice: Advice, offset: u64, len: u64) -> io::Result<()> {
        if offset > LAST || len > LAST {
            return Err(beyond());
        }
        let fd = Arc::clone(&self.fd);
        match u32::try_from(len) {
            Ok(len) => submit(ops::Advise::new(fd, advice, offset, len)).await,
            // More than the ring's entry has room for.
            Err(_) => offload(move || blocking::advise(&fd, advice, offset, len)).await,
        }
    }

    /// Starts, or waits for, the writing of a range to the device; a length of 0 is all that
    /// follows. It spreads the work of a later [`sync_data`](File::sync_data), and is no promise
    /// itself: neither metadata nor the device's own cache are brought to safety.
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
    /// use henge_fs::RangeSync;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-fs-range-{}", std::process::id()));
    /// let log = henge_fs::File::create(path).await?;
    /// let (done, _bytes) = log.write_all_at(vec![0; 1 << 20], 0).await;
    /// done?;
    /// log.sync_file_range(RangeSync::Start, 0, 1 << 20).await?; // and there is less to do for
    /// log.sync_data().await?;
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn sync_file_range(&self, how: RangeSync, offset: u64, len: u64) -> io::Result<()> {
        if offset > LAST || len > LAST {
            return Err(beyond());
        }
        let fd = Arc::clone(&self.fd);
        match u32::try_from(len) {
            Ok(len) => submit(ops::SyncRange::new(fd, how, offset, len)).await,
            Err(_) => offload(move || blocking::sync_range(&fd, how, offset, len)).await,
        }
    }
}
