//! The times of a file that can be set.

use std::time::SystemTime;

/// When a file was read or changed last, for [`File::set_times`](crate::File::set_times); a time
/// that is not given stays as it is.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
///
/// let times = henge_fs::FileTimes::new()
///     .set_accessed(SystemTime::now())
///     .set_modified(SystemTime::UNIX_EPOCH);
/// # drop(times);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "set them with `File::set_times`"]
pub struct FileTimes {
    pub(crate) accessed: Option<SystemTime>,
    pub(crate) modified: Option<SystemTime>,
}

impl FileTimes {
    /// None yet.
    ///
    /// # Examples
    ///
    /// ```
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-times-new-{}", std::process::id()));
    /// let file = henge_fs::File::create(path).await?;
    /// let before = file.metadata().await?.modified()?;
    /// file.set_times(henge_fs::FileTimes::new()).await?; // none is given, so none changes
    /// assert_eq!(file.metadata().await?.modified()?, before);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> FileTimes {
        FileTimes::default()
    }

    /// When the contents were read last.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::FileTimes;
    /// use std::time::{Duration, SystemTime};
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-accessed-{}", std::process::id()));
    /// let read = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    /// let file = henge_fs::File::create(path).await?;
    /// file.set_times(FileTimes::new().set_accessed(read)).await?;
    /// assert_eq!(file.metadata().await?.accessed()?, read);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_accessed(mut self, time: SystemTime) -> FileTimes {
        self.accessed = Some(time);
        self
    }

    /// When the contents were changed last.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::FileTimes;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-modified-{}", std::process::id()));
    /// let original = henge_fs::metadata("Cargo.toml").await?.modified()?;
    /// henge_fs::copy("Cargo.toml", path).await?; // copies the contents, and the permissions
    /// let copy = henge_fs::OpenOptions::new().write(true).open(path).await?;
    /// copy.set_times(FileTimes::new().set_modified(original)).await?;
    /// assert_eq!(copy.metadata().await?.modified()?, original);
    /// # henge_fs::remove_file(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_modified(mut self, time: SystemTime) -> FileTimes {
        self.modified = Some(time);
        self
    }
}
