//! A value that is set at most once: what `OnceCell` and `SetOnce` keep theirs in.

use crate::loom::sync::OnceLock;

/// Like std's `OnceLock`, and one that is set already can be made in a constant.
#[derive(Debug)]
pub(crate) enum SetValue<T> {
    /// Set when it was made.
    Made(T),
    /// Set once, by whoever comes first.
    Later(OnceLock<T>),
}

impl<T> SetValue<T> {
    #[cfg(not(henge_loom))]
    pub(crate) const fn unset() -> Self {
        Self::Later(OnceLock::new())
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        match self {
            Self::Made(value) => Some(value),
            Self::Later(cell) => cell.get(),
        }
    }

    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Made(value) => Some(value),
            Self::Later(cell) => cell.get_mut(),
        }
    }

    /// Sets it, or returns the value that came too late.
    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        match self {
            Self::Made(_) => Err(value),
            Self::Later(cell) => cell.set(value),
        }
    }

    pub(crate) fn into_inner(self) -> Option<T> {
        match self {
            Self::Made(value) => Some(value),
            Self::Later(cell) => cell.into_inner(),
        }
    }
}

impl<T> From<Option<T>> for SetValue<T> {
    fn from(value: Option<T>) -> Self {
        match value {
            Some(value) => Self::Made(value),
            None => Self::Later(OnceLock::new()),
        }
    }
}
