//! A value behind permits: the one file in which a lock hands out references.
//!
//! A [`Guarded`] is a value and the permits to touch it. Who holds *one* may read the value, who
//! holds *all* may write it. [`Shared`] is one permit and a pointer to the value or a part of it,
//! [`Exclusive`] is all of them and such a pointer. The public guards wrap these two and are safe
//! code.
//!
//! ```text
//!                 Shared::lock                    map, try_map
//!            ┌──────────────────────▶ Shared ──────────────────▶ Shared
//!   Guarded ─┤                           ▲
//!            │                           │ downgrade: gives all permits back but one
//!            └──────────────────────▶ Exclusive ───────────────▶ Exclusive
//!                Exclusive::lock                map, try_map, erase
//! ```
//!
//! Why this is sound:
//!
//! 1. *Nobody else.* The permits begin complete, and nobody but this file takes any or gives any
//!    back; there is no way to close them. An `Exclusive` is made when all of them were taken, a
//!    `Shared` when one was, and each gives back what it has when it is dropped, once. So while
//!    there is an `Exclusive` there is no other guard, and while there is a `Shared` there is no
//!    `Exclusive`. A guard that is forgotten leaves the lock locked.
//! 2. *Still there.* A guard has a [`Keeper`]: a borrow of the lock, or a count of the `Arc` or
//!    `Rc` around it. While it lives the lock does, and stands still, and so does the value, a
//!    field of it.
//! 3. *In order.* Taking permits is an acquire that pairs with the release of those who gave them
//!    back (head of `batch.rs`), so what they wrote is seen.
//! 4. *A part of it.* `map` is given a function that works for references of every lifetime: what
//!    it returns is a part of the value, or lives for ever.
//! 5. *One thread, or several.* An `Exclusive` that goes to another thread takes the value there.
//!    Where guards can share ([`Many`]), it may be downgraded there while the lock is read here, so
//!    there it goes only if the value may be used by two threads at once. Where they cannot
//!    ([`Alone`]) a value that is only `Send` may be reached from anywhere, one at a time. Locks of
//!    one shard ([`Here`]) are not `Sync`, and as their keepers are not `Send` no guard is.

use std::cell::UnsafeCell;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::sync::batch::Batch;
use crate::sync::error::TryLockError;
use crate::sync::local;

/// Who may have guards of a lock, and what counts its permits.
pub(crate) trait Mode {
    type Count: Count;
}

/// A lock of which there are only exclusive guards.
pub(crate) struct Alone;

/// A lock of which there are guards of both kinds.
pub(crate) struct Many;

/// A lock of one shard, which it never leaves while there are guards of it.
pub(crate) struct Here;

impl Mode for Alone {
    type Count = Batch;
}

impl Mode for Many {
    type Count = Batch;
}

impl Mode for Here {
    type Count = local::Permits;
}

/// A mode in which guards can share.
pub(crate) trait Shareable: Mode {}

impl Shareable for Many {}
impl Shareable for Here {}

/// Counts permits: a semaphore.
///
/// # Safety
///
/// Of the permits that it was made with, or that were given back, each is given to one who takes it
/// until it is given back; and if it is `Sync` taking one happens after giving it back.
pub(crate) unsafe trait Count {
    /// How far somebody is who waits. The default has nothing.
    type Stage: Default + Unpin;

    /// Whether there were `n`, which are the caller's then.
    fn try_take(&self, n: usize) -> bool;

    /// Waits for `n`. It is ready when they are the caller's, and the stage has nothing then.
    fn poll_take(&self, cx: &mut Context<'_>, n: usize, stage: &mut Self::Stage) -> Poll<()>;

    /// Who waits for `n` gives up what the stage has.
    fn leave(&self, n: usize, stage: &mut Self::Stage);

    fn give_back(&self, n: usize);
}

/// The permits of one value.
pub(crate) struct Permits<C> {
    count: C,
    all: u32,
}

/// A value of which one may have all, or, if the mode is [`Many`], many have a share.
pub(crate) struct Guarded<T: ?Sized, M: Mode> {
    permits: Permits<M::Count>,
    _mode: PhantomData<M>,
    value: UnsafeCell<T>,
}

// SAFETY: references to the value are handed out by guards alone. Without `Shared` one thread at a
// time has one (point 1), as if the value were sent to it.
unsafe impl<T: ?Sized + Send> Sync for Guarded<T, Alone> {}

// SAFETY: as above, and several threads may have shared references at once, for which the value is
// `Sync`.
unsafe impl<T: ?Sized + Send + Sync> Sync for Guarded<T, Many> {}

impl<T: ?Sized, M: Mode<Count = Batch>> Guarded<T, M> {
    /// A value with `all` permits.
    #[cfg(not(henge_loom))]
    pub(crate) const fn new(value: T, all: u32) -> Self
    where
        T: Sized,
    {
        let permits = Permits { count: Batch::new(all as usize), all };
        Self { permits, _mode: PhantomData, value: UnsafeCell::new(value) }
    }

    /// A value with `all` permits, under the explorer of interleavings.
    #[cfg(henge_loom)]
    pub(crate) fn new(value: T, all: u32) -> Self
    where
        T: Sized,
    {
        let permits = Permits { count: Batch::new(all as usize), all };
        Self { permits, _mode: PhantomData, value: UnsafeCell::new(value) }
    }
}

impl<T> Guarded<T, Here> {
    /// A value with `all` permits, for one shard.
    pub(crate) const fn here(value: T, all: u32) -> Self {
        let permits = Permits { count: local::Permits::new(all as usize), all };
        Self { permits, _mode: PhantomData, value: UnsafeCell::new(value) }
    }
}

impl<T: ?Sized, M: Mode> Guarded<T, M> {
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    pub(crate) fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.value.into_inner()
    }
}

/// A lock: something that has a guarded value.
///
/// # Safety
///
/// The guarded value is a field of the lock, always the same one.
pub(crate) unsafe trait Lock {
    type Value: ?Sized;
    type Mode: Mode;

    fn guarded(&self) -> &Guarded<Self::Value, Self::Mode>;
}

/// Keeps permits, and the value that they are of, alive and in place.
///
/// # Safety
///
/// As long as the keeper lives, wherever it is moved, `permits` returns the same ones, and the
/// value behind them stands still. A keeper that points to a [`Lock`] keeps that one's.
pub(crate) unsafe trait Keeper {
    type Count: Count;

    fn permits(&self) -> &Permits<Self::Count>;
}

// SAFETY: the borrow ends before the lock does, and what is borrowed does not move. Permits alone
// come from the borrow of a lock (`erase`).
unsafe impl<C: Count> Keeper for &Permits<C> {
    type Count = C;

    #[inline]
    fn permits(&self) -> &Permits<C> {
        self
    }
}

// SAFETY: the borrow ends before the lock does, and what is borrowed does not move.
unsafe impl<L: Lock + ?Sized> Keeper for &L {
    type Count = <L::Mode as Mode>::Count;

    #[inline]
    fn permits(&self) -> &Permits<Self::Count> {
        &self.guarded().permits
    }
}

// SAFETY: the lock is dropped after the last `Arc`, and does not move until then.
unsafe impl<L: Lock + ?Sized> Keeper for Arc<L> {
    type Count = <L::Mode as Mode>::Count;

    #[inline]
    fn permits(&self) -> &Permits<Self::Count> {
        &self.guarded().permits
    }
}

// SAFETY: the lock is dropped after the last `Rc`, and does not move until then.
unsafe impl<L: Lock + ?Sized> Keeper for Rc<L> {
    type Count = <L::Mode as Mode>::Count;

    #[inline]
    fn permits(&self) -> &Permits<Self::Count> {
        &self.guarded().permits
    }
}

/// How many permits a guard holds.
trait Claim {
    fn count<C>(permits: &Permits<C>) -> usize;
}

struct One;

impl Claim for One {
    #[inline]
    fn count<C>(_permits: &Permits<C>) -> usize {
        1
    }
}

struct All;

impl Claim for All {
    #[inline]
    fn count<C>(permits: &Permits<C>) -> usize {
        permits.all as usize
    }
}

/// Permits that were taken, and are given back when this is dropped.
struct Held<K: Keeper, C: Claim> {
    keeper: K,
    _claim: PhantomData<C>,
}

impl<K: Keeper, C: Claim> Held<K, C> {
    #[inline]
    fn try_take(keeper: K) -> Result<Self, TryLockError> {
        let permits = keeper.permits();
        if permits.count.try_take(C::count(permits)) {
            return Ok(Self { keeper, _claim: PhantomData });
        }
        Err(TryLockError::new())
    }

    #[inline]
    fn take(keeper: K) -> Take<K, C> {
        Take { keeper: Some(keeper), stage: Default::default(), _claim: PhantomData }
    }

    /// The keeper, without giving the permits back.
    #[inline]
    fn into_keeper(self) -> K {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used again, and its destructor does not run: the keeper is moved.
        unsafe { ptr::read(&this.keeper) }
    }
}

impl<K: Keeper> Held<K, All> {
    fn downgrade(self) -> Held<K, One> {
        let kept: Held<K, One> = Held { keeper: self.into_keeper(), _claim: PhantomData };
        let permits = kept.keeper.permits();
        permits.count.give_back(All::count(permits) - One::count(permits));
        kept
    }
}

impl<'a, L: Lock + ?Sized, C: Claim> Held<&'a L, C> {
    fn erase(self) -> Held<&'a Permits<<L::Mode as Mode>::Count>, C> {
        Held { keeper: &self.into_keeper().guarded().permits, _claim: PhantomData }
    }
}

impl<K: Keeper, C: Claim> Drop for Held<K, C> {
    #[inline]
    fn drop(&mut self) {
        let permits = self.keeper.permits();
        permits.count.give_back(C::count(permits));
    }
}

/// Waits for permits. Written by hand, as nested async functions cost more than the lock.
struct Take<K: Keeper, C: Claim> {
    /// `None` once it was ready.
    keeper: Option<K>,
    stage: <K::Count as Count>::Stage,
    _claim: PhantomData<C>,
}

// Nothing in it is pinned.
impl<K: Keeper, C: Claim> Unpin for Take<K, C> {}

impl<K: Keeper, C: Claim> Future for Take<K, C> {
    type Output = Held<K, C>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Held<K, C>> {
        let this = &mut *self;
        let permits = this.keeper.as_ref().expect("polled after it was ready").permits();
        ready!(permits.count.poll_take(cx, C::count(permits), &mut this.stage));
        let keeper = this.keeper.take().expect("it was there");
        Poll::Ready(Held { keeper, _claim: PhantomData })
    }
}

impl<K: Keeper, C: Claim> Drop for Take<K, C> {
    #[inline]
    fn drop(&mut self) {
        if let Some(keeper) = &self.keeper {
            let permits = keeper.permits();
            permits.count.leave(C::count(permits), &mut self.stage);
        }
    }
}

/// All permits of a value, and the value or a part of it.
pub(crate) struct Exclusive<K: Keeper, T: ?Sized, M> {
    held: Held<K, All>,
    value: *mut T,
    _mode: PhantomData<M>,
}

// SAFETY: the guard has the value to itself, and it stays the only one (point 5).
unsafe impl<K: Keeper + Send, T: ?Sized + Send> Send for Exclusive<K, T, Alone> {}

// SAFETY: the guard has the value to itself; once downgraded others may read along, on other
// threads, for which the value is `Sync`.
unsafe impl<K: Keeper + Send, T: ?Sized + Send + Sync> Send for Exclusive<K, T, Many> {}

// SAFETY: a shared guard gives shared references only.
unsafe impl<K: Keeper + Sync, T: ?Sized + Sync> Sync for Exclusive<K, T, Alone> {}

// SAFETY: a shared guard gives shared references only.
unsafe impl<K: Keeper + Sync, T: ?Sized + Send + Sync> Sync for Exclusive<K, T, Many> {}

impl<K, T, M> Exclusive<K, T, M>
where
    K: Keeper + Deref<Target: Lock<Value = T, Mode = M>>,
    T: ?Sized,
    M: Mode,
{
    #[inline]
    pub(crate) fn try_lock(lock: K) -> Result<Self, TryLockError> {
        Held::try_take(lock).map(Self::new)
    }

    #[inline]
    pub(crate) fn lock(lock: K) -> impl Future<Output = Self> {
        let mut take = Held::take(lock);
        poll_fn(move |cx| Pin::new(&mut take).poll(cx).map(Self::new))
    }

    #[inline]
    fn new(held: Held<K, All>) -> Self {
        let value = held.keeper.guarded().value.get();
        Self { held, value, _mode: PhantomData }
    }
}

impl<K: Keeper, T: ?Sized, M> Exclusive<K, T, M> {
    #[inline]
    pub(crate) fn keeper(&self) -> &K {
        &self.held.keeper
    }

    #[inline]
    pub(crate) fn map<U: ?Sized>(
        mut self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> Exclusive<K, U, M> {
        let value = ptr::from_mut(part(&mut self));
        Exclusive { held: self.held, value, _mode: PhantomData }
    }

    #[inline]
    pub(crate) fn try_map<U: ?Sized>(
        mut self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<Exclusive<K, U, M>, Self> {
        match part(&mut self).map(ptr::from_mut) {
            Some(value) => Ok(Exclusive { held: self.held, value, _mode: PhantomData }),
            None => Err(self),
        }
    }
}

impl<'a, L: Lock + ?Sized, T: ?Sized, M> Exclusive<&'a L, T, M> {
    /// Forgets the type of the lock.
    #[inline]
    pub(crate) fn erase(self) -> Exclusive<&'a Permits<<L::Mode as Mode>::Count>, T, M> {
        Exclusive { held: self.held.erase(), value: self.value, _mode: PhantomData }
    }
}

impl<K: Keeper, T: ?Sized, M: Shareable> Exclusive<K, T, M> {
    pub(crate) fn downgrade_map<U: ?Sized>(self, part: impl FnOnce(&T) -> &U) -> Shared<K, U> {
        let value = ptr::from_ref(part(&self));
        Shared { held: self.held.downgrade(), value }
    }

    pub(crate) fn try_downgrade_map<U: ?Sized>(
        self,
        part: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<Shared<K, U>, Self> {
        match part(&self).map(ptr::from_ref) {
            Some(value) => Ok(Shared { held: self.held.downgrade(), value }),
            None => Err(self),
        }
    }
}

impl<K: Keeper, T: ?Sized, M> Deref for Exclusive<K, T, M> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the value is there (points 2 and 4), and nobody writes it: that would take this
        // guard, which is borrowed, or another one, of which there is none (point 1).
        unsafe { &*self.value }
    }
}

impl<K: Keeper, T: ?Sized, M> DerefMut for Exclusive<K, T, M> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and this guard is borrowed exclusively.
        unsafe { &mut *self.value }
    }
}

/// One permit of a value, and the value or a part of it.
pub(crate) struct Shared<K: Keeper, T: ?Sized> {
    held: Held<K, One>,
    value: *const T,
}

// SAFETY: a shared guard is a shared reference, and a permit that may be given back anywhere.
unsafe impl<K: Keeper + Send, T: ?Sized + Sync> Send for Shared<K, T> {}

// SAFETY: as above.
unsafe impl<K: Keeper + Sync, T: ?Sized + Send + Sync> Sync for Shared<K, T> {}

impl<K, T> Shared<K, T>
where
    K: Keeper + Deref<Target: Lock<Value = T, Mode: Shareable>>,
    T: ?Sized,
{
    #[inline]
    pub(crate) fn try_lock(lock: K) -> Result<Self, TryLockError> {
        Held::try_take(lock).map(Self::new)
    }

    #[inline]
    pub(crate) fn lock(lock: K) -> impl Future<Output = Self> {
        let mut take = Held::take(lock);
        poll_fn(move |cx| Pin::new(&mut take).poll(cx).map(Self::new))
    }

    #[inline]
    fn new(held: Held<K, One>) -> Self {
        let value = held.keeper.guarded().value.get();
        Self { held, value }
    }
}

impl<K: Keeper, T: ?Sized> Shared<K, T> {
    #[inline]
    pub(crate) fn keeper(&self) -> &K {
        &self.held.keeper
    }

    #[inline]
    pub(crate) fn map<U: ?Sized>(self, part: impl FnOnce(&T) -> &U) -> Shared<K, U> {
        let value = ptr::from_ref(part(&self));
        Shared { held: self.held, value }
    }

    #[inline]
    pub(crate) fn try_map<U: ?Sized>(
        self,
        part: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<Shared<K, U>, Self> {
        match part(&self).map(ptr::from_ref) {
            Some(value) => Ok(Shared { held: self.held, value }),
            None => Err(self),
        }
    }
}

impl<'a, L: Lock + ?Sized, T: ?Sized> Shared<&'a L, T> {
    /// Forgets the type of the lock.
    #[inline]
    pub(crate) fn erase(self) -> Shared<&'a Permits<<L::Mode as Mode>::Count>, T> {
        Shared { held: self.held.erase(), value: self.value }
    }
}

impl<K: Keeper, T: ?Sized> Deref for Shared<K, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the value is there (points 2 and 4), and while this permit is held nobody has an
        // `Exclusive`, so nobody writes it (point 1).
        unsafe { &*self.value }
    }
}
