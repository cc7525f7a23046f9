//! A cell whose value is made once, by an async function.

use std::fmt;

use crate::sync::error::TryAcquireError;
use crate::sync::semaphore::{Semaphore, SemaphorePermit};
use crate::sync::set_value::SetValue;

/// A cell that is empty until somebody makes its value, and never changes then.
///
/// [`get_or_init`](Self::get_or_init) is given an async function that makes the value; whoever
/// comes while it runs waits for it. If it fails, panics or is cancelled, the next one in line
/// tries with its own function.
///
/// The value is made under a [`Semaphore`] of one permit, which is closed when the cell is full.
///
/// # Examples
///
/// ```
/// use henge::sync::OnceCell;
///
/// static CONFIG: OnceCell<String> = OnceCell::const_new();
///
/// async fn config() -> &'static str {
///     CONFIG.get_or_init(|| async { String::from("read from somewhere") }).await
/// }
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let (a, b) = henge::join!(config(), config());
/// assert!(std::ptr::eq(a, b), "it was read once");
/// # }
/// ```
pub struct OnceCell<T> {
    value: SetValue<T>,
    /// Its one permit is for who makes the value. Closed only when there is one.
    making: Semaphore,
}

impl<T> OnceCell<T> {
    /// An empty cell.
    ///
    /// # Examples
    ///
    /// ```
    /// let cell = henge::sync::OnceCell::<u32>::new();
    /// assert!(!cell.initialized());
    /// ```
    pub fn new() -> Self {
        Self::new_with(None)
    }

    /// An empty cell for a static.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::OnceCell;
    /// static NAME: OnceCell<String> = OnceCell::const_new();
    /// assert_eq!(NAME.get(), None);
    /// ```
    #[cfg(not(henge_loom))]
    pub const fn const_new() -> Self {
        Self { value: SetValue::unset(), making: Semaphore::const_new(1) }
    }

    /// A cell with this value, or an empty one.
    ///
    /// # Examples
    ///
    /// ```
    /// let cell = henge::sync::OnceCell::new_with(Some(1));
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    pub fn new_with(value: Option<T>) -> Self {
        Self { value: value.into(), making: Semaphore::new(1) }
    }

    /// A cell with this value, for a static.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::OnceCell;
    /// static NUMBER: OnceCell<u32> = OnceCell::const_new_with(1);
    /// assert_eq!(NUMBER.get(), Some(&1));
    /// ```
    #[cfg(not(henge_loom))]
    pub const fn const_new_with(value: T) -> Self {
        Self { value: SetValue::Made(value), making: Semaphore::const_new(1) }
    }

    /// Whether there is a value.
    ///
    /// # Examples
    ///
    /// ```
    /// let cell = henge::sync::OnceCell::new();
    /// cell.set(1).unwrap();
    /// assert!(cell.initialized());
    /// ```
    pub fn initialized(&self) -> bool {
        self.value.get().is_some()
    }

    /// The value, if there is one.
    ///
    /// # Examples
    ///
    /// ```
    /// let cell = henge::sync::OnceCell::new();
    /// assert_eq!(cell.get(), None);
    /// cell.set(1).unwrap();
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, if there is one, to change: who has the cell to itself may.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut cell = henge::sync::OnceCell::new_with(Some(1));
    /// *cell.get_mut().unwrap() = 2;
    /// assert_eq!(cell.into_inner(), Some(2));
    /// ```
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Fills the cell.
    ///
    /// # Errors
    ///
    /// The value, in [`SetError::AlreadyInitializedError`] if there is one, and in
    /// [`SetError::InitializingError`] if somebody is making one.
    ///
    /// # Examples
    ///
    /// ```
    /// let cell = henge::sync::OnceCell::new();
    /// assert!(cell.set(1).is_ok());
    /// assert!(cell.set(2).unwrap_err().is_already_init_err());
    /// ```
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        if self.initialized() {
            return Err(SetError::AlreadyInitializedError(value));
        }
        match self.making.try_acquire() {
            Ok(permit) => {
                self.fill(value, permit);
                Ok(())
            }
            Err(TryAcquireError::NoPermits) => Err(SetError::InitializingError(value)),
            Err(TryAcquireError::Closed) => Err(SetError::AlreadyInitializedError(value)),
        }
    }

    /// The value. If there is none, the future that `f` returns makes it, unless somebody else's
    /// does already: that one is waited for.
    ///
    /// A future that needs the value of the same cell waits for itself, for ever.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped while it makes the value, the next one in line makes it instead, and
    /// otherwise it loses its place in line.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cell = henge::sync::OnceCell::new();
    /// assert_eq!(*cell.get_or_init(|| async { 1 }).await, 1);
    /// assert_eq!(*cell.get_or_init(|| async { 2 }).await, 1);
    /// # }
    /// ```
    pub async fn get_or_init<F, Fut>(&self, f: F) -> &T
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        if let Some(value) = self.get() {
            return value;
        }
        match self.making.acquire().await {
            Ok(permit) => self.fill(f().await, permit),
            Err(_full) => self.full(),
        }
    }

    /// As [`get_or_init`](Self::get_or_init), where making the value may fail.
    ///
    /// # Errors
    ///
    /// That of the future, if it was this one's turn. The cell stays empty, and the next one in
    /// line tries.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped while it makes the value, the next one in line makes it instead, and
    /// otherwise it loses its place in line.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cell = henge::sync::OnceCell::new();
    /// assert_eq!(cell.get_or_try_init(|| async { "x".parse::<u32>() }).await.ok(), None);
    /// assert_eq!(cell.get_or_try_init(|| async { "1".parse::<u32>() }).await, Ok(&1));
    /// # }
    /// ```
    pub async fn get_or_try_init<E, F, Fut>(&self, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        match self.making.acquire().await {
            Ok(permit) => Ok(self.fill(f().await?, permit)),
            Err(_full) => Ok(self.full()),
        }
    }

    /// Fills the cell and lets everybody go who waits. The permit is the only one, so nobody else
    /// does this at the same time, and nobody has before: its semaphore would be closed.
    fn fill(&self, value: T, permit: SemaphorePermit<'_>) -> &T {
        let filled = self.value.set(value).is_ok();
        debug_assert!(filled, "the permit is for an empty cell");
        self.making.close();
        permit.forget();
        self.full()
    }

    fn full(&self) -> &T {
        self.get().expect("the semaphore is closed when the cell is full")
    }

    /// The value, without its cell.
    ///
    /// # Examples
    ///
    /// ```
    /// let cell = henge::sync::OnceCell::new_with(Some(1));
    /// assert_eq!(cell.into_inner(), Some(1));
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value out and leaves an empty cell.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut cell = henge::sync::OnceCell::new_with(Some(1));
    /// assert_eq!(cell.take(), Some(1));
    /// assert!(cell.set(2).is_ok());
    /// ```
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCell").field("value", &self.get()).finish()
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    fn clone(&self) -> Self {
        Self::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        Self::new_with(Some(value))
    }
}

/// A [`OnceCell`] was not set. The value comes back.
///
/// # Examples
///
/// ```
/// use henge::sync::{OnceCell, SetError};
/// let cell = OnceCell::new_with(Some(1));
/// assert_eq!(cell.set(2), Err(SetError::AlreadyInitializedError(2)));
/// ```
#[derive(Debug, PartialEq, Eq)]
pub enum SetError<T> {
    /// There is a value.
    AlreadyInitializedError(T),
    /// Somebody is making one.
    InitializingError(T),
}

impl<T> SetError<T> {
    /// Whether there is a value.
    ///
    /// # Examples
    ///
    /// ```
    /// let cell = henge::sync::OnceCell::new_with(Some(1));
    /// assert!(cell.set(2).unwrap_err().is_already_init_err());
    /// ```
    pub fn is_already_init_err(&self) -> bool {
        matches!(self, Self::AlreadyInitializedError(_))
    }

    /// Whether somebody is making a value.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cell = henge::sync::OnceCell::new();
    /// let made = cell.get_or_init(|| async {
    ///     assert!(cell.set(2).unwrap_err().is_initializing_err());
    ///     1
    /// });
    /// assert_eq!(*made.await, 1);
    /// # }
    /// ```
    pub fn is_initializing_err(&self) -> bool {
        matches!(self, Self::InitializingError(_))
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyInitializedError(_) => "AlreadyInitializedError",
            Self::InitializingError(_) => "InitializingError",
        })
    }
}

impl<T: fmt::Debug> std::error::Error for SetError<T> {}
