//! Members that are woken, rearmed and removed, in every order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::Members;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn members_come_out_once_in_the_order_of_their_wakes_and_wake_the_group_once() {
    let count = Arc::new(Count::default());
    let mut members = Members::new();
    assert!(members.wait(&Waker::from(count.clone())).is_none());
    let wakers: Vec<_> = (0..1_000).map(|key| members.add(key).1).collect();
    for key in [7, 3, 7, 999] {
        wakers[key].wake_by_ref();
    }
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    let mut taken = Vec::new();
    while let Some((key, member)) = members.next() {
        taken.push(key);
        members.retire(member);
    }
    assert_eq!(taken, [7, 3, 999]);
    wakers.into_iter().for_each(Waker::wake);
    let mut rest = 0;
    while let Some((_key, member)) = members.next() {
        rest += 1;
        members.retire(member);
    }
    assert_eq!(rest, 997, "those that have left are not woken");
}

#[test]
fn a_rearmed_member_comes_again_and_one_that_left_does_not() {
    let mut members = Members::new();
    let (_, waker) = members.add(5);
    waker.wake_by_ref();
    let (key, taken) = members.next().unwrap();
    assert_eq!(key, 5);
    waker.wake_by_ref();
    assert!(members.next().is_none(), "not before it is rearmed");
    let armed = members.rearm(taken);
    waker.wake_by_ref();
    members.remove(armed);
    assert!(members.next().is_none(), "it has left");
    // The seat is another's now.
    let (armed, other) = members.add(6);
    waker.wake();
    let (key, taken) = members.next().unwrap();
    assert_eq!(key, 6, "woken once too often");
    members.rearm(taken);
    members.remove(armed);
    other.wake();
    assert!(members.next().is_none());
}

#[test]
fn wakers_outlive_the_group() {
    let mut members = Members::new();
    let wakers: Vec<_> = (0..10).map(|key| members.add(key).1).collect();
    wakers[0].wake_by_ref();
    let clone = wakers[1].clone();
    drop(members);
    wakers.into_iter().for_each(Waker::wake);
    clone.wake();
}
