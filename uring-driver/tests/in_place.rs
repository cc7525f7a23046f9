//! Operations that live in the place of the state that they work for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use henge_driver::home::{AtHome, Here, Homed, InPlace, Resident};
use henge_driver::{Cqe, Driver, Next, Sqe, Ticket, Timespec, current};

/// What became of a state and its operations.
#[derive(Default)]
struct Fate {
    ended: AtomicU32,
    operations_dropped: AtomicU32,
    states_dropped: AtomicU32,
}

struct Waits {
    flight: Option<Ticket>,
    /// So many more are to follow the one that ends.
    rounds: u32,
    fate: Arc<Fate>,
}

/// A time-out, so long that it ends by being cancelled, or none.
struct Wait {
    span: Option<Box<Timespec>>,
    fate: Arc<Fate>,
}

impl Wait {
    fn new(here: &Here<'_, Waits>, span: Option<Duration>) -> Wait {
        let span = span.map(|span| Box::new(Timespec::from(span)));
        Wait { span, fate: Arc::clone(&here.fate) }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.fate.operations_dropped.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: the span is in a box that is dropped with the operation.
unsafe impl InPlace<Waits> for Wait {
    fn prepare(&mut self, _shared: &()) -> Sqe {
        self.span.as_ref().map_or_else(Sqe::nop, |span| Sqe::timeout(&raw const **span))
    }

    fn complete(&mut self, _home: &AtHome<'_, Waits>, _cqe: Cqe) -> Next<()> {
        Next::Done(())
    }

    fn ended(self, home: &AtHome<'_, Waits>) {
        self.fate.ended.fetch_add(1, Ordering::Relaxed);
        home.with(|here| {
            here.flight = None;
            if here.rounds > 0 {
                here.rounds -= 1;
                here.flight = Some(here.submit(Wait::new(here, None)));
            }
        });
    }
}

impl Resident for Waits {
    type Shared = ();
    type Operation = Wait;

    fn recall(here: &mut Here<'_, Waits>) {
        if let Some(flight) = here.flight {
            here.driver().cancel(flight);
        }
    }

    fn abandon(here: &mut Here<'_, Waits>) {
        Waits::recall(here);
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.fate.states_dropped.fetch_add(1, Ordering::Relaxed);
    }
}

fn waits(rounds: u32) -> (Homed<Waits>, Arc<Fate>) {
    let fate = Arc::new(Fate::default());
    (Homed::new(Waits { flight: None, rounds, fate: Arc::clone(&fate) }, ()), fate)
}

fn start(state: &Homed<Waits>, span: Option<Duration>) {
    let polled = state.poll_with(&Context::from_waker(Waker::noop()), |here| {
        here.flight = Some(here.submit(Wait::new(here, span)));
    });
    assert!(matches!(polled, std::task::Poll::Ready(Ok(()))));
}

const LONG: Duration = Duration::from_secs(3600);
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn the_end_of_one_may_submit_the_next() {
    const ROUNDS: u32 = 10;
    let driver = Driver::new().unwrap();
    let _entered = driver.enter();
    let (state, fate) = waits(ROUNDS);
    start(&state, None);
    for _ in 0..=2 * ROUNDS {
        driver.turn().unwrap();
    }
    assert_eq!(fate.ended.load(Ordering::Relaxed), ROUNDS + 1);
    assert_eq!(fate.operations_dropped.load(Ordering::Relaxed), ROUNDS + 1);
    assert_eq!(driver.in_flight(), 0);
}

#[test]
#[should_panic(expected = "one operation at a time")]
fn a_second_one_meanwhile_is_refused() {
    let driver = Driver::new().unwrap();
    let _entered = driver.enter();
    let (state, _fate) = waits(0);
    start(&state, Some(LONG));
    start(&state, Some(LONG));
}

#[test]
fn the_state_lives_until_the_last_completion() {
    let driver = Driver::new().unwrap();
    let _entered = driver.enter();
    let (state, fate) = waits(0);
    start(&state, Some(LONG));
    driver.turn().unwrap();
    drop(state);
    assert_eq!(fate.states_dropped.load(Ordering::Relaxed), 0, "the kernel has the span");
    let end = Instant::now() + BOUND;
    while driver.in_flight() > 0 {
        assert!(Instant::now() < end, "it is not cancelled");
        driver.park(Some(Instant::now() + Duration::from_millis(20)), || false).unwrap();
    }
    assert_eq!(fate.ended.load(Ordering::Relaxed), 1);
    assert_eq!(fate.states_dropped.load(Ordering::Relaxed), 1);
}

#[test]
fn it_ends_with_its_driver_and_can_move_on() {
    let (state, fate) = waits(0);
    {
        let driver = Driver::new().unwrap();
        let _entered = driver.enter();
        start(&state, Some(LONG));
        let leaked = driver.shutdown(Duration::ZERO, BOUND);
        assert_eq!(leaked.operations, 0);
        assert_eq!(fate.ended.load(Ordering::Relaxed), 1);
    }
    let driver = Driver::new().unwrap();
    let _entered = driver.enter();
    start(&state, None);
    driver.turn().unwrap();
    assert_eq!(fate.ended.load(Ordering::Relaxed), 2);
}

#[test]
fn what_is_submitted_after_the_end_of_the_driver_is_dropped() {
    let driver = Driver::new().unwrap();
    let _entered = driver.enter();
    let _leaked = driver.shutdown(Duration::ZERO, BOUND);
    let (state, fate) = waits(0);
    start(&state, None);
    assert_eq!(fate.operations_dropped.load(Ordering::Relaxed), 1);
    assert_eq!(fate.ended.load(Ordering::Relaxed), 0);
}

#[test]
fn a_visit_within_a_visit_panics_whoever_moves() {
    let driver = Driver::new().unwrap();
    let _entered = driver.enter();
    let (state, _fate) = waits(0);
    for moves in [true, false] {
        let visit = || {
            state.try_with(|_outer| {
                let inner = AssertUnwindSafe(|| state.try_with(|_inner| ()));
                catch_unwind(inner).is_err()
            })
        };
        let refused = if moves { current::moving(visit) } else { visit() };
        assert_eq!(refused, Some(true), "moving: {moves}");
        assert_eq!(state.try_with(|_here| ()), Some(()), "it can be visited again");
    }
}

#[test]
fn what_a_visit_in_passing_has_begun_keeps_its_place_if_the_visit_panics() {
    let driver = Driver::new().unwrap();
    let _entered = driver.enter();
    let (state, fate) = waits(0);
    let begins = AssertUnwindSafe(|| {
        current::moving(|| {
            state.try_with(|here| {
                here.flight = Some(here.submit(Wait::new(here, Some(LONG))));
                panic!("in a visit");
            })
        })
    });
    assert!(catch_unwind(begins).is_err());
    drop(state);
    assert_eq!(fate.states_dropped.load(Ordering::Relaxed), 0, "its operation is in flight");
    let begun = Instant::now();
    while fate.states_dropped.load(Ordering::Relaxed) == 0 && begun.elapsed() < BOUND {
        driver.turn().unwrap();
    }
    assert_eq!(fate.ended.load(Ordering::Relaxed), 1);
    assert_eq!(driver.in_flight(), 0);
}
