//! Timers without a runtime: a test plays the loop, on clocks that it moves itself.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use henge_driver::coop;
use henge_driver::sys::clock::now as monotonic;

use super::timers::Timers;
use super::*;

/// A waker that counts.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn counter() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (count.clone(), Waker::from(count))
}

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Timers on a clock that stands.
fn paused() -> Timers {
    Timers::new(Clock::new(true, true), Resolution::Millisecond)
}

/// What a loop does that has nothing else to do: moves the clock to the next timer and fires it.
/// False if there is none.
fn idle_turn(timers: &Timers) -> bool {
    let advanced = timers.auto_advance();
    timers.fire(monotonic());
    advanced
}

/// Moves the clock as `advance` does.
fn advance_by(timers: &Timers, by: Duration) {
    timers.clock().set(timers.clock().at(monotonic()) + by);
    timers.fire(monotonic());
}

#[test]
fn fires_in_the_order_of_deadlines_and_never_early() {
    let timers = paused();
    let _entered = timers.enter();
    let (count, waker) = counter();
    let start = Instant::now();
    let micros = [5_000, 1, 999, 1_000, 1_001, 70_000, 64_000, 4_096_000, 300_000_000];
    let mut sleeps: Vec<_> = micros.map(Duration::from_micros).map(|d| Box::pin(sleep(d))).into();
    for sleep in &mut sleeps {
        assert!(poll(sleep.as_mut(), &waker).is_pending());
    }
    let mut left = sleeps.len();
    while idle_turn(&timers) {
        let now = Instant::now();
        sleeps.retain_mut(|sleep| {
            let fired = sleep.is_elapsed();
            assert_eq!(poll(sleep.as_mut(), &waker).is_ready(), fired);
            assert_eq!(fired, sleep.deadline() + ms(1) > now && now >= sleep.deadline());
            !fired
        });
        assert!(sleeps.len() < left, "a turn that fires nothing");
        left = sleeps.len();
    }
    assert_eq!(left, 0);
    assert_eq!(count.get(), micros.len());
    assert_eq!(start.elapsed(), Duration::from_secs(300));
    assert!(timers.is_idle());
}

#[test]
fn exact_timers_are_late_by_a_tick_at_most() {
    let timers = Timers::new(Clock::new(true, true), Resolution::Exact);
    let _entered = timers.enter();
    let (_, waker) = counter();
    for micros in [1, 74, 75, 76, 100, 1_000, 65_535, 1_000_000] {
        let start = Instant::now();
        let mut sleep = pin!(sleep(Duration::from_micros(micros)));
        assert!(poll(sleep.as_mut(), &waker).is_pending());
        while poll(sleep.as_mut(), &waker).is_pending() {
            assert!(idle_turn(&timers));
        }
        let late = start.elapsed().checked_sub(Duration::from_micros(micros)).unwrap();
        assert!(late < Duration::from_micros(75), "{micros} µs: late by {late:?}");
    }
}

#[test]
fn deadlines_in_the_past_and_at_the_end_of_time() {
    let timers = paused();
    let _entered = timers.enter();
    let (_, waker) = counter();
    let start = Instant::now();
    advance_by(&timers, ms(10));
    assert!(poll(pin!(sleep_until(start)), &waker).is_ready());
    assert!(poll(pin!(sleep_until(start + ms(10))), &waker).is_ready());
    let mut forever = pin!(sleep(Duration::MAX));
    assert!(poll(forever.as_mut(), &waker).is_pending());
    let mut turns = 0;
    while poll(forever.as_mut(), &waker).is_pending() {
        assert!(idle_turn(&timers));
        turns += 1;
        assert!(turns < 100, "the clock reaches a lone timer in few steps");
    }
    assert!(poll(pin!(timeout(Duration::MAX, std::future::pending::<()>())), &waker).is_pending());
}

/// What was due when the last timer fired is found so by the next poll, not by the next turn.
#[test]
fn the_wheel_arrives_at_the_time_of_the_turn() {
    let timers = paused();
    let _entered = timers.enter();
    let (_, waker) = counter();
    let mut interval = interval(ms(300));
    let mut tick = || interval.poll_tick(&mut Context::from_waker(&waker)).is_ready();
    assert!(tick() && !tick());
    advance_by(&timers, ms(950));
    assert!(tick() && tick() && tick(), "300, 600, 900");
    assert!(!tick());
}

#[test]
fn a_sleep_costs_nothing_until_polled_and_comes_back_when_dropped() {
    let timers = paused();
    let _entered = timers.enter();
    let (count, waker) = counter();
    let mut sleep = Box::pin(sleep(ms(1)));
    assert_eq!(timers.pending(), 0);
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    assert_eq!(timers.pending(), 1);
    assert_eq!(Arc::strong_count(&count), 3, "the wheel holds one waker");
    drop(sleep);
    assert_eq!(Arc::strong_count(&count), 2);
    assert!(timers.is_idle());
    assert!(!idle_turn(&timers));
    assert_eq!(count.get(), 0);
}

#[test]
fn the_waker_is_the_one_of_the_last_poll() {
    let timers = paused();
    let _entered = timers.enter();
    let ((first, first_waker), (last, last_waker)) = (counter(), counter());
    let mut sleep = pin!(sleep(ms(1)));
    assert!(poll(sleep.as_mut(), &first_waker).is_pending());
    assert!(poll(sleep.as_mut(), &last_waker).is_pending());
    assert_eq!(Arc::strong_count(&first), 2, "the first waker was let go");
    assert!(idle_turn(&timers));
    assert_eq!((first.get(), last.get()), (0, 1));
    assert!(poll(sleep.as_mut(), &last_waker).is_ready());
    assert!(poll(sleep.as_mut(), &last_waker).is_ready(), "and stays so");
}

#[test]
fn reset_moves_the_wake() {
    let timers = paused();
    let _entered = timers.enter();
    let (count, waker) = counter();
    let start = Instant::now();
    let mut sleep = pin!(sleep(ms(100)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    sleep.as_mut().reset(start + ms(50));
    advance_by(&timers, ms(50));
    assert_eq!(count.get(), 1, "earlier");
    sleep.as_mut().reset(start + ms(70));
    assert!(!sleep.is_elapsed());
    assert!(poll(sleep.as_mut(), &waker).is_pending(), "again, after it fired");
    sleep.as_mut().reset(start + ms(90));
    advance_by(&timers, ms(30));
    assert_eq!(count.get(), 1, "later");
    sleep.as_mut().reset(start);
    assert_eq!(count.get(), 2, "to the past: at once");
    assert!(poll(sleep.as_mut(), &waker).is_ready());
}

#[test]
fn dropped_elsewhere_it_comes_back_by_the_list() {
    let timers = paused();
    let _entered = timers.enter();
    let (count, waker) = counter();
    for round in 0..3 {
        let sleeps: Vec<_> = (0..1_000)
            .map(|_| {
                let mut sleep = Box::pin(sleep(ms(5)));
                assert!(poll(sleep.as_mut(), &waker).is_pending());
                sleep
            })
            .collect();
        std::thread::scope(|s| s.spawn(|| drop(sleeps)).join().unwrap());
        assert_eq!(timers.pending(), 1_000);
        assert!(timers.has_returned() && !timers.is_idle());
        assert_eq!(timers.fire(monotonic()), 0);
        assert!(timers.is_idle(), "round {round}");
    }
    assert_eq!(Arc::strong_count(&count), 2);
    assert_eq!(count.get(), 0);
}

#[test]
fn polled_elsewhere_it_is_armed_there() {
    let clock = Clock::new(true, true);
    let here = Timers::new(clock.clone(), Resolution::Millisecond);
    let _entered = here.enter();
    let ((count, waker), (count_there, waker_there)) = (counter(), counter());
    let mut sleep = Box::pin(sleep(ms(5)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    std::thread::scope(|s| {
        s.spawn(|| {
            let there = Timers::new(clock, Resolution::Millisecond);
            let _entered = there.enter();
            assert!(!sleep.is_elapsed());
            assert!(poll(sleep.as_mut(), &waker_there).is_pending());
            assert_eq!(there.pending(), 1);
            assert!(idle_turn(&there));
            assert_eq!(count_there.get(), 1);
            assert!(poll(sleep.as_mut(), &waker_there).is_ready());
        });
    });
    here.fire(monotonic());
    assert_eq!(count.get(), 0);
    assert!(here.is_idle());
}

#[test]
fn due_while_it_moved() {
    let timers = paused();
    let (_, waker) = counter();
    let mut sleep = {
        let _entered = timers.enter();
        let mut sleep = Box::pin(sleep(ms(5)));
        assert!(poll(sleep.as_mut(), &waker).is_pending());
        sleep
    };
    timers.clock().set(monotonic() + ms(50));
    let clock = timers.clock().clone();
    std::thread::scope(|s| {
        s.spawn(|| {
            let there = Timers::new(clock, Resolution::Millisecond);
            let _entered = there.enter();
            assert!(sleep.is_elapsed());
            assert!(poll(sleep.as_mut(), &waker).is_ready());
            assert_eq!(there.pending(), 0);
        });
    });
    assert!(timers.has_returned());
}

#[test]
fn reset_elsewhere_wakes_whoever_polled_it_here() {
    let timers = paused();
    let _entered = timers.enter();
    let notified = Arc::new(AtomicUsize::new(0));
    let notify = notified.clone();
    timers.set_home(move || {
        notify.fetch_add(1, Ordering::Relaxed);
    });
    let (count, waker) = counter();
    let mut sleep = Box::pin(sleep(ms(100)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    let earlier = sleep.deadline() - ms(50);
    std::thread::scope(|s| {
        s.spawn(|| sleep.as_mut().reset(earlier));
    });
    assert_eq!(notified.load(Ordering::Relaxed), 1, "the loop may sleep for long");
    timers.fire(monotonic());
    assert_eq!(count.get(), 1, "the task polls again, for the new deadline");
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    advance_by(&timers, ms(50));
    assert!(poll(sleep.as_mut(), &waker).is_ready());
}

#[test]
fn sleeps_outlive_their_timers() {
    let (count, waker) = counter();
    let timers = paused();
    let mut sleeps: Vec<_> = {
        let _entered = timers.enter();
        (0..3)
            .map(|_| {
                let mut sleep = Box::pin(sleep(ms(5)));
                assert!(poll(sleep.as_mut(), &waker).is_pending());
                sleep
            })
            .collect()
    };
    drop(timers);
    assert_eq!(count.get(), 3, "they are told");
    assert_eq!(Arc::strong_count(&count), 2, "and no waker is kept");
    let mut last = sleeps.pop().unwrap();
    drop(sleeps);

    let other = paused();
    let _entered = other.enter();
    assert!(poll(last.as_mut(), &waker).is_pending(), "armed on the new timers");
    assert_eq!(other.pending(), 1);
    advance_by(&other, ms(5) + Duration::from_secs(1));
    assert!(poll(last.as_mut(), &waker).is_ready());
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn no_sleep_without_a_runtime() {
    drop(sleep(ms(1)));
}

/// Wakers that own sleeps, and drop them wherever they are called.
#[test]
fn wakers_may_drop_sleeps() {
    struct Owner(Mutex<Vec<Pin<Box<Sleep>>>>);
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {
            self.0.lock().unwrap().clear();
        }
    }
    let timers = paused();
    let _entered = timers.enter();
    let owner = Arc::new(Owner(Mutex::default()));
    let waker = Waker::from(owner.clone());
    for _ in 0..100 {
        let mut sleep = Box::pin(sleep(ms(1)));
        assert!(poll(sleep.as_mut(), &waker).is_pending());
        owner.0.lock().unwrap().push(sleep);
    }
    assert!(idle_turn(&timers));
    assert!(timers.is_idle());

    // And one whose last reference is the wheel's: its drop runs inside another sleep's drop.
    let (_, noop) = counter();
    let mut inner = Box::pin(sleep(ms(1)));
    assert!(poll(inner.as_mut(), &noop).is_pending());
    let waker = Waker::from(Arc::new(Owner(Mutex::new(vec![inner]))));
    let mut outer = Box::pin(sleep(ms(1)));
    assert!(poll(outer.as_mut(), &waker).is_pending());
    drop(waker);
    drop(outer);
    assert!(timers.is_idle());
}

/// A waker that sets new timers that are due at once must not keep the loop from its other work.
#[test]
fn what_a_waker_sets_waits_for_the_next_turn() {
    struct Again(Instant, Mutex<Vec<Pin<Box<Sleep>>>>);
    impl Wake for Again {
        fn wake(self: Arc<Self>) {
            let mut sleep = Box::pin(sleep_until(self.0 + ms(2)));
            assert!(poll(sleep.as_mut(), &Waker::from(self.clone())).is_pending());
            self.1.lock().unwrap().push(sleep);
        }
    }
    let timers = paused();
    let _entered = timers.enter();
    let again = Arc::new(Again(Instant::now(), Mutex::default()));
    let mut first = pin!(sleep(ms(1)));
    assert!(poll(first.as_mut(), &Waker::from(again.clone())).is_pending());
    timers.clock().set(timers.clock().at(monotonic()) + ms(10));
    assert_eq!(timers.fire(monotonic()), 1, "what it set is due as well");
    let sleeps = std::mem::take(&mut *again.1.lock().unwrap());
    assert_eq!(sleeps.len(), 1);
    assert_eq!(timers.pending(), 1);
}

#[test]
fn a_guest_follows_the_clock_and_does_not_move_it() {
    let clock = Clock::new(true, true);
    let guest = Timers::guest(clock.clone(), Resolution::Millisecond);
    let _entered = guest.enter();
    let (count, waker) = counter();
    let mut sleep = pin!(sleep(ms(5)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    assert!(!guest.auto_advance());
    assert!(guest.next_deadline().is_some(), "it looks again by itself");
    clock.set(clock.at(monotonic()) + ms(5));
    assert_eq!(guest.fire(monotonic()), 1);
    assert_eq!(count.get(), 1);
}

#[test]
fn nothing_moves_the_clock_while_it_is_inhibited() {
    let timers = paused();
    let _entered = timers.enter();
    let (_, waker) = counter();
    let mut sleep = pin!(sleep(ms(5)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    let inhibit = timers.clock().inhibit();
    assert!(!timers.auto_advance());
    assert_eq!(timers.next_deadline(), None);
    drop(inhibit);
    assert!(timers.auto_advance());
}

#[test]
fn a_resumed_clock_tells_real_deadlines() {
    let timers = paused();
    let _entered = timers.enter();
    let (_, waker) = counter();
    advance_by(&timers, Duration::from_secs(1_000));
    resume();
    let before = monotonic();
    let mut sleep = pin!(sleep(ms(500)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    let real = timers.next_deadline().unwrap();
    let late = real.saturating_duration_since(before);
    assert!(late >= ms(500) && late < ms(500) + Duration::from_secs(60), "{late:?}");
}

#[test]
fn timers_that_are_due_spend_the_budget() {
    let timers = paused();
    let _entered = timers.enter();
    let (count, waker) = counter();
    let past = Instant::now();
    coop::budget(2, || {
        let mut due = pin!(sleep_until(past));
        assert!(poll(due.as_mut(), &waker).is_ready());
        assert!(poll(pin!(sleep(ms(1))), &waker).is_pending(), "costs nothing");
        assert!(poll(due.as_mut(), &waker).is_ready());
        assert!(poll(due.as_mut(), &waker).is_pending());
        assert_eq!(count.get(), 1, "woken, to go on after the others");
    });
}

#[test]
fn a_future_that_spends_the_budget_is_limited_all_the_same() {
    let timers = paused();
    let _entered = timers.enter();
    let (_, waker) = counter();
    let past = Instant::now();
    let busy = std::future::poll_fn(|cx| {
        while let Poll::Ready(unit) = coop::poll_proceed(cx) {
            unit.made_progress();
        }
        Poll::<()>::Pending
    });
    let limited = coop::budget(8, || poll(pin!(timeout_at(past, busy)), &waker));
    assert!(limited.is_ready());
}

#[test]
fn sizes() {
    assert!(size_of::<Sleep>() <= 40);
    assert!(size_of::<Interval>() <= 72);
}
