//! The queue's own rules; time is moved by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use henge_driver::sys::clock::now as monotonic;

use super::super::Clock;
use super::super::timers::{Resolution, Timers};
use super::*;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct World {
    timers: Timers,
    count: Arc<Count>,
    waker: Waker,
}

impl World {
    fn new() -> Self {
        let count = Arc::new(Count::default());
        let timers = Timers::new(Clock::new(true, true), Resolution::Millisecond);
        World { timers, waker: Waker::from(count.clone()), count }
    }

    fn pass(&self, ms: u64) {
        let clock = self.timers.clock();
        clock.set(clock.at(monotonic()) + Duration::from_millis(ms));
        self.timers.fire(monotonic());
    }

    fn poll<T>(&self, queue: &mut DelayQueue<T>) -> Poll<Option<T>> {
        let polled = queue.poll_expired(&mut Context::from_waker(&self.waker));
        polled.map(|expired| expired.map(Expired::into_inner))
    }

    fn wakes(&self) -> usize {
        self.count.0.swap(0, Ordering::Relaxed)
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn in_order_of_deadlines_whatever_they_are() {
    let world = World::new();
    let _entered = world.timers.enter();
    let mut queue = DelayQueue::new();
    let millis = [7, 0, 64, 63, 5_000, 7, 4_095, 1 << 37];
    for (n, &after) in millis.iter().enumerate() {
        queue.insert((after, n), ms(after));
    }
    let mut sorted: Vec<_> = millis.iter().copied().enumerate().map(|(n, m)| (m, n)).collect();
    sorted.sort_unstable();
    let start = Instant::now();
    for expected in sorted {
        let polled = loop {
            match world.poll(&mut queue) {
                Poll::Ready(polled) => break polled,
                Poll::Pending => assert!(world.timers.auto_advance()),
            }
            world.timers.fire(monotonic());
        };
        assert_eq!(polled, Some(expected));
        assert_eq!(start.elapsed(), ms(expected.0));
    }
    assert_eq!(world.poll(&mut queue), Poll::Ready(None));
}

#[test]
fn whoever_waits_is_woken_for_changes() {
    let world = World::new();
    let _entered = world.timers.enter();
    let mut queue = DelayQueue::new();
    assert!(world.poll(&mut queue).is_ready());
    let first = queue.insert("first", ms(100));
    assert_eq!(world.wakes(), 1, "no longer empty");
    assert!(world.poll(&mut queue).is_pending());
    queue.insert("later", ms(200));
    assert_eq!(world.wakes(), 0, "later than what it waits for");
    queue.insert("earlier", ms(50));
    assert_eq!(world.wakes(), 1, "earlier");
    assert!(world.poll(&mut queue).is_pending());
    queue.reset(&first, ms(10));
    assert_eq!(world.wakes(), 1, "earlier by a reset");
    assert!(world.poll(&mut queue).is_pending());
    world.pass(10);
    assert_eq!(world.wakes(), 1, "due");
    assert_eq!(world.poll(&mut queue), Poll::Ready(Some("first")));
}

#[test]
fn removal_moves_the_timer_and_wakes_only_for_the_last() {
    let world = World::new();
    let _entered = world.timers.enter();
    let mut queue = DelayQueue::new();
    let soon = queue.insert("soon", ms(10));
    let last = queue.insert("last", ms(30));
    assert!(world.poll(&mut queue).is_pending());
    assert_eq!(queue.remove(&soon).into_inner(), "soon");
    world.pass(20);
    assert_eq!(world.wakes(), 0);
    assert_eq!(queue.remove(&last).into_inner(), "last");
    assert_eq!(world.wakes(), 1);
    assert_eq!(world.poll(&mut queue), Poll::Ready(None));
    assert_eq!(world.timers.pending(), 0);
}

#[test]
fn keys_survive_compaction_and_stale_ones_stay_stale() {
    let world = World::new();
    let _entered = world.timers.enter();
    let mut queue = DelayQueue::with_capacity(100);
    let mut keys: Vec<_> = (0..20u64).map(|n| queue.insert(n, ms(100 + n))).collect();
    let stale: Vec<_> = keys.drain(..10).inspect(|key| _ = queue.remove(key)).collect();
    for round in 0..3u64 {
        queue.compact();
        assert_eq!((queue.len(), queue.capacity()), (keys.len(), keys.len()));
        keys.push(queue.insert(100 + round, ms(300 + round)));
        for key in &stale {
            assert!(queue.try_remove(key).is_none());
        }
    }
    queue.reset(&keys[0], ms(500));
    assert_eq!(queue.peek(), Some(keys[1]));
    assert_eq!(queue.remove(&keys[1]).key(), keys[1]);
    world.pass(600);
    let mut out = Vec::new();
    while let Poll::Ready(Some(n)) = world.poll(&mut queue) {
        out.push(n);
    }
    assert_eq!(out, [12, 13, 14, 15, 16, 17, 18, 19, 100, 101, 102, 10]);
    assert!(keys.iter().all(|key| queue.try_remove(key).is_none()));
}

#[test]
fn a_cleared_queue_refuses_old_keys() {
    let world = World::new();
    let _entered = world.timers.enter();
    let mut queue = DelayQueue::new();
    let old = queue.insert(1, ms(10));
    assert!(world.poll(&mut queue).is_pending());
    queue.clear();
    assert_eq!(world.wakes(), 1);
    let new = queue.insert(2, ms(10));
    assert!(queue.try_remove(&old).is_none());
    assert_eq!(queue.remove(&new).into_inner(), 2);
}

#[test]
#[should_panic(expected = "invalid key")]
fn removing_twice_panics() {
    let mut queue = DelayQueue::new();
    let key = queue.insert((), ms(1));
    queue.remove(&key);
    queue.remove(&key);
}
