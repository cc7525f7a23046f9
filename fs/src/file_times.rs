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
    pub fn new() -> FileTimes {
        FileTimes::default()
    }

    /// When the contents were read last.
    pub fn set_accessed(mut self, time: SystemTime) -> FileTimes {
        self.accessed = Some(time);
        self
    }

    /// When the contents were changed last.
    pub fn set_modified(mut self, time: SystemTime) -> FileTimes {
        self.modified = Some(time);
        self
    }
}
