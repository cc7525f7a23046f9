//! Asking tasks to stop: a token that many hold, with children that stop with it.

mod future;
mod guard;
mod node;
#[cfg(all(test, not(henge_loom)))]
mod tests;

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::ops::DerefMut;
use std::panic::{RefUnwindSafe, UnwindSafe};

use self::future::RunUntilCancelled;
use self::node::{Node, State};
use crate::loom::sync::Arc;
use crate::sync::place::Line;
use crate::sync::wait_queue::WaitQueue;

pub use self::future::{WaitForCancellationFuture, WaitForCancellationFutureOwned};
pub use self::guard::{DropGuard, DropGuardRef};

/// Tells whoever holds it, or waits for it, that it is time to stop.
///
/// Clones are one token: cancelling one cancels all. A [child](Self::child_token) is cancelled with
/// its parent, and can be cancelled without it. A token that was cancelled stays so. Dropping
/// tokens cancels nothing: children of a dropped token belong to its parent; a
/// [`drop_guard`](Self::drop_guard) is for those who want it otherwise.
///
/// Together with [`TaskTracker`](crate::task::TaskTracker) it makes a graceful stop: the token says
/// that it is time, the tracker waits until all have gone.
///
/// Asking whether a token is cancelled costs one load, and tokens of different parents share no
/// lock: one token for all shards with a child for each, of which the connections have children,
/// keeps the shards out of each other's way.
///
/// # Examples
///
/// ```
/// use henge::sync::CancellationToken;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let token = CancellationToken::new();
/// let child = token.child_token();
/// let task = henge::spawn(async move {
///     henge::select! {
///         () = child.cancelled() => "stopped",
///         () = std::future::pending() => "never",
///     }
/// });
/// token.cancel();
/// assert_eq!(task.await.unwrap(), "stopped");
/// # }
/// ```
pub struct CancellationToken {
    node: Arc<Node>,
}

impl CancellationToken {
    /// A token that is not cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// let token = henge::sync::CancellationToken::new();
    /// assert!(!token.is_cancelled());
    /// ```
    pub fn new() -> Self {
        Self { node: Node::root() }
    }

    /// A token that is cancelled when this one is. Cancelling it does nothing to this one. The
    /// child of a token that is cancelled is cancelled from the start.
    ///
    /// # Examples
    ///
    /// ```
    /// let token = henge::sync::CancellationToken::new();
    /// let (a, b) = (token.child_token(), token.child_token());
    /// a.cancel();
    /// assert!(a.is_cancelled() && !b.is_cancelled() && !token.is_cancelled());
    /// token.cancel();
    /// assert!(b.is_cancelled());
    /// ```
    #[must_use]
    pub fn child_token(&self) -> Self {
        Self { node: Node::child(&self.node) }
    }

    /// Cancels this token and its descendants, and wakes everybody who waits for them. When it
    /// returns all of them say so. Cancelling again does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let token = henge::sync::CancellationToken::new();
    /// token.cancel();
    /// assert!(token.is_cancelled() && token.child_token().is_cancelled());
    /// ```
    pub fn cancel(&self) {
        self.node.cancel();
    }

    /// Whether this token, or one above it, was cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// let token = henge::sync::CancellationToken::new();
    /// assert!(!token.is_cancelled());
    /// ```
    pub fn is_cancelled(&self) -> bool {
        self.node.is_cancelled()
    }

    /// Waits until the token is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = henge::sync::CancellationToken::new();
    /// let other = token.clone();
    /// henge::spawn(async move { other.cancel() });
    /// token.cancelled().await;
    /// # }
    /// ```
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        WaitForCancellationFuture::new(self)
    }

    /// As [`cancelled`](Self::cancelled), with a future that holds the token.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = henge::sync::CancellationToken::new();
    /// let task = henge::spawn(token.clone().cancelled_owned());
    /// token.cancel();
    /// task.await.unwrap();
    /// # }
    /// ```
    pub fn cancelled_owned(self) -> WaitForCancellationFutureOwned {
        WaitForCancellationFutureOwned::new(self)
    }

    /// A guard that cancels the token when it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let token = henge::sync::CancellationToken::new();
    /// let guard = token.clone().drop_guard();
    /// drop(guard);
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard(self) -> DropGuard {
        DropGuard::new(self)
    }

    /// A guard that borrows the token, and cancels it when it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let token = henge::sync::CancellationToken::new();
    /// let guard = token.drop_guard_ref();
    /// drop(guard);
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard_ref(&self) -> DropGuardRef<'_> {
        DropGuardRef::new(self)
    }

    /// Runs a future until it is ready, or until the token is cancelled; `None` in the latter case.
    /// If both are at once, the future wins; it is not polled at all if the token was cancelled
    /// before.
    ///
    /// # Cancel safety
    ///
    /// That of `fut`, which is dropped where it stands when the token is cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = henge::sync::CancellationToken::new();
    /// assert_eq!(token.run_until_cancelled(async { 1 }).await, Some(1));
    /// token.cancel();
    /// assert_eq!(token.run_until_cancelled(async { 1 }).await, None);
    /// # }
    /// ```
    pub fn run_until_cancelled<F>(&self, fut: F) -> impl Future<Output = Option<F::Output>>
    where
        F: Future,
    {
        RunUntilCancelled::new(self, fut)
    }

    /// As [`run_until_cancelled`](Self::run_until_cancelled), with a future that holds the token.
    ///
    /// # Cancel safety
    ///
    /// That of `fut`, which is dropped where it stands when the token is cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let token = henge::sync::CancellationToken::new();
    /// let work = token.clone().run_until_cancelled_owned(std::future::pending::<()>());
    /// let task = henge::spawn(work);
    /// token.cancel();
    /// assert_eq!(task.await.unwrap(), None);
    /// # }
    /// ```
    pub fn run_until_cancelled_owned<F>(self, fut: F) -> impl Future<Output = Option<F::Output>>
    where
        F: Future,
    {
        RunUntilCancelled::new(self, fut)
    }
}

impl Clone for CancellationToken {
    /// The same token once more.
    fn clone(&self) -> Self {
        self.node.add_handle();
        Self { node: Arc::clone(&self.node) }
    }
}

impl Drop for CancellationToken {
    fn drop(&mut self) {
        Node::drop_handle(&self.node);
    }
}

impl Default for CancellationToken {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether two are clones of one token.
impl PartialEq for CancellationToken {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.node, &other.node)
    }
}

impl Eq for CancellationToken {}

impl Hash for CancellationToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.node).hash(state);
    }
}

impl Line for CancellationToken {
    type State = State;
    type Value = ();

    fn lock(&self) -> impl DerefMut<Target = State> {
        self.node.lock()
    }

    fn queue(state: &mut State) -> &mut WaitQueue<()> {
        Node::queue(state)
    }
}

impl UnwindSafe for CancellationToken {}
impl RefUnwindSafe for CancellationToken {}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}
