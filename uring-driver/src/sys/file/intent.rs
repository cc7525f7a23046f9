//! What can be asked for ranges of a file, in words instead of numbers.

/// What to do with a range of a file's allocation.
///
/// ```
/// use henge_driver::ops::{Allocate, Allocation};
/// use henge_driver::{Driver, Fd, submit};
/// use std::{fs, io::ErrorKind, os::fd::OwnedFd, sync::Arc};
///
/// # let path = std::env::temp_dir().join(format!("henge-hole-{}", std::process::id()));
/// fs::write(&path, [1; 8192])?;
/// let file = fs::OpenOptions::new().write(true).open(&path)?;
/// let file = Arc::new(Fd::from(OwnedFd::from(file)));
/// let hole = Allocate::new(file, Allocation::PunchHole, 0, 4096);
/// match Driver::new()?.block_on(submit(hole))? {
///     Ok(()) => assert_eq!(fs::read(&path)?, [[0; 4096], [1; 4096]].concat()),
///     Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported),
/// }
/// # fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Allocation {
    /// Room for the range, which reads as zeros where nothing was written; the file grows to its
    /// end.
    Reserve,
    /// As `Reserve`, but the file keeps its length.
    ReserveKeepSize,
    /// The range reads as zeros and takes no room; the file keeps its length.
    PunchHole,
    /// The range reads as zeros, and has room; the file grows to its end.
    Zero,
    /// As `Zero`, but the file keeps its length.
    ZeroKeepSize,
    /// The range is cut out, what follows moves up. In units of the file system's blocks.
    Collapse,
    /// A hole is put before the range, what follows moves down. In units of the file system's
    /// blocks.
    Insert,
}

impl Allocation {
    pub(crate) fn mode(self) -> i32 {
        match self {
            Allocation::Reserve => 0,
            Allocation::ReserveKeepSize => libc::FALLOC_FL_KEEP_SIZE,
            Allocation::PunchHole => libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE,
            Allocation::Zero => libc::FALLOC_FL_ZERO_RANGE,
            Allocation::ZeroKeepSize => libc::FALLOC_FL_ZERO_RANGE | libc::FALLOC_FL_KEEP_SIZE,
            Allocation::Collapse => libc::FALLOC_FL_COLLAPSE_RANGE,
            Allocation::Insert => libc::FALLOC_FL_INSERT_RANGE,
        }
    }
}

/// How a range of a file will be used.
///
/// ```
/// use henge_driver::ops::{Advice, Advise};
/// use henge_driver::{Driver, Fd, submit};
/// use std::{fs::File, os::fd::OwnedFd, sync::Arc};
///
/// let table = Arc::new(Fd::from(OwnedFd::from(File::open("/proc/self/exe")?)));
/// let driver = Driver::new()?;
/// for advice in [Advice::Random, Advice::DontNeed] {
///     driver.block_on(submit(Advise::new(Arc::clone(&table), advice, 0, 0)))??;
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Nothing special: the kernel's usual read-ahead.
    Normal,
    /// From the beginning to the end: more read-ahead.
    Sequential,
    /// Here and there: no read-ahead.
    Random,
    /// Soon: it is read into memory now.
    WillNeed,
    /// Not again: what is clean leaves memory.
    DontNeed,
    /// Once only.
    NoReuse,
}

impl Advice {
    pub(crate) fn number(self) -> i32 {
        match self {
            Advice::Normal => libc::POSIX_FADV_NORMAL,
            Advice::Sequential => libc::POSIX_FADV_SEQUENTIAL,
            Advice::Random => libc::POSIX_FADV_RANDOM,
            Advice::WillNeed => libc::POSIX_FADV_WILLNEED,
            Advice::DontNeed => libc::POSIX_FADV_DONTNEED,
            Advice::NoReuse => libc::POSIX_FADV_NOREUSE,
        }
    }
}

/// What to do with the dirty pages of a range.
///
/// ```
/// use henge_driver::ops::{RangeSync, SyncRange};
/// use henge_driver::{Driver, Fd, submit};
/// use std::{fs::File, io::Write, os::fd::OwnedFd, sync::Arc};
///
/// # let path = std::env::temp_dir().join(format!("henge-range-{}", std::process::id()));
/// let mut log = File::create(&path)?;
/// log.write_all(&[1; 8192])?;
/// let log = Arc::new(Fd::from(OwnedFd::from(log)));
/// let driver = Driver::new()?;
/// for how in [RangeSync::Start, RangeSync::Wait] {
///     driver.block_on(submit(SyncRange::new(Arc::clone(&log), how, 0, 8192)))??;
/// }
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RangeSync {
    /// Starts to write those that are not being written yet.
    Start,
    /// Waits for those that are being written.
    Wait,
    /// Writes all of them, and waits.
    StartAndWait,
}

impl RangeSync {
    pub(crate) fn flags(self) -> u32 {
        let (before, write, after) = (
            libc::SYNC_FILE_RANGE_WAIT_BEFORE,
            libc::SYNC_FILE_RANGE_WRITE,
            libc::SYNC_FILE_RANGE_WAIT_AFTER,
        );
        match self {
            RangeSync::Start => write,
            RangeSync::Wait => before,
            RangeSync::StartAndWait => before | write | after,
        }
    }
}
