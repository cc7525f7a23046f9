//! What a driver is called: known to all that must tell drivers apart, and need not know one.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ids are multiples of this one: whoever keeps one in a word has room for flags below it.
pub(crate) const STEP: u64 = 8;

/// The name of one driver; no two drivers of a process have the same, one after the other neither.
///
/// ```
/// use henge_driver::{Driver, DriverId, current};
///
/// let driver = Driver::new()?;
/// let home: DriverId = driver.id(); // what a value that lives there keeps
/// let elsewhere = std::thread::spawn(move || current::is(home));
/// assert!(!elsewhere.join().expect("no panic"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DriverId(NonZeroU64);

impl DriverId {
    pub(crate) fn fresh() -> DriverId {
        static NEXT: AtomicU64 = AtomicU64::new(STEP);
        let id = NEXT.fetch_add(STEP, Ordering::Relaxed);
        DriverId(NonZeroU64::new(id).expect("2⁶¹ drivers were made"))
    }

    #[inline]
    pub(crate) fn get(self) -> u64 {
        self.0.get()
    }
}
