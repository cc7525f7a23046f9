//! Guards that cancel a token when they are dropped.

use super::CancellationToken;

/// Cancels its token when it is dropped; see [`CancellationToken::drop_guard`].
///
/// # Examples
///
/// ```
/// let token = henge::sync::CancellationToken::new();
/// {
///     let _guard = token.clone().drop_guard();
///     assert!(!token.is_cancelled());
/// }
/// assert!(token.is_cancelled());
/// ```
#[derive(Debug)]
pub struct DropGuard {
    /// `None` once disarmed.
    inner: Option<CancellationToken>,
}

impl DropGuard {
    pub(super) fn new(token: CancellationToken) -> Self {
        Self { inner: Some(token) }
    }

    /// The token that will be cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// let token = henge::sync::CancellationToken::new();
    /// let guard = token.clone().drop_guard();
    /// assert_eq!(guard.token(), &token);
    /// ```
    pub fn token(&self) -> &CancellationToken {
        self.inner.as_ref().expect("disarming takes the guard")
    }

    /// Gives the token back. It is not cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// let guard = henge::sync::CancellationToken::new().drop_guard();
    /// assert!(!guard.disarm().is_cancelled());
    /// ```
    pub fn disarm(mut self) -> CancellationToken {
        self.inner.take().expect("disarming takes the guard")
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = &self.inner {
            token.cancel();
        }
    }
}

/// Cancels the token that it borrows when it is dropped; see
/// [`CancellationToken::drop_guard_ref`].
///
/// # Examples
///
/// ```
/// let token = henge::sync::CancellationToken::new();
/// {
///     let _guard = token.drop_guard_ref();
///     assert!(!token.is_cancelled());
/// }
/// assert!(token.is_cancelled());
/// ```
#[derive(Debug)]
pub struct DropGuardRef<'a> {
    /// `None` once disarmed.
    inner: Option<&'a CancellationToken>,
}

impl<'a> DropGuardRef<'a> {
    pub(super) fn new(token: &'a CancellationToken) -> Self {
        Self { inner: Some(token) }
    }

    /// The token that will be cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// let token = henge::sync::CancellationToken::new();
    /// let guard = token.drop_guard_ref();
    /// assert_eq!(guard.token(), &token);
    /// ```
    pub fn token(&self) -> &CancellationToken {
        self.inner.expect("disarming takes the guard")
    }

    /// Gives the token back. It is not cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// let token = henge::sync::CancellationToken::new();
    /// let guard = token.drop_guard_ref();
    /// assert!(!guard.disarm().is_cancelled());
    /// ```
    pub fn disarm(mut self) -> &'a CancellationToken {
        self.inner.take().expect("disarming takes the guard")
    }
}

impl Drop for DropGuardRef<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.inner {
            token.cancel();
        }
    }
}
