//! A value that is set once, and that others wait for.
//!
//! The value is set first and the mutex of the line taken afterwards; who waits looks for the value
//! under that mutex before it stands in line. So whoever did not see the value is found in line.

use std::fmt;
use std::future::poll_fn;
use std::ops::DerefMut;

use crate::executor::coop;
use crate::loom::sync::Mutex;
use crate::sync::place::{Line, Place};
use crate::sync::set_value::SetValue;
use crate::sync::wait_queue::WaitQueue;

/// A value that is set at most once, and that anybody may wait for.
///
/// Unlike [`OnceCell`](super::OnceCell) it does not know how to make the value: it waits for
/// somebody who [sets](Self::set) it.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use henge::sync::SetOnce;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let address = Rc::new(SetOnce::new());
/// let task = henge::spawn({
///     let address = address.clone();
///     async move { *address.wait().await }
/// });
/// address.set(4000).unwrap();
/// assert_eq!(task.await.unwrap(), 4000);
/// # }
/// ```
pub struct SetOnce<T> {
    value: SetValue<T>,
    line: Mutex<WaitQueue<()>>,
}

impl<T> Line for SetOnce<T> {
    type State = WaitQueue<()>;
    type Value = ();

    fn lock(&self) -> impl DerefMut<Target = WaitQueue<()>> {
        // No foreign code runs under this mutex, so a poisoned one is as good as any.
        self.line.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn queue(state: &mut WaitQueue<()>) -> &mut WaitQueue<()> {
        state
    }
}

impl<T> SetOnce<T> {
    /// Without a value.
    ///
    /// # Examples
    ///
    /// ```
    /// let once = henge::sync::SetOnce::<u32>::new();
    /// assert!(!once.initialized());
    /// ```
    pub fn new() -> Self {
        Self::new_with(None)
    }

    /// Without a value, for a static.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::SetOnce;
    /// static PORT: SetOnce<u16> = SetOnce::const_new();
    /// assert_eq!(PORT.get(), None);
    /// ```
    #[cfg(not(henge_loom))]
    pub const fn const_new() -> Self {
        Self { value: SetValue::unset(), line: Mutex::new(WaitQueue::new()) }
    }

    /// With this value, or without one.
    ///
    /// # Examples
    ///
    /// ```
    /// let once = henge::sync::SetOnce::new_with(Some(1));
    /// assert_eq!(once.get(), Some(&1));
    /// ```
    pub fn new_with(value: Option<T>) -> Self {
        Self { value: value.into(), line: Mutex::new(WaitQueue::new()) }
    }

    /// With this value, for a static.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge::sync::SetOnce;
    /// static PORT: SetOnce<u16> = SetOnce::const_new_with(4000);
    /// assert_eq!(PORT.get(), Some(&4000));
    /// ```
    #[cfg(not(henge_loom))]
    pub const fn const_new_with(value: T) -> Self {
        Self { value: SetValue::Made(value), line: Mutex::new(WaitQueue::new()) }
    }

    /// Whether there is a value.
    ///
    /// # Examples
    ///
    /// ```
    /// let once = henge::sync::SetOnce::new();
    /// once.set(1).unwrap();
    /// assert!(once.initialized());
    /// ```
    pub fn initialized(&self) -> bool {
        self.value.get().is_some()
    }

    /// The value, if there is one.
    ///
    /// # Examples
    ///
    /// ```
    /// let once = henge::sync::SetOnce::new();
    /// assert_eq!(once.get(), None);
    /// once.set(1).unwrap();
    /// assert_eq!(once.get(), Some(&1));
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Sets the value and wakes all who wait for it.
    ///
    /// # Errors
    ///
    /// [`SetOnceError`] with the value, if there is one already.
    ///
    /// # Examples
    ///
    /// ```
    /// let once = henge::sync::SetOnce::new();
    /// assert!(once.set(1).is_ok());
    /// assert_eq!(once.set(2).unwrap_err().0, 2);
    /// ```
    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        self.value.set(value).map_err(SetOnceError)?;
        self.wake_while(|()| true, |_line| ());
        Ok(())
    }

    /// The value, without what is around it.
    ///
    /// # Examples
    ///
    /// ```
    /// let once = henge::sync::SetOnce::new_with(Some(1));
    /// assert_eq!(once.into_inner(), Some(1));
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Waits until there is a value.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let once = henge::sync::SetOnce::new();
    /// let set = async { once.set(1).unwrap() };
    /// let (value, ()) = henge::join!(once.wait(), set);
    /// assert_eq!(*value, 1);
    /// # }
    /// ```
    pub async fn wait(&self) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let mut place = Place::new(self);
        coop::cooperative(poll_fn(|cx| place.poll(cx, |_line| self.get().ok_or(())))).await
    }
}

impl<T> Default for SetOnce<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for SetOnce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetOnce").field("value", &self.get()).finish()
    }
}

impl<T: Clone> Clone for SetOnce<T> {
    fn clone(&self) -> Self {
        Self::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for SetOnce<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for SetOnce<T> {}

impl<T> From<T> for SetOnce<T> {
    fn from(value: T) -> Self {
        Self::new_with(Some(value))
    }
}

/// A [`SetOnce`] has a value already. The one that came too late is in here.
///
/// # Examples
///
/// ```
/// use henge::sync::{SetOnce, SetOnceError};
/// let once = SetOnce::new_with(Some(1));
/// assert_eq!(once.set(2), Err(SetOnceError(2)));
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct SetOnceError<T>(pub T);

impl<T> fmt::Display for SetOnceError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetOnceError")
    }
}

impl<T: fmt::Debug> std::error::Error for SetOnceError<T> {}
