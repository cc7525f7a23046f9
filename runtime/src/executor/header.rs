//! What every task begins with, whatever its future.
//!
//! | bytes | field | whose |
//! |---|---|---|
//! | 8 | link | the pusher's, then the inbox taker's; the slab's while the block is free |
//! | 8 | vtable | constant |
//! | 8 | shared word | everybody's, atomic |
//! | 8 | local word, block kind, `taken` | the home's; all read `DONE`; the last: the handle's |
//! | 8 | joiner | the home's |
//! | 8 | span, with the feature `tracing` | constant |

use std::cell::Cell;
use std::mem::offset_of;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use super::members;
use super::slab::Place;
use super::span::SpanId;
use super::state::{Kind, Local, Shared};
use super::waker;
use crate::queue::stack::Link;

/// The part of a task that does not depend on its future.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Header {
    /// First: the link's address is the task's.
    pub(super) link: Link,
    pub(super) vtable: &'static Vtable,
    pub(super) shared: Shared,
    pub(super) local: Local,
    pub(super) joiner: Joiner,
    pub(super) span: SpanId,
}

#[cfg(not(henge_loom))]
const _: () = assert!(size_of::<Header>() == 40 + size_of::<SpanId>());
const _: () = assert!(offset_of!(Header, link) == 0);

/// What depends on the future's type.
#[derive(Debug)]
pub(super) struct Vtable {
    /// Polls; after `Ready` the future is gone and the result stored, a panic's too.
    pub(super) poll: unsafe fn(TaskPtr, &mut Context<'_>) -> Poll<()>,
    /// Drops the future and stores the error of a cancelled task.
    pub(super) cancel: unsafe fn(TaskPtr),
    /// Drops the result. A panic is swallowed.
    pub(super) drop_output: unsafe fn(TaskPtr),
    /// Where the result lies, from the header.
    pub(super) output: usize,
    /// Bytes of the task, and their alignment.
    pub(super) size: usize,
    pub(super) align: usize,
}

impl Header {
    pub(super) fn new(vtable: &'static Vtable, shared: Shared, local: Local, span: SpanId) -> Self {
        Self { link: Link::new(), vtable, shared, local, joiner: Joiner::new(), span }
    }
}

/// A task by its address. Says nothing about references: who holds one knows that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct TaskPtr(NonNull<Header>);

impl TaskPtr {
    /// # Safety
    /// `header` is that of a block with an initialised header, is derived from the whole
    /// allocation that the block lies in, and the value is not used after the block was freed.
    #[inline]
    pub(super) const unsafe fn new(header: NonNull<Header>) -> Self {
        Self(header)
    }

    #[inline]
    pub(super) fn header(&self) -> &Header {
        // SAFETY: the promise of `new`: the block is live while this value is used. No
        // exclusive reference to a header is ever made; all its fields have interior
        // mutability or never change.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    pub(super) fn as_ptr(self) -> NonNull<Header> {
        self.0
    }

    /// Whether this is a task without a home.
    #[inline]
    pub(super) fn is_stealable(&self) -> bool {
        self.header().local.kind.get() == Kind::Stealable
    }

    /// Where the task lives, which is not stealable.
    #[inline]
    pub(super) fn place(&self) -> &Place {
        // SAFETY: the header is live, by the promise of `new`, which also covers the memory
        // around it.
        unsafe { Place::of(self.0, self.header().local.kind.get() == Kind::Alone) }
    }
}

/// The waker to be woken when the task is done, in one word: another task of ours or a member of a
/// group by its address, anything else in a box. For the home's thread only.
#[derive(Debug)]
pub(super) struct Joiner(Cell<*mut ()>);

/// The lowest bits of the word: set for a box, or for a member; neither for a task.
const BOXED: usize = 1;
const MEMBER: usize = 2;
const KIND: usize = BOXED | MEMBER;

impl Joiner {
    fn new() -> Self {
        Self(Cell::new(std::ptr::null_mut()))
    }

    /// Whether waking the one that is here would wake `waker`'s task.
    #[inline]
    pub(super) fn will_wake(&self, waker: &Waker) -> bool {
        let word = self.0.get();
        match word.addr() & KIND {
            BOXED => {
                // SAFETY: a word of this kind is the box that `set` leaked, and nobody takes it
                // before this shared borrow ends: `will_wake` runs no code that could reach this
                // task.
                let boxed = unsafe { &*untagged(word).cast::<Waker>() };
                boxed.will_wake(waker)
            }
            MEMBER => waker.data() == untagged(word) && members::is_one(waker),
            _ => !word.is_null() && waker::is_of(waker, word),
        }
    }

    /// Whether there is one.
    #[inline]
    pub(super) fn is_set(&self) -> bool {
        !self.0.get().is_null()
    }

    /// Puts a waker here. The one that was here comes back, for the caller to drop when it is
    /// ready for whatever that runs.
    #[inline]
    pub(super) fn set(&self, new: Waker) -> Option<Waker> {
        let (word, kind) = if waker::is_ours(&new) {
            (waker::into_data(new), 0)
        } else if members::is_one(&new) {
            (members::into_data(new), MEMBER)
        } else {
            (Box::into_raw(Box::new(new)).cast::<()>(), BOXED)
        };
        Self::waker(self.0.replace(word.map_addr(|address| address | kind)))
    }

    #[inline]
    pub(super) fn take(&self) -> Option<Waker> {
        Self::waker(self.0.replace(std::ptr::null_mut()))
    }

    #[inline]
    fn waker(word: *mut ()) -> Option<Waker> {
        if word.is_null() {
            return None;
        }
        Some(match word.addr() & KIND {
            // SAFETY: the box that `set` leaked; replacing the word made it this function's.
            BOXED => *unsafe { Box::from_raw(untagged(word).cast::<Waker>()) },
            // SAFETY: `set` took the word, and with it one reference, out of a member's waker;
            // replacing the word made that reference this function's.
            MEMBER => unsafe { members::from_data(untagged(word)) },
            // SAFETY: the same, for a waker of ours.
            _ => unsafe { waker::from_data(word) },
        })
    }
}

fn untagged(word: *mut ()) -> *mut () {
    word.map_addr(|address| address & !KIND)
}
