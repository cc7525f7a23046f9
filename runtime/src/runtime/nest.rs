//! A loop inside of a loop: how far up the stack of its thread a shard is turning.
//!
//! A task's poll may call `block_in_place`, and the closure may block on the runtime that the shard
//! is of. Then the same loop runs once more, inside of that poll, on the same queue, ring and
//! timers, until the closure's future is done:
//!
//! ```text
//!   run -> turn -> poll of a task -> block_in_place -> block_on -> run -> turn -> polls of others
//!   level 1                                                        level 2
//! ```
//!
//! # Why it may
//! The outer turn stands in a poll. There nothing of the shard is borrowed: polls spawn, wake, set
//! timers and submit. The tasks whose polls are on the stack are marked as running, so that a wake
//! or an abort of theirs is noted and nothing polls them; they wait for the closure, and the
//! closure must not wait for them. Everywhere else that a turn runs code of others it is *between
//! polls*: a message of another thread, wakers that the ring or the timers wake, hooks, what a
//! closing shard drops. There a turn is half done, and another one is refused.
//!
//! # Who ends which loop
//! Each level has an end of its own. What is asked of the outer loop while the inner one runs (its
//! future is done, the runtime shuts down) waits until the closure has returned.

use std::cell::Cell;

/// Loops of one shard that may be on its thread's stack: one, and one inside of it.
const LEVELS: u32 = 2;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Nest {
    /// How many loops are on the stack.
    depth: Cell<u32>,
    /// The innermost loop is to end.
    left: Cell<bool>,
    /// The loop around it is to end when the inner one has.
    outer_left: Cell<bool>,
    /// No task is being polled.
    between: Cell<bool>,
}

impl Nest {
    pub(super) fn new() -> Nest {
        Nest {
            depth: Cell::new(0),
            left: Cell::new(false),
            outer_left: Cell::new(false),
            between: Cell::new(true),
        }
    }

    /// Begins a loop, which ends when the value is dropped.
    pub(super) fn begin(&self) -> Level<'_> {
        let outer = self.depth.get();
        self.depth.set(outer + 1);
        self.outer_left.set(outer > 0 && self.left.get());
        self.left.set(false);
        Level { nest: self, level: outer + 1 }
    }

    /// Whether the innermost loop is to end.
    #[inline]
    pub(super) fn is_left(&self) -> bool {
        self.left.get()
    }

    /// Ends the outermost loop after the task that it runs.
    pub(super) fn leave_outermost(&self) {
        self.leave(1);
    }

    fn leave(&self, level: u32) {
        if level < self.depth.get() { &self.outer_left } else { &self.left }.set(true);
    }

    /// How many loops are on the stack.
    pub(super) fn depth(&self) -> u32 {
        self.depth.get()
    }

    /// Says whether a task is being polled or not from now on.
    #[inline]
    pub(super) fn set_between_polls(&self, between: bool) {
        self.between.set(between);
    }

    /// Calls `f` as code that is between polls.
    #[inline]
    pub(super) fn between_polls<R>(&self, f: impl FnOnce() -> R) -> R {
        /// Also where `f` panics: a poll may have called for it, and catch that.
        struct Restored<'a>(&'a Cell<bool>, bool);
        impl Drop for Restored<'_> {
            #[inline]
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let _restored = Restored(&self.between, self.between.replace(true));
        f()
    }

    /// Whether code that runs now was called by the poll of a task.
    pub(super) fn is_polling(&self) -> bool {
        !self.between.get()
    }

    /// Why no loop may begin now, inside of those that are on the stack.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        if !self.is_polling() {
            return Some(
                "Cannot block on a runtime between the polls of its own shard: in a waker, a hook, \
                 a message, or a destructor that runs while the shard shuts down.",
            );
        }
        (self.depth.get() >= LEVELS).then_some(
            "Cannot block on a runtime at this depth: this shard already turns inside of a \
             `block_in_place`, and the task that blocks now is one that it runs there. A shard \
             turns from within one level deep.",
        )
    }
}

/// One loop on the stack.
#[derive(Debug)]
pub(super) struct Level<'a> {
    nest: &'a Nest,
    level: u32,
}

impl Level<'_> {
    /// Ends this loop after the task that it runs.
    pub(super) fn leave(&self) {
        self.nest.leave(self.level);
    }
}

impl Drop for Level<'_> {
    fn drop(&mut self) {
        let outer = self.level - 1;
        self.nest.depth.set(outer);
        self.nest.left.set(self.nest.outer_left.replace(false));
        // The loop around this one is in the poll of the task that called it.
        self.nest.between.set(outer == 0);
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use super::Nest;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn each_level_has_an_end_of_its_own() {
        let nest = Nest::new();
        let outer = nest.begin();
        nest.set_between_polls(false);
        {
            let inner = nest.begin();
            outer.leave();
            assert!(!nest.is_left(), "the outer one waits");
            inner.leave();
            assert!(nest.is_left());
            nest.set_between_polls(true);
        }
        assert!(nest.is_left(), "and is told afterwards");
        assert!(nest.is_polling());
        drop(outer);
        assert_eq!(nest.depth(), 0);
        assert!(!nest.is_polling());
    }

    #[test]
    fn what_the_outer_loop_was_told_before_is_kept() {
        let nest = Nest::new();
        let _outer = nest.begin();
        nest.set_between_polls(false);
        nest.leave_outermost();
        drop(nest.begin());
        assert!(nest.is_left());
    }

    #[test]
    fn a_panic_between_polls_ends_what_is_between_polls() {
        let nest = Nest::new();
        let _outer = nest.begin();
        nest.set_between_polls(false);
        let call = || nest.between_polls(|| panic!("a ring that fails"));
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
        assert!(nest.is_polling());
    }

    #[test]
    fn one_level_deep_and_in_polls_only() {
        let nest = Nest::new();
        let _outer = nest.begin();
        assert!(nest.refusal().is_some());
        nest.set_between_polls(false);
        assert_eq!(nest.refusal(), None);
        assert!(nest.between_polls(|| nest.refusal()).is_some());
        let _inner = nest.begin();
        nest.set_between_polls(false);
        assert!(nest.refusal().is_some_and(|why| why.contains("one level deep")));
    }
}
