//! When to look although it does not seem to pay: a few looks in a row, seldom, and more seldom
//! each time that nothing comes of it.
//!
//! What that costs where it never pays: two looks in vain after 32 sleeps, after 64 more, and so
//! on, in the end after every 4,096. A sleep that no account would rather have spent looking is as
//! long as a look or more, so in the end that is 0.05 % of the time at most. Who answers soon only
//! until it is looked for by rule, and late from then on, has to do the former 45 times to be tried
//! again as early as before; each of these answers saved a sleep.

/// Sleeps between two trials: at first, and at most.
const SLEEPS: (u32, u32) = (32, 4096);

/// Looks in a trial.
const LOOKS: u32 = 8;

/// So many looks in vain, one after the other, end a trial.
const MISSES: u32 = 2;

/// Of the sleeps between two trials, one in 2 to the power of this is taken off by a look that
/// finds something.
const CONFIDENCE: u32 = 6;

/// Counts sleeps until the next trial, and looks in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    /// Looks until it is over; 0 is no trial.
    left: u32,
    /// Looks in vain, the last ones in this trial.
    misses: u32,
    /// Sleeps since the last trial.
    slept: u32,
    /// Sleeps between two trials.
    apart: u32,
}

impl Default for Trial {
    fn default() -> Trial {
        Trial { left: 0, misses: 0, slept: 0, apart: SLEEPS.0 }
    }
}

impl Trial {
    /// Whether the next look is one of a trial.
    pub(super) fn is_on(&self) -> bool {
        self.left > 0
    }

    /// A look found something, in a trial or not.
    pub(super) fn found(&mut self) {
        if self.is_on() {
            self.misses = 0;
            self.left -= 1;
        } else {
            self.apart = (self.apart - (self.apart >> CONFIDENCE)).max(SLEEPS.0);
        }
    }

    /// Slept, after a look in vain or at once; `near` if it was not for so long that there is no
    /// hope.
    pub(super) fn slept(&mut self, near: bool) {
        if self.is_on() {
            self.misses += 1;
            self.left = if self.misses < MISSES { self.left - 1 } else { 0 };
        } else if near {
            self.slept += 1;
            if self.slept >= self.apart {
                self.apart = (self.apart * 2).min(SLEEPS.1);
                *self = Trial { left: LOOKS, misses: 0, slept: 0, apart: self.apart };
            }
        }
    }

    /// There is no single peer that it could be for.
    pub(super) fn end(&mut self) {
        self.left = 0;
    }
}
