//! Models of the ring: an owner and thieves, overflow, a thief that is robbed.

use loom::cell::UnsafeCell;
use loom::thread;

use super::{HALF, Owner, SLOTS, ring};

/// A value in a cell that loom checks: reading it needs its push to happen before.
struct Item(UnsafeCell<usize>);

// SAFETY: written before it is pushed, read after it was taken; loom checks that.
unsafe impl Send for Item {}

fn item(n: usize) -> Box<Item> {
    let item = Box::new(Item(UnsafeCell::new(0)));
    // SAFETY: nobody else knows it yet.
    item.0.with_mut(|value| unsafe { *value = n });
    item
}

fn read(item: Box<Item>) -> usize {
    // SAFETY: taken, so it is this thread's alone.
    item.0.with(|value| unsafe { *value })
}

fn drain(owner: &Owner<Box<Item>>, seen: &mut Vec<usize>) {
    seen.extend(std::iter::from_fn(|| owner.pop()).map(read));
}

fn each_once(mut seen: Vec<usize>, n: usize) {
    seen.sort_unstable();
    assert_eq!(seen, (0..n).collect::<Vec<_>>());
}

#[test]
fn loom_an_owner_and_a_thief_share_what_there_is() {
    loom::model(|| {
        let (owner, thief) = ring();
        let other = thread::spawn(move || {
            let ((mine, _), mut seen) = (ring(), Vec::new());
            for _ in 0..2 {
                if let Some((first, _)) = thief.steal(&mine, HALF) {
                    seen.push(read(first));
                    drain(&mine, &mut seen);
                }
            }
            seen
        });
        let mut seen = Vec::new();
        for n in 0..3 {
            assert!(owner.push(item(n)).is_none());
        }
        seen.extend(owner.pop().map(read));
        // The slots come round.
        for n in 3..5 {
            seen.extend(owner.push(item(n)).into_iter().flatten().map(read));
        }
        drain(&owner, &mut seen);
        seen.extend(other.join().unwrap());
        each_once(seen, 5);
    });
}

#[test]
fn loom_two_thieves_of_one_ring() {
    loom::model(|| {
        let (owner, thief) = ring();
        for n in 0..3 {
            assert!(owner.push(item(n)).is_none());
        }
        let thieves = [0, 1].map(|_| {
            let thief = thief.clone();
            thread::spawn(move || {
                let ((mine, _), mut seen) = (ring(), Vec::new());
                if let Some((first, _)) = thief.steal(&mine, HALF) {
                    seen.push(read(first));
                    drain(&mine, &mut seen);
                }
                seen
            })
        });
        let mut seen = Vec::new();
        seen.extend(owner.pop().map(read));
        for thief in thieves {
            seen.extend(thief.join().unwrap());
        }
        drain(&owner, &mut seen);
        each_once(seen, 3);
    });
}

#[test]
fn loom_a_ring_overflows_while_it_is_stolen_from() {
    loom::model(|| {
        let (owner, thief) = ring();
        for n in 0..SLOTS {
            assert!(owner.push(item(n)).is_none());
        }
        let other = thread::spawn(move || {
            let ((mine, _), mut seen) = (ring(), Vec::new());
            if let Some((first, _)) = thief.steal(&mine, HALF) {
                seen.push(read(first));
                drain(&mine, &mut seen);
            }
            seen
        });
        let mut seen = Vec::new();
        for n in SLOTS..SLOTS + 2 {
            seen.extend(owner.push(item(n)).into_iter().flatten().map(read));
        }
        seen.extend(other.join().unwrap());
        drain(&owner, &mut seen);
        each_once(seen, SLOTS + 2);
    });
}

#[test]
fn loom_a_thief_is_robbed_in_turn() {
    loom::model(|| {
        let (owner, thief) = ring();
        for n in 0..4 {
            assert!(owner.push(item(n)).is_none());
        }
        let (mine, from_me) = ring();
        let second = thread::spawn(move || {
            let ((own, _), mut seen) = (ring(), Vec::new());
            if let Some((first, _)) = from_me.steal(&own, HALF) {
                seen.push(read(first));
                drain(&own, &mut seen);
            }
            seen
        });
        let first = thread::spawn(move || {
            let mut seen = Vec::new();
            if let Some((first, _)) = thief.steal(&mine, HALF) {
                seen.push(read(first));
                drain(&mine, &mut seen);
            }
            seen
        });
        let mut seen = Vec::new();
        seen.extend(owner.pop().map(read));
        seen.extend(first.join().unwrap());
        seen.extend(second.join().unwrap());
        drain(&owner, &mut seen);
        each_once(seen, 4);
    });
}
