//! Values that a task, or a part of one, carries with it.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use pin_project_lite::pin_project;

use crate::executor;

/// Declares values that a task carries with it, each of the type
/// [`task::LocalKey`](crate::task::LocalKey).
///
/// # Examples
/// ```
/// henge::task_local! {
///     /// Who asked.
///     pub static USER: String;
///     static DEPTH: u32;
/// }
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// USER.scope("ada".to_owned(), async {
///     henge::task::yield_now().await;
///     assert_eq!(USER.get(), "ada");
/// })
/// .await;
/// assert!(DEPTH.try_get().is_err());
/// # }
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty; $($rest:tt)*) => {
        $crate::task_local!($(#[$attribute])* $visibility static $name: $type);
        $crate::task_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty) => {
        $(#[$attribute])*
        $visibility static $name: $crate::task::LocalKey<$type> = {
            ::std::thread_local! {
                static KEY: $crate::task::__Slot<$type> = const { $crate::task::__Slot::new() };
            }
            $crate::task::LocalKey::__new(KEY)
        };
    };
}

/// A key that [`task_local!`](crate::task_local) declared.
///
/// The value is there inside of a [`scope`](Self::scope), and nowhere else: what a task spawns
/// does not inherit it.
///
/// # Examples
/// ```
/// henge::task_local! { static REQUEST: u64; }
///
/// /// Needs to be told nothing.
/// fn log(line: &str) -> String {
///     format!("[{}] {line}", REQUEST.get())
/// }
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// REQUEST
///     .scope(7, async {
///         assert_eq!(log("begin"), "[7] begin");
///         let child = henge::spawn(async { REQUEST.try_get() });
///         assert!(child.await.unwrap().is_err(), "it has none of its own");
///     })
///     .await;
/// # }
/// ```
pub struct LocalKey<T: 'static> {
    /// The value of the scope that this thread is in.
    slot: thread::LocalKey<Slot<T>>,
}

/// Where a thread has the value of a key.
#[doc(hidden)]
#[derive(Debug)]
pub struct Slot<T>(RefCell<Option<Carried<T>>>);

impl<T> Slot<T> {
    /// For `task_local!`.
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A value, and the level at which it is seen: a loop inside of a poll (`block_in_place`) runs
/// tasks that are not in the scopes of the one that is being polled.
#[derive(Debug)]
struct Carried<T> {
    value: T,
    level: u32,
}

impl<T: 'static> LocalKey<T> {
    /// For `task_local!`.
    #[doc(hidden)]
    pub const fn __new(slot: thread::LocalKey<Slot<T>>) -> Self {
        Self { slot }
    }

    /// Gives `future` the value for as long as it runs.
    ///
    /// # Panics
    /// The future does, when it is polled while this key is being read, as in the closure of
    /// [`with`](Self::with).
    ///
    /// # Cancel safety
    /// That of `future`.
    ///
    /// # Examples
    /// ```
    /// henge::task_local! { static NUMBER: u32; }
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// NUMBER.scope(1, async {
    ///     assert_eq!(NUMBER.get(), 1);
    ///     NUMBER.scope(2, async { assert_eq!(NUMBER.get(), 2) }).await;
    ///     assert_eq!(NUMBER.get(), 1);
    /// })
    /// .await;
    /// # }
    /// ```
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F> {
        let value = Some(Carried { value, level: 0 });
        TaskLocalFuture { key: self, value, future: Some(future) }
    }

    /// Gives a closure the value while it runs.
    ///
    /// # Panics
    /// If this key is being read, as in the closure of [`with`](Self::with).
    ///
    /// # Examples
    /// ```
    /// henge::task_local! { static NUMBER: u32; }
    ///
    /// assert_eq!(NUMBER.sync_scope(3, || NUMBER.get()), 3);
    /// ```
    #[track_caller]
    pub fn sync_scope<F: FnOnce() -> R, R>(&'static self, value: T, f: F) -> R {
        let mut value = Some(Carried { value, level: 0 });
        match self.swapped(&mut value, f) {
            Ok(result) => result,
            Err(error) => error.panic(),
        }
    }

    /// Runs `f` with what is in `value` in the thread's slot, and swaps back.
    fn swapped<R>(
        &'static self,
        value: &mut Option<Carried<T>>,
        f: impl FnOnce() -> R,
    ) -> Result<R, ScopeError> {
        struct Back<'a, T: 'static> {
            key: &'static LocalKey<T>,
            value: &'a mut Option<Carried<T>>,
        }
        impl<T: 'static> Back<'_, T> {
            fn swap(&mut self) -> Result<(), ScopeError> {
                let swapped = self.key.slot.try_with(|slot| match slot.0.try_borrow_mut() {
                    Ok(mut slot) => {
                        std::mem::swap(&mut *slot, self.value);
                        Ok(())
                    }
                    Err(_) => Err(ScopeError::Borrowed),
                });
                swapped.unwrap_or(Err(ScopeError::Gone))
            }
        }
        impl<T: 'static> Drop for Back<'_, T> {
            fn drop(&mut self) {
                // The slot was there and not borrowed when the scope began, and a borrow does not
                // outlive the closure that has it.
                let swapped = self.swap();
                debug_assert!(swapped.is_ok());
            }
        }
        if let Some(value) = value {
            value.level = executor::level();
        }
        let mut back = Back { key: self, value };
        if let Err(error) = back.swap() {
            std::mem::forget(back);
            return Err(error);
        }
        Ok(f())
    }

    /// Reads the value.
    ///
    /// # Panics
    /// Outside of a scope of this key. See [`try_with`](Self::try_with).
    ///
    /// # Examples
    /// ```
    /// henge::task_local! { static ROLES: Vec<String>; }
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// ROLES
    ///     .scope(vec!["admin".to_owned(), "audit".to_owned()], async {
    ///         // Looks, and copies nothing.
    ///         assert!(ROLES.with(|roles| roles.iter().any(|role| role == "audit")));
    ///     })
    ///     .await;
    /// # }
    /// ```
    #[track_caller]
    pub fn with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(_) => {
                panic!("cannot access a task-local storage value without setting it first")
            }
        }
    }

    /// Reads the value, if there is one.
    ///
    /// # Errors
    /// Outside of a scope of this key, and when the thread's own thread-locals are gone.
    ///
    /// # Examples
    /// ```
    /// henge::task_local! { static USER: String; }
    ///
    /// /// Also called where nobody is logged in.
    /// fn greeting() -> String {
    ///     USER.try_with(|user| format!("hello {user}")).unwrap_or_else(|_| "hello".to_owned())
    /// }
    ///
    /// assert_eq!(USER.sync_scope("ada".to_owned(), greeting), "hello ada");
    /// assert_eq!(greeting(), "hello");
    /// ```
    pub fn try_with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> Result<R, AccessError> {
        let read = self.slot.try_with(|slot| {
            let slot = slot.0.borrow();
            slot.as_ref().filter(|seen| seen.level == executor::level()).map(|seen| f(&seen.value))
        });
        read.ok().flatten().ok_or(AccessError { _private: () })
    }
}

impl<T: Clone + 'static> LocalKey<T> {
    /// A copy of the value.
    ///
    /// # Panics
    /// Outside of a scope of this key.
    ///
    /// # Examples
    /// ```
    /// henge::task_local! { static DEPTH: u32; }
    ///
    /// async fn descend() -> u32 {
    ///     match DEPTH.get() {
    ///         3 => 3,
    ///         depth => Box::pin(DEPTH.scope(depth + 1, descend())).await,
    ///     }
    /// }
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(DEPTH.scope(0, descend()).await, 3);
    /// # }
    /// ```
    #[track_caller]
    pub fn get(&'static self) -> T {
        self.with(T::clone)
    }

    /// A copy of the value, if there is one.
    ///
    /// # Errors
    /// As for [`try_with`](Self::try_with).
    ///
    /// # Examples
    /// ```
    /// henge::task_local! { static RETRIES: u32; }
    ///
    /// /// Two, unless the caller says otherwise.
    /// fn retries() -> u32 {
    ///     RETRIES.try_get().unwrap_or(2)
    /// }
    ///
    /// assert_eq!(retries(), 2);
    /// assert_eq!(RETRIES.sync_scope(5, retries), 5);
    /// ```
    pub fn try_get(&'static self) -> Result<T, AccessError> {
        self.try_with(T::clone)
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("LocalKey { .. }")
    }
}

/// Why a scope cannot begin.
enum ScopeError {
    /// A closure is reading the value.
    Borrowed,
    /// The thread ends, and its thread-locals are gone.
    Gone,
}

impl ScopeError {
    #[track_caller]
    fn panic(&self) -> ! {
        match self {
            Self::Borrowed => {
                panic!("cannot enter a task-local scope while the task-local storage is borrowed")
            }
            Self::Gone => panic!(
                "cannot enter a task-local scope during or after destruction of the underlying \
                 thread-local"
            ),
        }
    }
}

pin_project! {
    /// The future of [`LocalKey::scope`].
    ///
    /// # Examples
    /// ```
    /// use henge::task::futures::TaskLocalFuture;
    ///
    /// henge::task_local! { static TENANT: &'static str; }
    ///
    /// /// The future can be named, and needs no box.
    /// fn of_tenant<F: Future>(name: &'static str, work: F) -> TaskLocalFuture<&'static str, F> {
    ///     TENANT.scope(name, work)
    /// }
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(of_tenant("acme", async { TENANT.get() }).await, "acme");
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct TaskLocalFuture<T, F>
    where
        T: 'static,
    {
        key: &'static LocalKey<T>,
        // Here while the future does not run.
        value: Option<Carried<T>>,
        #[pin]
        future: Option<F>,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.future.is_some() {
                // Its destructors, too, may read the value. If the scope cannot begin they run
                // without it.
                let mut future = this.future;
                let dropped = this.key.swapped(this.value, || future.as_mut().set(None));
                drop(dropped);
            }
        }
    }
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    /// Takes the value back. Only once; a future that is polled afterwards does not have it.
    ///
    /// # Examples
    /// ```
    /// henge::task_local! { static NUMBER: u32; }
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut scope = Box::pin(NUMBER.scope(4, async { NUMBER.get() }));
    /// assert_eq!(scope.as_mut().await, 4);
    /// assert_eq!(scope.as_mut().take_value(), Some(4));
    /// # }
    /// ```
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().value.take().map(|carried| carried.value)
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut future = this.future;
        let polled = this.key.swapped(this.value, || {
            let polled = future.as_mut().as_pin_mut().map(|future| future.poll(cx));
            if let Some(Poll::Ready(_)) = polled {
                future.set(None);
            }
            polled
        });
        match polled {
            Ok(Some(polled)) => polled,
            Ok(None) => panic!("`TaskLocalFuture` polled after completion"),
            Err(error) => error.panic(),
        }
    }
}

impl<T: fmt::Debug + 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = format_args!("<missing>");
        let value: &dyn fmt::Debug = match &self.value {
            Some(carried) => &carried.value,
            None => &missing,
        };
        f.debug_struct("TaskLocalFuture").field("value", value).finish()
    }
}

/// A task-local value was read outside of its scope.
///
/// # Examples
/// ```
/// use henge::task::AccessError;
///
/// henge::task_local! { static TRACE: u64; }
///
/// fn header() -> Result<String, AccessError> {
///     Ok(format!("trace-{}", TRACE.try_get()?))
/// }
///
/// assert_eq!(TRACE.sync_scope(7, header).unwrap(), "trace-7");
/// assert_eq!(header().unwrap_err().to_string(), "task-local value not set");
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct AccessError {
    _private: (),
}

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessError").finish()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task-local value not set")
    }
}

impl Error for AccessError {}
