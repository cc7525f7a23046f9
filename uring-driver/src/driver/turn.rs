//! What a turn did, as the caller of one is told.

/// What a turn did.
///
/// ```
/// use henge_driver::{Driver, Turn, ops};
///
/// let driver = Driver::new()?;
/// driver.submit_detached(ops::After::new(std::time::Duration::ZERO, || ()));
/// let mut told = Turn::default();
/// while told.completions == 0 {
///     told = driver.park(None, || false)?;
/// }
/// assert_eq!((told.completions, told.operations.count_ones()), (1, 1));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turn {
    /// Completions of operations that were handled.
    pub completions: u32,
    /// Posted objects that were run.
    pub posted: u32,
    /// Wakes that came from other threads.
    pub wakes: u32,
    /// Operations that were submitted and as a rule have [completed by
    /// now](crate::Operation::AT_ONCE).
    pub at_once: u32,
    /// Which operations completed: of each the bit of its slot, modulo 64. An operation that
    /// completes again and again keeps its slot.
    pub operations: u64,
}
