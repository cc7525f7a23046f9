//! Children that may borrow: polled by the future of their scope, inside of the task that awaits
//! it.
//!
//! A task that is queued by itself must own all that it uses, since nothing forces the task that
//! spawned it to wait: a future can be forgotten. So the children of a scope are no tasks. They are
//! values in the scope's own future, which polls those that were woken, each by a waker of its own;
//! what is forgotten with that future is never polled again, and nothing else refers to it. All of
//! it is safe code.
//!
//! ```text
//!   Scope::spawn ---> newborn ---> crew ---> done          newborn, crew: dropped with the scope
//!     (Shared)         rings the bell    polled when woken
//! ```

mod child;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use slab::Slab;

use crate::executor::members::{Armed, Members};
use child::Child;
pub use child::ScopedJoinHandle;

/// Runs `body`, and the children that it spawns, and yields the body's output when all of them are
/// done.
///
/// Children may borrow what outlives the scope, and need not be `Send`: they run inside of the task
/// that awaits the scope, in turns, never on another shard. They are for waiting together, not for
/// computing together. What the body itself owns they cannot borrow, since it may be done before
/// them.
///
/// Dropping the future drops the body and all children: nothing of a scope outlives it.
///
/// The future is not `Send`.
///
/// # Panics
/// If the body does, at once, and the children are dropped. If a child panics its
/// [handle](ScopedJoinHandle) says so; if that is dropped without having said it, the scope panics
/// with what the child did, when the others are done.
///
/// # Cancel safety
/// It is as safe as the body and the children are: dropping it drops them.
///
/// # Examples
/// ```
/// use henge::task;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let words = [String::from("standing"), String::from("stones")];
/// let total = task::scope(|s| {
///     // Borrows from the task around it.
///     let words = &words;
///     async move {
///         let lengths = words.each_ref().map(|word| s.spawn(async { word.len() }));
///         let mut total = 0;
///         for length in lengths {
///             total += length.await.unwrap();
///         }
///         total
///     }
/// })
/// .await;
/// assert_eq!(total, 14);
/// # }
/// ```
pub async fn scope<'env, B, F>(body: B) -> F::Output
where
    B: FnOnce(Scope<'env>) -> F,
    F: Future,
{
    let mut crew = Crew::new();
    let mut body = pin!(body(Scope { shared: Rc::downgrade(&crew.shared) }));
    let mut output = None;
    poll_fn(|cx| crew.poll(body.as_mut(), &mut output, cx)).await;
    if let Some(panic) = crew.shared.unclaimed.take() {
        resume_unwind(panic);
    }
    match output {
        Some(output) => output,
        None => unreachable!("a crew is done when its body is"),
    }
}

/// Spawns children of a scope; from [`scope`]. Clones spawn into the same scope.
///
/// # Examples
/// ```
/// use std::cell::Cell;
/// use henge::task::{Scope, scope};
///
/// /// Children spawn children of the same scope.
/// fn grow<'env>(s: Scope<'env>, height: u32, leaves: &'env Cell<u32>) {
///     if height == 0 {
///         return leaves.set(leaves.get() + 1);
///     }
///     for s in [s.clone(), s.clone()] {
///         s.clone().spawn(async move { grow(s, height - 1, leaves) });
///     }
/// }
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let leaves = Cell::new(0);
/// scope(|s| async { grow(s, 3, &leaves) }).await;
/// assert_eq!(leaves.get(), 8);
/// # }
/// ```
pub struct Scope<'env> {
    shared: Weak<Shared<'env>>,
}

impl<'env> Scope<'env> {
    /// Spawns a child, which the scope waits for, whatever becomes of the handle.
    ///
    /// On a scope that is done it is dropped at once, and its handle says that it was cancelled.
    ///
    /// # Examples
    /// ```
    /// use std::cell::Cell;
    /// use henge::task;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let count = Cell::new(0);
    /// task::scope(|s| {
    ///     let count = &count;
    ///     async move {
    ///         for _ in 0..10 {
    ///             s.spawn(async { count.set(count.get() + 1) });
    ///         }
    ///     }
    /// })
    /// .await;
    /// assert_eq!(count.get(), 10);
    /// # }
    /// ```
    pub fn spawn<F>(&self, future: F) -> ScopedJoinHandle<F::Output>
    where
        F: Future + 'env,
        F::Output: 'env,
    {
        let shared = self.shared.upgrade();
        let unclaimed = shared.as_ref().map(|shared| Rc::clone(&shared.unclaimed));
        let (child, handle) = child::new(future, unclaimed.unwrap_or_default());
        match shared {
            Some(shared) => shared.enter(child),
            // It is cancelled by being dropped.
            None => drop(child),
        }
        handle
    }
}

impl Clone for Scope<'_> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// A panic that nobody has been told of.
type Unclaimed = Rc<Cell<Option<Box<dyn Any + Send>>>>;

/// What the scope's future and its [`Scope`]s have in common.
struct Shared<'env> {
    newborn: RefCell<Vec<Child<'env>>>,
    /// Woken for each newborn.
    bell: Waker,
    unclaimed: Unclaimed,
}

impl<'env> Shared<'env> {
    fn enter(&self, child: Child<'env>) {
        self.newborn.borrow_mut().push(child);
        self.bell.wake_by_ref();
    }
}

/// The keys of the two members that are no children. Those of children come after them.
const BELL: usize = 0;
const BODY: usize = 1;
const CHILDREN: usize = 2;

/// The body and the children, as the scope's future has them.
struct Crew<'env> {
    members: Members,
    body: Waker,
    children: Slab<Hired<'env>>,
    shared: Rc<Shared<'env>>,
}

struct Hired<'env> {
    child: Child<'env>,
    waker: Waker,
}

impl Crew<'_> {
    fn new() -> Self {
        let mut members = Members::new();
        let (_, bell) = members.add(BELL);
        let (_, body) = members.add(BODY);
        body.wake_by_ref();
        let shared = Shared { newborn: RefCell::default(), bell, unclaimed: Unclaimed::default() };
        Self { members, body, children: Slab::new(), shared: Rc::new(shared) }
    }

    /// Polls those that were woken. Ready when the body is done and no child is left.
    fn poll<F: Future>(
        &mut self,
        mut body: Pin<&mut F>,
        output: &mut Option<F::Output>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        // Twice for each: children that wake each other, or themselves, must not keep the task from
        // others.
        let mut polls = 2 * (self.children.len() + CHILDREN);
        let mut waits = false;
        loop {
            if output.is_some() && self.children.is_empty() && self.has_no_newborn() {
                return Poll::Ready(());
            }
            let Some((key, woken)) = self.members.next() else {
                if waits {
                    return Poll::Pending;
                }
                // One may have been woken before the waker was there: so once more.
                waits = true;
                drop(self.members.wait(cx.waker()));
                continue;
            };
            let armed = self.members.rearm(woken);
            match key {
                BELL => polls += 2 * self.take_newborn(),
                BODY => {
                    let mut cx = Context::from_waker(&self.body);
                    if let Poll::Ready(value) = body.as_mut().poll(&mut cx) {
                        *output = Some(value);
                        self.members.remove(armed);
                    }
                }
                key => self.poll_child(key - CHILDREN, armed),
            }
            polls -= 1;
            if polls == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    fn has_no_newborn(&self) -> bool {
        self.shared.newborn.borrow().is_empty()
    }

    /// Says how many there were.
    fn take_newborn(&mut self) -> usize {
        let newborn = self.shared.newborn.take();
        let count = newborn.len();
        for child in newborn {
            let entry = self.children.vacant_entry();
            let (_, waker) = self.members.add(entry.key() + CHILDREN);
            waker.wake_by_ref();
            entry.insert(Hired { child, waker });
        }
        count
    }

    fn poll_child(&mut self, key: usize, armed: Armed) {
        let Some(hired) = self.children.get_mut(key) else { return };
        let mut cx = Context::from_waker(&hired.waker);
        if hired.child.as_mut().poll(&mut cx).is_ready() {
            self.members.remove(armed);
            drop(self.children.remove(key));
        }
    }
}
