//! What this thread is to henge: the one thread-local of the runtime layer.
//!
//! Constant and without a destructor, so that it can be asked at any time, in the destructors of
//! other thread-locals too. It points to what a guard on this thread's stack keeps alive:
//!
//! | field | set by | kept alive by |
//! |---|---|---|
//! | `shard` | the loop, while it runs | its frame, which is left by dropping the guard only |
//! | `shared` | the loop; `Handle::enter` | an `Arc` in the guard, leaked if that is forgotten |
//!
//! A loop in a shard and a loop in a guest differ only in what they run: both are *async context*,
//! in which nothing may wait. Inside of `block_in_place` the loop is still there, but it stands,
//! and waiting is allowed; the driver's thread-local tells ([`current::may_block`]), which every
//! loop that is entered inside sets back.

use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;

use super::shard::Shard;
use super::shared::Shared;

struct Context {
    shard: Cell<*const Shard>,
    shared: Cell<*const Shared>,
    /// How many guards have been made and not dropped.
    depth: Cell<usize>,
}

thread_local! {
    static CONTEXT: Context = const {
        Context {
            shard: Cell::new(ptr::null()),
            shared: Cell::new(ptr::null()),
            depth: Cell::new(0),
        }
    };
}

/// Calls `f` with the shard or guest whose loop runs on this thread, if one does.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(Option<&Shard>) -> R) -> R {
    let shard = CONTEXT.with(|context| context.shard.get());
    // SAFETY: not null only while `LoopGuard` exists, which borrows the shard; `f` gets a borrow
    // that ends with this call, and the loop's frame lies below it on this stack.
    f(unsafe { shard.as_ref() })
}

/// Calls `f` with the shard or guest whose loop runs on this thread.
#[inline]
pub(crate) fn with_shard<R>(f: impl FnOnce(&Shard) -> R) -> Option<R> {
    with(|shard| shard.map(f))
}

/// Whether a loop of ours runs on this thread.
#[inline]
pub(crate) fn in_loop() -> bool {
    CONTEXT.with(|context| !context.shard.get().is_null())
}

/// The runtime that this thread belongs to or has entered.
pub(crate) fn current() -> Option<Arc<Shared>> {
    let shared = CONTEXT.with(|context| context.shared.get());
    if shared.is_null() {
        return None;
    }
    // SAFETY: from `Arc::as_ptr` of an `Arc` that the innermost guard holds, so the count is at
    // least one; the new count belongs to the `Arc` made below.
    unsafe { Arc::increment_strong_count(shared) };
    // SAFETY: as above.
    Some(unsafe { Arc::from_raw(shared) })
}

/// Makes a runtime the current one, until it is dropped.
#[derive(Debug)]
pub(crate) struct SharedGuard {
    before: *const Shared,
    depth: usize,
    /// Keeps alive what the thread-local points to.
    shared: ManuallyDrop<Arc<Shared>>,
}

// SAFETY: through a reference a guard can only be printed: an address that is not followed, and a
// runtime, which is `Sync`. It is dropped by the thread that made it, since it is not `Send`.
unsafe impl Sync for SharedGuard {}

impl SharedGuard {
    pub(crate) fn new(shared: Arc<Shared>) -> SharedGuard {
        CONTEXT.with(|context| {
            let depth = context.depth.get() + 1;
            context.depth.set(depth);
            let before = context.shared.replace(Arc::as_ptr(&shared));
            SharedGuard { before, depth, shared: ManuallyDrop::new(shared) }
        })
    }
}

impl Drop for SharedGuard {
    fn drop(&mut self) {
        let in_order = CONTEXT.with(|context| {
            let in_order = context.depth.get() == self.depth;
            if in_order {
                context.shared.set(self.before);
                context.depth.set(self.depth - 1);
            }
            in_order
        });
        if in_order {
            // SAFETY: dropped here only, and nothing of this guard is used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.shared) };
            return;
        }
        // A guard that was made later still stands, and its drop will make this runtime the
        // current one again: the runtime's memory is leaked to it.
        assert!(
            std::thread::panicking(),
            "`EnterGuard` values dropped out of order. Guards returned by \
             `henge::runtime::Handle::enter()` must be dropped in the reverse order as they were \
             acquired.",
        );
    }
}

/// Makes a shard's loop the one that runs on this thread, until it is dropped.
#[derive(Debug)]
pub(crate) struct LoopGuard<'a> {
    before: *const Shard,
    _shard: PhantomData<&'a Shard>,
}

impl<'a> LoopGuard<'a> {
    pub(crate) fn new(shard: &'a Shard) -> LoopGuard<'a> {
        let before = CONTEXT.with(|context| context.shard.replace(shard));
        LoopGuard { before, _shard: PhantomData }
    }
}

impl Drop for LoopGuard<'_> {
    fn drop(&mut self) {
        CONTEXT.with(|context| context.shard.set(self.before));
    }
}
