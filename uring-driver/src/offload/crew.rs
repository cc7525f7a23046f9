//! How many threads there are, which of them sleep, and when another is wanted. Pure: it decides,
//! the shell acts.
//!
//! The one number that matters is `coming`: the threads that will look at the queue without being
//! told, because they are starting, or were woken and have not arrived, or have just finished a job
//! and are telling its owner. A job that finds one of these free needs nobody woken. That is what
//! makes a round trip on one CPU cheap: the owner runs while the thread is still inside its wake,
//! and the next job is in the queue when the thread gets back to it, which then never sleeps.
//!
//! ```text
//!            start()                     idle()
//!  (none) ────────────► coming ◄──────────────────┐
//!    ▲                  │   ▲  wanted() → Wake    │
//!    │ leave()   arrive()   │ finishing()         asleep
//!    │                  ▼   │                     ▲ │
//!    │                  busy ─────────────────────┘ │ time is up: remove()
//!    └─────────────────────────────── sleep() ──────┘
//! ```
//!
//! Invariant, which "no job is lost" rests on: the queue is no longer than `coming`, or nobody
//! sleeps and either the cap is reached or the system refused another thread; and then each thread
//! that is busy looks at the queue before it sleeps or leaves.

/// What a new job calls for.
#[must_use = "a job may be waiting for this"]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted<B> {
    /// Somebody is coming anyway.
    Nothing,
    /// Nobody is coming and nobody can: the job waits until one of the crew has finished another.
    Full,
    /// Ring the bell of this sleeper, which is among those coming now.
    Wake(B),
    /// Start a thread, which is among those coming now; [`Crew::failed`] if that fails.
    Start,
}

/// `B` is what a sleeping thread is woken by.
pub(super) struct Crew<B> {
    cap: usize,
    threads: usize,
    coming: usize,
    /// The longest asleep first: the last to fall asleep, whose cache is warm, is woken first, and
    /// the others run into their keep-alive.
    asleep: Vec<(Sleeper, B)>,
    next_sleeper: u64,
}

/// One nap of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sleeper(u64);

impl<B> Crew<B> {
    pub(super) fn new(cap: usize) -> Crew<B> {
        Crew { cap, threads: 0, coming: 0, asleep: Vec::new(), next_sleeper: 0 }
    }

    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    pub(super) fn asleep(&self) -> usize {
        self.asleep.len()
    }

    /// A job was queued, and now `queued` wait.
    pub(super) fn wanted(&mut self, queued: usize) -> Wanted<B> {
        if queued <= self.coming {
            return Wanted::Nothing;
        }
        if let Some((_, bell)) = self.asleep.pop() {
            self.coming += 1;
            return Wanted::Wake(bell);
        }
        if self.threads < self.cap {
            self.threads += 1;
            self.coming += 1;
            return Wanted::Start;
        }
        Wanted::Full
    }

    /// A thread that was coming looks at the queue now.
    pub(super) fn arrive(&mut self) {
        self.coming = self.coming.checked_sub(1).expect("one of those coming arrives");
    }

    /// A busy thread has finished its job and will look at the queue.
    pub(super) fn finishing(&mut self) {
        self.coming += 1;
    }

    /// A thread found the queue empty and sleeps, to be woken by `bell`.
    pub(super) fn sleep(&mut self, bell: B) -> Sleeper {
        let sleeper = Sleeper(self.next_sleeper);
        self.next_sleeper += 1;
        self.asleep.push((sleeper, bell));
        sleeper
    }

    /// Whether this sleeper has not been woken.
    pub(super) fn sleeps(&self, sleeper: Sleeper) -> bool {
        self.asleep.iter().any(|(other, _)| *other == sleeper)
    }

    /// A sleeper gets up by itself, because its time is up; false if it was woken meanwhile, and
    /// then it is among those coming and must arrive.
    pub(super) fn get_up(&mut self, sleeper: Sleeper) -> bool {
        let place = self.asleep.iter().position(|(other, _)| *other == sleeper);
        if let Some(place) = place {
            self.asleep.remove(place);
        }
        place.is_some()
    }

    /// Wakes everybody: all of them are coming.
    pub(super) fn wake_all(&mut self) -> Vec<B> {
        self.coming += self.asleep.len();
        self.asleep.drain(..).map(|(_, bell)| bell).collect()
    }

    /// A thread ends, which is neither asleep nor coming.
    pub(super) fn leave(&mut self) {
        self.threads = self.threads.checked_sub(1).expect("a thread that was counted leaves");
    }

    /// The thread that was to be started could not be, and `queued` jobs wait. One of them may have
    /// trusted that it would come, though another thread has fallen asleep since: the bell to be
    /// rung for it.
    pub(super) fn failed(&mut self, queued: usize) -> Option<B> {
        self.arrive();
        self.leave();
        if queued <= self.coming {
            return None;
        }
        let (_, bell) = self.asleep.pop()?;
        self.coming += 1;
        Some(bell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_cap_and_no_further() {
        let mut crew = Crew::<u8>::new(2);
        assert_eq!(crew.wanted(1), Wanted::Start);
        assert_eq!(crew.wanted(2), Wanted::Start);
        assert_eq!(crew.wanted(3), Wanted::Full);
        assert_eq!(crew.threads(), 2);
    }

    #[test]
    fn the_last_to_fall_asleep_is_woken_first() {
        let mut crew = Crew::new(2);
        assert_eq!(crew.wanted(1), Wanted::Start);
        assert_eq!(crew.wanted(2), Wanted::Start);
        crew.arrive();
        crew.arrive();
        crew.sleep('a');
        let b = crew.sleep('b');
        assert_eq!(crew.wanted(1), Wanted::Wake('b'));
        assert!(!crew.sleeps(b));
        assert_eq!(crew.wanted(2), Wanted::Wake('a'));
    }

    #[test]
    fn a_thread_that_is_finishing_spares_a_wake() {
        let mut crew = Crew::new(2);
        assert_eq!(crew.wanted(1), Wanted::Start);
        crew.arrive();
        crew.finishing();
        assert_eq!(crew.wanted(1), Wanted::<char>::Nothing);
        assert_eq!(crew.wanted(2), Wanted::Start);
    }

    #[test]
    fn a_start_that_fails_wakes_a_sleeper_for_the_job_that_trusted_it() {
        let mut crew = Crew::new(2);
        assert_eq!(crew.wanted(1), Wanted::Start);
        crew.arrive();
        assert_eq!(crew.wanted(1), Wanted::Start);
        // The first thread takes that job, finds no other, and sleeps.
        crew.sleep('a');
        assert_eq!(crew.wanted(1), Wanted::Nothing, "the second is coming");
        assert_eq!(crew.failed(1), Some('a'));
        crew.arrive();
        assert_eq!((crew.threads(), crew.asleep()), (1, 0));
        assert_eq!(crew.wanted(1), Wanted::Start);
        assert_eq!(crew.failed(1), None, "nobody sleeps: who is busy looks at the queue");
    }

    #[test]
    fn a_sleeper_that_was_woken_at_its_last_moment_must_arrive() {
        let mut crew = Crew::new(1);
        assert_eq!(crew.wanted(1), Wanted::Start);
        crew.arrive();
        let nap = crew.sleep('a');
        assert_eq!(crew.wanted(1), Wanted::Wake('a'));
        assert!(!crew.get_up(nap));
        crew.arrive();
        let nap = crew.sleep('a');
        assert!(crew.get_up(nap));
        crew.leave();
        assert_eq!(crew.threads(), 0);
    }
}
