//! This thread's driver, whether it may block, and whether what it polls stays.

use std::error::Error;
use std::fmt;
use std::io;

use crate::driver::{Driver, entered};
use crate::driver_id::DriverId;
use crate::thread::{LOCAL, MOVING, UNLIMITED};

pub use crate::driver::Entered;

/// There is no driver on this thread.
///
/// ```
/// use henge_driver::current;
///
/// let nobody = current::with(|driver| driver.in_flight());
/// assert_eq!(nobody, Err(current::NoDriver));
/// let error = std::io::Error::from(current::NoDriver); // what I/O says then
/// assert!(error.to_string().contains("no io_uring driver on this thread"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDriver;

impl fmt::Display for NoDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no io_uring driver on this thread: call this inside a runtime's task or `block_on`, \
             or inside `Driver::block_on` or `Driver::enter`",
        )
    }
}

impl Error for NoDriver {}

impl From<NoDriver> for io::Error {
    fn from(error: NoDriver) -> io::Error {
        io::Error::other(error)
    }
}

/// Runs `f` with this thread's driver.
///
/// # Errors
///
/// [`NoDriver`] if none was entered.
///
/// ```
/// use henge_driver::{Driver, current};
///
/// assert!(current::with(|_| ()).is_err());
/// let driver = Driver::new()?;
/// let _entered = driver.enter();
/// assert!(current::with(|driver| driver.has_queued()).is_ok());
/// # Ok::<(), std::io::Error>(())
/// ```
#[inline]
pub fn with<R>(f: impl FnOnce(&Driver) -> R) -> Result<R, NoDriver> {
    entered::with(f).ok_or(NoDriver)
}

/// Is this the driver of the calling thread? One load and a compare.
///
/// ```
/// use henge_driver::{Driver, current};
///
/// let (mine, another) = (Driver::new()?, Driver::new()?);
/// let _entered = mine.enter();
/// assert!(current::is(mine.id()));
/// assert!(!current::is(another.id()));
/// # Ok::<(), std::io::Error>(())
/// ```
#[inline]
pub fn is(id: DriverId) -> bool {
    self::id() == id.get()
}

/// What the word of a state ([`Homed`](crate::home::Homed)) has to be so that it is at home here,
/// and nothing stands against a visit: no such word says that the visitor moves.
#[inline]
pub(crate) fn visitor() -> u64 {
    LOCAL.with(|local| local.driver.get())
}

/// The id of this thread's driver, or 0.
#[inline]
pub(crate) fn id() -> u64 {
    LOCAL.with(|local| local.id())
}

/// Whether this thread may wait for something: it has entered no driver, or is inside of
/// [`blocking`].
///
/// ```
/// use henge_driver::{Driver, current};
///
/// assert!(current::may_block());
/// let driver = Driver::new()?;
/// let _entered = driver.enter();
/// assert!(!current::may_block());
/// assert!(current::blocking(current::may_block));
/// # Ok::<(), std::io::Error>(())
/// ```
#[inline]
pub fn may_block() -> bool {
    id() == 0 || LOCAL.with(|local| local.may_block.get())
}

/// Runs `f`, which polls something that another thread may poll the next time, and that must not
/// then have to wait for this one. What transfers bytes does so by calls that cannot wait, and
/// leaves to this thread's driver nothing but the news that it is time to try again.
///
/// ```
/// use henge_driver::current;
///
/// assert!(!current::is_moving());
/// assert!(current::moving(current::is_moving));
/// ```
#[inline]
pub fn moving<R>(f: impl FnOnce() -> R) -> R {
    struct Reset(bool);
    impl Drop for Reset {
        #[inline]
        fn drop(&mut self) {
            LOCAL.with(|local| local.set_moving(self.0));
        }
    }
    let _reset = Reset(LOCAL.with(|local| local.set_moving(true)));
    f()
}

/// Whether this is inside of [`moving`]. One load.
///
/// ```
/// use henge_driver::current;
///
/// /// By a call that cannot wait, or by the ring of this thread.
/// fn way() -> &'static str {
///     if current::is_moving() { "call" } else { "ring" }
/// }
/// assert_eq!((way(), current::moving(way)), ("ring", "call"));
/// ```
#[inline]
pub fn is_moving() -> bool {
    LOCAL.with(|local| local.driver.get() & MOVING != 0)
}

/// Runs `f`, which may block, and has no budget to spend, in the middle of a poll. The driver stays
/// this thread's, and does nothing meanwhile.
///
/// ```
/// use henge_driver::{Driver, current};
///
/// let outer = Driver::new()?;
/// let answer = outer.block_on(async {
///     // In the middle of a poll, and it takes what it takes.
///     current::blocking(|| std::fs::read_to_string("/proc/self/comm"))
/// })?;
/// assert!(!answer?.is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    struct Reset {
        may_block: bool,
        moving: bool,
        budget: i64,
    }
    impl Drop for Reset {
        fn drop(&mut self) {
            LOCAL.with(|local| {
                local.may_block.set(self.may_block);
                local.set_moving(self.moving);
                local.budget.set(self.budget);
            });
        }
    }
    let _reset = LOCAL.with(|local| Reset {
        may_block: local.may_block.replace(true),
        moving: local.set_moving(false),
        budget: local.budget.replace(UNLIMITED),
    });
    f()
}
