//! What can be asked for ranges of a file, in words instead of numbers.

/// What to do with a range of a file's allocation.
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
