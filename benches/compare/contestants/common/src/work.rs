//! Work to be divided: so many tasks of so many steps, the same for everybody.

/// Some tasks' worth of work.
pub struct Work {
    pub tasks: u64,
    /// A task has at least so many steps, and less than so many.
    least: u64,
    below: u64,
}

/// Ten thousand tasks of 20 to 200 µs, on a machine where a step takes two nanoseconds.
pub const LARGE: Work = Work { tasks: 10_000, least: 10_000, below: 100_000 };

/// Two hundred thousand tasks of 1 to 3 µs.
pub const SMALL: Work = Work { tasks: 200_000, least: 500, below: 1_500 };

impl Work {
    /// The steps of each task.
    pub fn steps(&self) -> impl Iterator<Item = u64> + Send + use<> {
        let (least, span) = (self.least, self.below - self.least);
        let mut seed = 0x9e37_79b9_7f4a_7c15;
        (0..self.tasks).map(move |_| {
            seed = step(seed);
            least + (seed >> 20) % span
        })
    }

    /// The first of them.
    pub fn warm_up(&self) -> impl Iterator<Item = u64> + Send + use<> {
        self.steps().take(self.tasks as usize / 10)
    }
}

/// One step: each needs the one before, so that no compiler and no core does them faster.
fn step(mut seed: u64) -> u64 {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^ seed << 17
}

/// Does so many steps.
pub fn compute(steps: u64) -> u64 {
    (0..steps).fold(steps | 1, |seed, _| step(seed))
}
