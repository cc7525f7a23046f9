//! The wheel against a sorted map, with seeded operations, and the corners by name.

use std::collections::{BTreeMap, VecDeque};

use super::*;

/// xorshift64*: the tests need repeatable numbers, not good ones.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// A distance whose magnitude, too, is random: all levels, far, the past and the end of time.
    fn when(&mut self, now: u64) -> u64 {
        match self.below(20) {
            0 => now.saturating_sub(self.below(1000)),
            1 => u64::MAX - self.below(3),
            2 => now,
            _ => {
                let bits = self.below(45);
                now.saturating_add(self.next() & ((1 << bits) - 1))
            }
        }
    }
}

/// What the wheel should do, in the plainest way.
#[derive(Default)]
struct Model {
    now: u64,
    sorted: BTreeMap<(u64, u64), u64>,
    due: VecDeque<u64>,
    order: u64,
}

impl Model {
    fn insert(&mut self, id: u64, when: u64) {
        self.order += 1;
        match when <= self.now {
            true => self.due.push_back(id),
            false => drop(self.sorted.insert((when, self.order), id)),
        }
    }

    fn remove(&mut self, id: u64) {
        self.due.retain(|&other| other != id);
        self.sorted.retain(|_, &mut other| other != id);
    }

    fn pop(&mut self, now: u64) -> Option<u64> {
        if let Some(id) = self.due.pop_front() {
            return Some(id);
        }
        match self.sorted.first_entry() {
            Some(first) if first.key().0 <= now => {
                self.now = first.key().0;
                Some(first.remove())
            }
            _ => {
                self.now = self.now.max(now);
                None
            }
        }
    }

    fn earliest(&self) -> Option<u64> {
        match self.due.is_empty() {
            false => Some(self.now),
            true => self.sorted.first_key_value().map(|((when, _), _)| *when),
        }
    }
}

fn differential(seed: u64, steps: usize) {
    let mut random = Random(seed);
    let (mut wheel, mut model) = (Wheel::new(), Model::default());
    let mut live: Vec<(Key, u64)> = Vec::new();
    let mut stale: Vec<Key> = Vec::new();
    for id in 0..steps as u64 {
        match random.below(10) {
            0..=3 if live.len() < 500 => {
                let when = random.when(model.now);
                live.push((wheel.insert(when, id), id));
                model.insert(id, when);
            }
            4 | 5 if !live.is_empty() => {
                let (key, id) = live.swap_remove(random.below(live.len() as u64) as usize);
                assert_eq!(wheel.remove(key), Some(id));
                model.remove(id);
                stale.push(key);
            }
            6 if !live.is_empty() => {
                let (key, id) = live[random.below(live.len() as u64) as usize];
                let when = random.when(model.now);
                assert!(wheel.reset(key, when));
                model.remove(id);
                model.insert(id, when);
            }
            7 if !stale.is_empty() => {
                let key = stale[random.below(stale.len() as u64) as usize];
                assert_eq!(wheel.remove(key), None);
                assert_eq!(wheel.get(key), None);
                assert_eq!(wheel.is_pending(key), None);
                assert!(!wheel.reset(key, 0));
            }
            _ => {
                // Half of the time to the wheel's own next deadline, as a loop would.
                let now = match (wheel.next_deadline(), random.below(2)) {
                    (Some(next), 0) if next < 1 << 50 => next,
                    _ => model.now + (random.next() & ((1 << random.below(40)) - 1)),
                };
                // Now and then the clock stops short of what is due, in the middle of a slot.
                let mut most = if random.below(4) == 0 { random.below(3) } else { u64::MAX };
                while most > 0 {
                    most -= 1;
                    let peeked = wheel.peek();
                    let popped = wheel.pop(now);
                    assert_eq!(popped.and_then(|key| wheel.get(key)).copied(), model.pop(now));
                    assert_eq!(wheel.now(), model.now);
                    let Some(key) = popped else { break };
                    assert_eq!(peeked, Some(key));
                    assert_eq!(wheel.is_pending(key), Some(false));
                }
            }
        }
        let next = wheel.next_deadline();
        assert_eq!(next.is_some(), model.earliest().is_some(), "seed {seed}, step {id}");
        assert!(next <= model.earliest(), "seed {seed}, step {id}");
        assert!(next.is_none_or(|next| next >= model.now));
        assert_eq!(wheel.len(), live.len());
        assert_eq!(wheel.pending(), model.sorted.len() + model.due.len());
    }
}

#[test]
fn agrees_with_a_sorted_map() {
    for seed in 1..=40 {
        differential(seed, 5_000);
    }
}

#[test]
fn next_deadline_is_exact_near_and_alone() {
    let mut wheel = Wheel::new();
    wheel.insert(3_000_000, ());
    assert_eq!(wheel.next_deadline(), Some(3_000_000), "alone in its slot");
    wheel.insert(63, ());
    wheel.insert(63, ());
    assert_eq!(wheel.next_deadline(), Some(63), "level 0");
    wheel.insert(0, ());
    assert_eq!(wheel.next_deadline(), Some(0), "due");
}

#[test]
fn a_lone_far_deadline_is_reached_in_one_step() {
    let mut wheel = Wheel::new();
    let key = wheel.insert(10 << SPAN_BITS, ());
    let next = wheel.next_deadline().unwrap();
    assert_eq!(next, 10 << SPAN_BITS);
    assert_eq!(wheel.pop(next), Some(key));
}

#[test]
fn the_last_tick_of_all_is_reached() {
    let mut wheel = Wheel::new();
    let never = wheel.insert(u64::MAX, ());
    let twin = wheel.insert(u64::MAX, ());
    assert_eq!(wheel.pop(u64::MAX - 1), None);
    assert_eq!(wheel.pop(u64::MAX), Some(never));
    assert_eq!(wheel.pop(u64::MAX), Some(twin));
    assert_eq!(wheel.next_deadline(), None);
    assert_eq!(wheel.now(), u64::MAX);
}

#[test]
fn a_clock_that_steps_back_changes_nothing() {
    let mut wheel = Wheel::new();
    assert_eq!(wheel.pop(1_000), None);
    let key = wheel.insert(1_001, ());
    assert_eq!(wheel.pop(10), None);
    assert_eq!(wheel.now(), 1_000);
    assert_eq!(wheel.pop(1_001), Some(key));
}

#[test]
fn places_are_used_again() {
    let mut wheel = Wheel::new();
    let first = wheel.insert(5, 'a');
    assert_eq!(wheel.remove(first), Some('a'));
    let second = wheel.insert(5, 'b');
    assert_eq!(second.index(), first.index());
    assert_ne!(second, first);
    assert_eq!(wheel.get(first), None);
    assert_eq!(wheel.get(second), Some(&'b'));
}

#[test]
fn a_value_that_was_taken_leaves_its_entry() {
    let mut wheel = Wheel::new();
    let key = wheel.insert(5, 'a');
    assert_eq!(wheel.take(key), Some('a'));
    assert_eq!((wheel.take(key), wheel.get(key)), (None, None));
    assert_eq!((wheel.pop(5), wheel.len()), (Some(key), 1));
    assert_eq!(wheel.remove(key), None);
    assert_eq!((wheel.is_pending(key), wheel.len()), (None, 0));
    assert_eq!(wheel.insert(6, 'b').index(), key.index());
    assert_eq!(wheel.into_values().collect::<Vec<_>>(), ['b']);
}
