//! Whether a transfer is worth an attempt that does not wait, before the ring is asked.
//!
//! What is in memory is read by one plain call; what is not costs that call in vain. So a file
//! whose attempts fail is tried less and less, and one that cannot be asked never again.

use std::sync::atomic::{AtomicU8, Ordering};

use henge_driver::Fd;
use henge_driver::sys::file::now::{self, Moved};

/// More at once is for the ring, so that others have their turn: some 5 µs of copying, which a task
/// may do as often as its budget has units before it has to let go.
pub(crate) const MOST: usize = 64 << 10;

/// This file is never asked.
const NEVER: u8 = u8::MAX;
/// Nobody has looked yet whether this file can be asked.
const UNKNOWN: u8 = u8::MAX - 1;
/// After so many failures in a row the number of requests that go to the ring at once doubles no
/// more.
const MOST_FAILURES: u8 = 6;

/// The memory of one direction of one file. Relaxed throughout: it is a guess.
#[derive(Debug)]
struct Direction {
    failures: AtomicU8,
    /// So many requests go to the ring at once.
    skip: AtomicU8,
}

impl Direction {
    fn new(failures: u8, skip: u8) -> Direction {
        Direction { failures: AtomicU8::new(failures), skip: AtomicU8::new(skip) }
    }

    #[inline]
    fn try_now(&self, fd: &Fd, attempt: impl FnOnce() -> Moved) -> Option<usize> {
        let skip = self.skip.load(Ordering::Relaxed);
        if skip > 0 {
            if skip != NEVER {
                self.skip.store(skip - 1, Ordering::Relaxed);
            }
            return None;
        }
        let failures = self.failures.load(Ordering::Relaxed);
        if failures == UNKNOWN {
            if now::waits(fd) {
                self.skip.store(NEVER, Ordering::Relaxed);
                return None;
            }
            self.failures.store(0, Ordering::Relaxed);
        }
        match attempt() {
            Moved::Bytes(n) => {
                if failures != 0 {
                    self.failures.store(0, Ordering::Relaxed);
                }
                Some(n)
            }
            Moved::NotNow => {
                let failures = if failures == UNKNOWN { 1 } else { failures + 1 };
                let failures = failures.min(MOST_FAILURES);
                self.failures.store(failures, Ordering::Relaxed);
                self.skip.store((1 << failures) - 1, Ordering::Relaxed);
                None
            }
            Moved::Never => {
                self.skip.store(NEVER, Ordering::Relaxed);
                None
            }
        }
    }
}

/// The memory of one file.
#[derive(Debug)]
pub(crate) struct Attempts {
    read: Direction,
    write: Direction,
}

impl Attempts {
    /// For a file that was opened elsewhere.
    pub(crate) fn new() -> Attempts {
        Attempts { read: Direction::new(UNKNOWN, 0), write: Direction::new(UNKNOWN, 0) }
    }

    /// For a file that was opened with these flags.
    pub(crate) fn with_flags(flags: i32) -> Attempts {
        let skip = if now::is_direct(flags) { NEVER } else { 0 };
        Attempts { read: Direction::new(0, skip), write: Direction::new(0, skip) }
    }

    /// The bytes that were read without waiting, if any attempt was made and succeeded.
    #[inline]
    pub(crate) fn read(&self, fd: &Fd, attempt: impl FnOnce() -> Moved) -> Option<usize> {
        self.read.try_now(fd, attempt)
    }

    /// As [`read`](Attempts::read), of a write.
    #[inline]
    pub(crate) fn write(&self, fd: &Fd, attempt: impl FnOnce() -> Moved) -> Option<usize> {
        self.write.try_now(fd, attempt)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn failures_make_attempts_rarer_and_a_success_makes_up_for_them() {
        let fd = Fd::from(OwnedFd::from(std::io::pipe().unwrap().0));
        let attempts = Attempts::new();
        let mut asked = 0;
        for _ in 0..1_000 {
            let nothing = attempts.read(&fd, || {
                asked += 1;
                Moved::NotNow
            });
            assert_eq!(nothing, None);
        }
        assert!((10..50).contains(&asked), "asked {asked} times");
        while attempts.read(&fd, || Moved::Bytes(1)).is_none() {}
        assert_eq!(attempts.read(&fd, || Moved::Bytes(2)), Some(2));
        assert_eq!(attempts.write(&fd, || Moved::Never), None);
        assert_eq!(attempts.write(&fd, || Moved::Bytes(1)), None);
    }
}
