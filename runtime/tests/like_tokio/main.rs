//! Generated programs that run on tokio's `sync` and on this one, and must see the same on both;
//! one is about the order in which a runtime of one thread polls.
//!
//! A seed decides what a program does: it makes futures, polls them with this waker or that one,
//! drops them, sends, locks, closes, step by step on one thread. After each step it notes what it
//! got and which wakers were called. The programs are written once, in `programs`, and are compiled
//! against each crate. `HENGE_SEEDS=100000` asks for more than the usual number.

mod harness;

mod on_henge;
#[expect(clippy::duplicate_mod, reason = "the same programs, on another crate")]
mod on_tokio;

use harness::{Log, Rng};

/// Runs a program from many seeds on both. The first difference fails the test, with what led
/// there.
fn compare(ours: fn(&mut Rng, &mut Log), theirs: fn(&mut Rng, &mut Log)) {
    let seeds = std::env::var("HENGE_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    for seed in 1..=seeds.unwrap_or(2_000) {
        let [ours, theirs] = [ours, theirs].map(|program| {
            let mut log = Log::default();
            program(&mut Rng::new(seed), &mut log);
            log
        });
        if let Some(difference) = ours.difference(&theirs) {
            panic!("seed {seed}: {difference}");
        }
    }
}

macro_rules! compared {
    ($($program:ident)*) => {
        $(
            #[test]
            fn $program() {
                compare(on_henge::programs::$program, on_tokio::programs::$program);
            }
        )*
    };
}

compared! {
    barrier bounded_mpsc broadcast mutex notify once_cell oneshot order rwlock semaphore set_once
    unbounded_mpsc watch
}
