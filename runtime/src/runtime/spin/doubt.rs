//! When short sleeps are no evidence that a look would have found something: after several looks in
//! vain, one after the other, for a number of sleeps that doubles each time this happens again.
//!
//! Where a peer waits for this very CPU, that is each time, so that the looks in vain become rare
//! beside the sleeps: eight in 4,096 in the end. Each look that finds something makes the next
//! doubt shorter, by one part in eight.

/// Looks in vain in a row that raise a doubt. Fewer are usual on the way from one length of a look
/// to the next.
const IN_VAIN: u32 = 8;

/// Sleeps that a doubt is for: at first, and at most.
const SLEEPS: (u32, u32) = (64, 4096);

/// Of the sleeps that the next doubt is for, one in 2 to the power of this is taken off by a look
/// that finds something.
const CONFIDENCE: u32 = 3;

/// Counts looks in vain, and the sleeps of a doubt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    /// Looks in vain since the last that found something, or since the last doubt.
    in_vain: u32,
    /// Sleeps until it is over; 0 is no doubt.
    left: u32,
    /// Sleeps that the next doubt is for.
    next: u32,
}

impl Default for Doubt {
    fn default() -> Doubt {
        Doubt { in_vain: 0, left: 0, next: SLEEPS.0 }
    }
}

impl Doubt {
    /// A look found something.
    pub(super) fn found(&mut self) {
        *self = Doubt {
            in_vain: 0,
            left: 0,
            next: (self.next - (self.next >> CONFIDENCE)).max(SLEEPS.0),
        };
    }

    /// Slept, after a look in vain or at once. True if how soon that ended is no evidence.
    pub(super) fn slept(&mut self, looked: bool) -> bool {
        if self.left > 0 {
            self.left -= 1;
            return true;
        }
        if !looked {
            return false;
        }
        self.in_vain += 1;
        if self.in_vain < IN_VAIN {
            return false;
        }
        *self = Doubt { in_vain: 0, left: self.next, next: (self.next * 2).min(SLEEPS.1) };
        true
    }
}
