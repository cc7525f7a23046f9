//! The ring under one thread, against a naive deque, and under many.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{HALF, SLOTS, ring};

fn step(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed >> 20
}

#[test]
fn what_goes_in_comes_out_in_order() {
    let (owner, _thief) = ring();
    assert!(owner.is_empty());
    for n in 0..SLOTS {
        assert!(owner.push(Box::new(n)).is_none());
    }
    for n in 0..SLOTS {
        assert_eq!(owner.pop(), Some(Box::new(n)));
    }
    assert_eq!(owner.pop(), None);
}

#[test]
fn a_full_ring_gives_out_its_older_half_and_what_did_not_fit() {
    let (owner, _thief) = ring();
    for n in 0..SLOTS {
        assert!(owner.push(Box::new(n)).is_none());
    }
    let out: Vec<_> = owner.push(Box::new(SLOTS)).expect("full").map(|item| *item).collect();
    assert_eq!(out, (0..HALF).chain([SLOTS]).collect::<Vec<_>>());
    assert_eq!(owner.pop(), Some(Box::new(HALF)));
}

#[test]
fn a_thief_takes_the_older_half() {
    let ((owner, thief), (mine, _)) = (ring(), ring());
    for n in 0..7 {
        owner.push(Box::new(n));
    }
    assert_eq!(thief.steal(&mine, HALF), Some((Box::new(0), 4)));
    assert_eq!([mine.pop(), mine.pop(), mine.pop()], [1, 2, 3].map(|n| Some(Box::new(n))));
    assert_eq!(owner.len(), 3);
    assert_eq!(thief.steal(&mine, 1), Some((Box::new(4), 1)));
    assert_eq!(mine.pop(), None);
    assert_eq!(thief.steal(&mine, HALF), Some((Box::new(5), 1)));
    assert_eq!(thief.steal(&mine, HALF), Some((Box::new(6), 1)));
    assert_eq!(thief.steal(&mine, HALF), None);
}

#[test]
fn a_thief_takes_no_more_than_it_has_room_for() {
    let ((owner, thief), (mine, _)) = (ring(), ring());
    for n in 0..SLOTS {
        owner.push(Box::new(n));
        if n < SLOTS - 2 {
            mine.push(Box::new(0));
        }
    }
    assert_eq!(thief.steal(&mine, HALF), Some((Box::new(0), 3)));
    assert_eq!(mine.len(), SLOTS);
    assert_eq!(thief.steal(&mine, HALF), Some((Box::new(3), 1)));
}

#[test]
fn what_is_left_is_dropped_with_the_owner() {
    let kept = std::sync::Arc::new(());
    let (owner, thief) = ring();
    for _ in 0..10 {
        owner.push(Box::new(kept.clone()));
    }
    drop(owner);
    assert!(thief.is_empty());
    assert_eq!(std::sync::Arc::strong_count(&kept), 1);
}

/// One thread: against a model that is plain.
#[test]
fn behaves_like_a_deque() {
    for start in 1..=20_u64 {
        let mut seed = start.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let ((owner, thief), (mine, _)) = (ring(), ring());
        let mut model = VecDeque::new();
        for n in 0..20_000 {
            match step(&mut seed) % 16 {
                0..9 => {
                    model.push_back(n);
                    if let Some(out) = owner.push(Box::new(n)) {
                        model.pop_back();
                        for item in out {
                            let expected = if *item == n { n } else { model[0] };
                            assert_eq!(*item, expected);
                            if *item != n {
                                model.pop_front();
                            }
                        }
                    }
                }
                9..15 => assert_eq!(owner.pop().map(|item| *item), model.pop_front()),
                _ => {
                    let half = model.len() - model.len() / 2;
                    let stolen = thief.steal(&mine, HALF);
                    assert_eq!(stolen.as_ref().map_or(0, |(_, n)| *n), half.min(HALF));
                    let first = stolen.map(|(first, _)| first);
                    for item in first.into_iter().chain(std::iter::from_fn(|| mine.pop())) {
                        assert_eq!(Some(*item), model.pop_front());
                    }
                }
            }
            assert_eq!(owner.len(), model.len());
        }
    }
}

/// Threads steal from each other while one of them pushes: everything comes out once.
#[test]
fn nothing_is_lost_or_taken_twice() {
    const ITEMS: usize = 200_000;
    for seed in 1..=4_u64 {
        let (owner, thief) = ring::<Box<usize>>();
        let done = AtomicBool::new(false);
        let seen: Vec<Vec<usize>> = thread::scope(|scope| {
            let thieves: Vec<_> = (0..3_u64)
                .map(|n| {
                    let (thief, done) = (thief.clone(), &done);
                    scope.spawn(move || {
                        let mut seed = seed << 8 | (n + 1);
                        let ((mine, _), mut seen) = (ring(), Vec::new());
                        // Acquire: what was pushed before is seen by the last look.
                        while !done.load(Ordering::Acquire) || !thief.is_empty() {
                            let most = step(&mut seed) as usize % HALF + 1;
                            if let Some((first, n)) = thief.steal(&mine, most) {
                                assert!(n <= most);
                                seen.push(*first);
                                seen.extend(std::iter::from_fn(|| mine.pop()).map(|item| *item));
                            }
                        }
                        seen
                    })
                })
                .collect();
            let (mut seed, mut seen) = (seed, Vec::new());
            for n in 0..ITEMS {
                if let Some(out) = owner.push(Box::new(n)) {
                    seen.extend(out.map(|item| *item));
                }
                if step(&mut seed) % 4 == 0 {
                    seen.extend(owner.pop().map(|item| *item));
                }
            }
            seen.extend(std::iter::from_fn(|| owner.pop()).map(|item| *item));
            // Release: after everything that was pushed.
            done.store(true, Ordering::Release);
            thieves
                .into_iter()
                .map(|thief| thief.join().expect("no thief panics"))
                .chain([seen])
                .collect()
        });
        let mut all: Vec<usize> = seen.concat();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..ITEMS), "seed {seed}: each comes out once");
    }
}
