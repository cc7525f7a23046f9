//! What a task is called.

use std::fmt;
use std::num::NonZeroU64;

use super::current;
use super::header::TaskPtr;

/// An opaque identifier of a task, unique among those that run or have a handle.
///
/// It is the task's address, so it costs nothing, and a task made after all handles of another
/// are gone may have the same.
///
/// # Examples
/// ```
/// # let runtime = henge::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let handle = henge::spawn(async { henge::task::id() });
/// let id = handle.id();
/// assert_eq!(handle.await.unwrap(), id);
/// # });
/// ```
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(NonZeroU64);

impl Id {
    pub(super) fn of(task: TaskPtr) -> Self {
        Self::at(task.as_ptr().as_ptr().cast())
    }

    /// That of something which is not a task, by its own address.
    #[inline]
    pub(crate) fn at(address: *const ()) -> Self {
        Self(NonZeroU64::new(address.addr() as u64).unwrap_or(NonZeroU64::MAX))
    }

    pub(super) fn bits(self) -> u64 {
        self.0.get()
    }

    /// Undoes [`bits`](Self::bits).
    pub(super) fn from_bits(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Self)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The [`Id`] of the task that this thread is polling.
///
/// Also known while a task's future or its result is dropped.
///
/// # Panics
/// Outside of a task, and what `block_on` runs is none. See [`try_id`].
///
/// # Examples
/// ```
/// use henge::task;
///
/// fn log(line: &str) -> String {
///     format!("[{}] {line}", task::id())
/// }
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = henge::spawn(async { log("begin") });
/// let id = task.id();
/// assert_eq!(task.await.unwrap(), format!("[{id}] begin"));
/// # }
/// ```
#[track_caller]
pub fn id() -> Id {
    try_id().expect("Can't get a task id when not inside a task")
}

/// The [`Id`] of the task that this thread is polling, if there is one.
///
/// # Examples
/// ```
/// assert!(henge::task::try_id().is_none());
/// ```
pub fn try_id() -> Option<Id> {
    current::task()
}
