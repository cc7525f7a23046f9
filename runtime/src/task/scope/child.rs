//! One child of a scope, and the handle that awaits it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use henge_driver::coop;
use pin_project_lite::pin_project;

use super::Unclaimed;
use crate::executor::{Id, JoinError, View};

/// A child as its scope has it: it does not panic, and tells its handle.
pub(super) type Child<'env> = Pin<Box<dyn Future<Output = ()> + 'env>>;

/// A child and its handle.
pub(super) fn new<'env, F>(
    future: F,
    unclaimed: Unclaimed,
) -> (Child<'env>, ScopedJoinHandle<F::Output>)
where
    F: Future + 'env,
    F::Output: 'env,
{
    let joint = Rc::new(Joint {
        state: RefCell::new(State::Running(None)),
        aborted: Cell::new(false),
        child: RefCell::new(None),
        unclaimed,
    });
    let handle = ScopedJoinHandle { joint: Rc::clone(&joint) };
    (Box::pin(Running { future: Some(future), joint }), handle)
}

/// What a child and its handle have in common.
struct Joint<T> {
    state: RefCell<State<T>>,
    aborted: Cell<bool>,
    /// Wakes the child.
    child: RefCell<Option<Waker>>,
    /// Where the child's panic goes if its handle is gone.
    unclaimed: Unclaimed,
}

enum State<T> {
    /// With who waits for its end.
    Running(Option<Waker>),
    Done(Result<T, JoinError>),
    Taken,
    /// The handle is gone.
    Detached,
}

impl<T> Joint<T> {
    /// The address of what child and handle share: no other child and no task has it meanwhile.
    fn id(self: &Rc<Self>) -> Id {
        Id::at(Rc::as_ptr(self).cast())
    }

    fn finish(&self, result: Result<T, JoinError>) {
        drop(self.child.take());
        let mut state = self.state.borrow_mut();
        match &mut *state {
            State::Running(waiting) => {
                let waiting = waiting.take();
                *state = State::Done(result);
                drop(state);
                if let Some(waker) = waiting {
                    waker.wake();
                }
            }
            _ => {
                drop(state);
                self.unclaim(result);
            }
        }
    }

    /// Nobody will ask for the result.
    fn unclaim(&self, result: Result<T, JoinError>) {
        if let Err(error) = result
            && let Ok(panic) = error.try_into_panic()
        {
            let first = self.unclaimed.take();
            self.unclaimed.set(Some(first.unwrap_or(panic)));
        }
    }
}

pin_project! {
    struct Running<F: Future> {
        // Gone when it is done.
        #[pin]
        future: Option<F>,
        joint: Rc<Joint<F::Output>>,
    }

    impl<F: Future> PinnedDrop for Running<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                // Dropped with its scope, or with nobody to run it.
                let dropped = catch(|| this.future.set(None));
                let id = this.joint.id();
                this.joint.finish(Err(match dropped {
                    Ok(()) => JoinError::cancelled(id),
                    Err(panic) => JoinError::panic(id, panic),
                }));
            }
        }
    }
}

fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(f))
}

impl<F: Future> Future for Running<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let id = this.joint.id();
        let view = View::current().of(id);
        let polled = if this.joint.aborted.get() {
            Ok(Poll::Ready(None))
        } else {
            if this.joint.child.borrow().is_none() {
                // A scope polls a child with one waker.
                let waker = cx.waker().clone();
                this.joint.child.replace(Some(waker));
            }
            match this.future.as_mut().as_pin_mut() {
                Some(future) => catch(|| view.during(|| future.poll(cx).map(Some))),
                None => Ok(Poll::Ready(None)),
            }
        };
        let result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => output.ok_or_else(|| JoinError::cancelled(id)),
            Err(panic) => Err(JoinError::panic(id, panic)),
        };
        let dropped = catch(|| view.during(|| this.future.set(None)));
        this.joint.finish(match (result, dropped) {
            // The first panic is the one to report.
            (Err(error), _) if error.is_panic() => Err(error),
            (_, Err(panic)) => Err(JoinError::panic(id, panic)),
            (result, Ok(())) => result,
        });
        Poll::Ready(())
    }
}

/// Awaits the end of a child of a [`scope`](super::scope()) and yields its result, or why there is
/// none.
///
/// Dropping it detaches the child, which runs on; its scope waits for it all the same, and panics
/// if it has panicked.
///
/// # Cancel safety
/// Awaiting `&mut handle` in a `select!` loses nothing.
///
/// # Panics
/// When it is polled again after it has yielded the result.
///
/// # Examples
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// henge::task::scope(|s| async move {
///     let stuck = s.spawn(std::future::pending::<()>());
///     stuck.abort();
///     assert!(stuck.await.unwrap_err().is_cancelled());
/// })
/// .await;
/// # }
/// ```
pub struct ScopedJoinHandle<T> {
    joint: Rc<Joint<T>>,
}

impl<T> ScopedJoinHandle<T> {
    /// Asks for the child's end: it is dropped when its turn comes, unless it was done before. This
    /// handle then gives an error that [`is_cancelled`](JoinError::is_cancelled).
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// henge::task::scope(|s| async move {
    ///     let slow = s.spawn(std::future::pending::<u32>());
    ///     let quick = s.spawn(async { 1 });
    ///     assert_eq!(quick.await.unwrap(), 1);
    ///     slow.abort(); // the scope would wait for it
    /// })
    /// .await;
    /// # }
    /// ```
    pub fn abort(&self) {
        self.joint.aborted.set(true);
        let child = self.joint.child.take();
        if let Some(waker) = child {
            waker.wake();
        }
    }

    /// Whether the child is done: its future is gone and awaiting this handle does not wait.
    ///
    /// # Examples
    /// ```
    /// use henge::task;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// task::scope(|s| async move {
    ///     let child = s.spawn(async { 7 });
    ///     while !child.is_finished() {
    ///         // … something else meanwhile …
    ///         task::yield_now().await;
    ///     }
    ///     assert_eq!(child.await.unwrap(), 7);
    /// })
    /// .await;
    /// # }
    /// ```
    pub fn is_finished(&self) -> bool {
        !matches!(&*self.joint.state.borrow(), State::Running(_))
    }

    /// What [`task::id`](crate::task::id) is inside of the child.
    ///
    /// # Examples
    /// ```
    /// use henge::task;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// task::scope(|s| async move {
    ///     let child = s.spawn(async { task::id() });
    ///     let id = child.id();
    ///     assert_eq!(child.await.unwrap(), id);
    /// })
    /// .await;
    /// # }
    /// ```
    pub fn id(&self) -> Id {
        self.joint.id()
    }
}

impl<T> Future for ScopedJoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let unit = ready!(coop::poll_proceed(cx));
        if !self.is_finished() {
            // Cloning and dropping are the waker's own code: not under the borrow.
            let waker = cx.waker().clone();
            let old = match &mut *self.joint.state.borrow_mut() {
                State::Running(waiting) => waiting.replace(waker),
                // Cloning it ran the child to its end.
                _ => Some(waker),
            };
            drop(old);
        }
        let mut state = self.joint.state.borrow_mut();
        match &*state {
            State::Running(_) => return Poll::Pending,
            State::Done(_) => {}
            State::Taken | State::Detached => panic!("JoinHandle polled after completion"),
        }
        unit.made_progress();
        match mem::replace(&mut *state, State::Taken) {
            State::Done(result) => Poll::Ready(result),
            _ => unreachable!("it was seen to be done"),
        }
    }
}

impl<T> Drop for ScopedJoinHandle<T> {
    fn drop(&mut self) {
        match self.joint.state.replace(State::Detached) {
            State::Done(result) => self.joint.unclaim(result),
            State::Running(waiting) => drop(waiting),
            State::Taken | State::Detached => {}
        }
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").field("id", &self.id()).finish()
    }
}
