//! The rule against peers of several kinds, each simulated by how long it lets a shard wait.

use super::*;

const LIMIT: Duration = Duration::from_micros(50);

/// What was spent on looking.
#[derive(Default)]
struct Spent {
    looked: Duration,
    sleeps: u32,
}

/// Replays one request that comes after `apart` and is answered in no time.
fn request(spin: &mut Spin, apart: Duration, spent: &mut Spent) {
    match spin.before_sleep() {
        None => {
            // The answer goes out with the sleep, which its completion ends.
            spin.slept(Duration::from_micros(2), false, true);
            spin.slept(apart - Duration::from_micros(2), false, false);
            spent.sleeps += 1;
        }
        Some(look) if apart <= look => {
            spent.looked += apart;
            spin.found(apart);
        }
        Some(look) => {
            spent.looked += look;
            spent.sleeps += 1;
            spin.slept(apart, true, false);
        }
    }
}

/// Replays requests that come every `apart`, and returns the share of the time that went into
/// looking.
fn share_spent_looking(spin: &mut Spin, apart: Duration, requests: u32) -> f64 {
    let mut spent = Spent::default();
    (0..requests).for_each(|_| request(spin, apart, &mut spent));
    spent.looked.as_secs_f64() / (apart * requests).as_secs_f64()
}

#[test]
fn looks_all_the_time_where_requests_are_near() {
    let mut spin = Spin::new(LIMIT);
    share_spent_looking(&mut spin, Duration::from_micros(30), 50);
    assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(20), 1000), 1.0);
}

#[test]
fn never_looks_where_requests_are_far() {
    for apart in [700, 5000].map(Duration::from_micros) {
        assert_eq!(share_spent_looking(&mut Spin::new(LIMIT), apart, 10_000), 0.0);
    }
}

#[test]
fn where_requests_are_too_far_trials_cost_next_to_nothing() {
    let (mut spin, apart) = (Spin::new(LIMIT), Duration::from_micros(200));
    let at_first = share_spent_looking(&mut spin, apart, 1000);
    assert!(at_first < 0.005, "{at_first} of the time");
    share_spent_looking(&mut spin, apart, 10_000);
    let later = share_spent_looking(&mut spin, apart, 100_000);
    assert!(0.0 < later && later < 0.0002, "{later} of the time");
}

/// Answers soon who is awake and late who sleeps, and every `out`th time very late.
fn slow_wakes(spin: &mut Spin, requests: u32, out: u32, spent: &mut Spent) {
    for n in 1..=requests {
        let looks = spin.before_sleep() == Some(LIMIT);
        let apart = if n.is_multiple_of(out) {
            300
        } else if looks {
            30
        } else {
            120
        };
        request(spin, Duration::from_micros(apart), spent);
    }
}

#[test]
fn finds_out_that_only_wakes_are_slow() {
    let mut spin = Spin::new(LIMIT);
    slow_wakes(&mut spin, 100, u32::MAX, &mut Spent::default());
    let mut spent = Spent::default();
    slow_wakes(&mut spin, 10_000, u32::MAX, &mut spent);
    assert_eq!((spent.looked, spent.sleeps), (Duration::from_micros(30) * 10_000, 0));
}

#[test]
fn goes_on_looking_where_some_requests_are_late() {
    for out in [12, 16, 33] {
        let (mut spin, mut spent) = (Spin::new(LIMIT), Spent::default());
        slow_wakes(&mut spin, 10_000, out, &mut spent);
        let late = 10_000 / out;
        assert!(spent.sleeps < late + 100, "{} sleeps, {late} were late", spent.sleeps);
    }
}

/// A peer that waits for this very CPU: it answers `after` we sleep, and never while we look.
fn waits_for_our_cpu(spin: &mut Spin, after: Duration, requests: u32, spent: &mut Spent) {
    for _ in 0..requests {
        let look = spin.before_sleep();
        spent.looked += look.unwrap_or_default();
        spent.sleeps += 1;
        spin.slept(look.unwrap_or_default() + after, look.is_some(), false);
    }
}

#[test]
fn a_peer_that_waits_for_our_cpu_is_hardly_looked_for() {
    for after in [1, 4, 12, 40].map(Duration::from_micros) {
        let (mut spin, mut spent) = (Spin::new(LIMIT), Spent::default());
        waits_for_our_cpu(&mut spin, after, 1_000, &mut spent);
        let each = spent.looked / 1_000;
        assert!(each < Duration::from_micros(4), "{each:?} looked for each that takes {after:?}");
        let mut spent = Spent::default();
        waits_for_our_cpu(&mut spin, after, 100_000, &mut spent);
        let each = spent.looked / 100_000;
        assert!(each < Duration::from_nanos(250), "{each:?} looked for each that takes {after:?}");
    }
}

#[test]
fn a_peer_that_has_a_cpu_again_is_looked_for() {
    let mut spin = Spin::new(LIMIT);
    waits_for_our_cpu(&mut spin, Duration::from_micros(4), 20_000, &mut Spent::default());
    let near = Duration::from_micros(20);
    share_spent_looking(&mut spin, near, 5_000);
    assert_eq!(share_spent_looking(&mut spin, near, 1_000), 1.0);
}

#[test]
fn finds_its_way_back_after_a_pause() {
    let mut spin = Spin::new(LIMIT);
    for _ in 0..10 {
        // Long enough for trials to have become rare.
        share_spent_looking(&mut spin, Duration::from_micros(200), 20_000);
        slow_wakes(&mut spin, 5_000, u32::MAX, &mut Spent::default());
        let mut spent = Spent::default();
        slow_wakes(&mut spin, 1_000, u32::MAX, &mut spent);
        assert_eq!(spent.sleeps, 0);
    }
}

#[test]
fn who_answers_only_until_believed_is_believed_less_and_less() {
    let (mut spin, mut spent, mut in_vain) = (Spin::new(LIMIT), Spent::default(), 0);
    let mut found = 0;
    for _ in 0..100_000 {
        if spin.before_sleep() != Some(LIMIT) {
            found = 0;
        }
        let apart = if found < 8 && spin.before_sleep().is_some() { 30 } else { 120 };
        if spin.before_sleep().is_some() {
            found += 1;
            in_vain += u32::from(apart == 120);
        }
        request(&mut spin, Duration::from_micros(apart), &mut spent);
    }
    assert!(in_vain < 2_000, "{in_vain} looks in vain");
}

#[test]
fn backs_off_where_requests_come_just_too_late() {
    for apart in [60, 70, 80, 90, 99].map(Duration::from_micros) {
        let share = share_spent_looking(&mut Spin::new(LIMIT), apart, 10_000);
        assert!(share < 0.2, "{share} of the time at {apart:?}");
    }
}

#[test]
fn finds_its_way_in_both_directions() {
    let mut spin = Spin::new(LIMIT);
    let (near, far) = (Duration::from_micros(20), Duration::from_millis(5));
    for _ in 0..3 {
        share_spent_looking(&mut spin, near, 100);
        assert_eq!(share_spent_looking(&mut spin, near, 50), 1.0);
        share_spent_looking(&mut spin, far, 50);
        assert_eq!(share_spent_looking(&mut spin, far, 50), 0.0);
    }
}

#[test]
fn within_a_burst_it_looks_and_after_it_hardly() {
    let mut spin = Spin::new(LIMIT);
    let mut spent = Spent::default();
    for burst in 0..100 {
        if burst == 50 {
            spent = Spent::default();
        }
        (0..49).for_each(|_| request(&mut spin, Duration::from_micros(3), &mut spent));
        request(&mut spin, Duration::from_micros(200), &mut spent);
    }
    assert!(spent.sleeps <= 55, "{} sleeps in fifty bursts", spent.sleeps);
    let in_bursts = Duration::from_micros(3) * 49 * 50;
    let in_vain = spent.looked.saturating_sub(in_bursts) / 50;
    assert!(in_vain < Duration::from_micros(15), "{in_vain:?} after each burst");
}

#[test]
fn a_crowd_is_not_looked_for() {
    let mut spin = Spin::new(LIMIT);
    for _ in 0..100 {
        spin.ran(10);
        share_spent_looking(&mut spin, Duration::from_micros(20), 1);
    }
    assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(20), 10), 0.0);
    for _ in 0..100 {
        spin.ran(10);
        share_spent_looking(&mut spin, Duration::from_micros(3), 1);
    }
    assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(3), 10), 0.0);
    for _ in 0..200 {
        spin.ran(1);
        share_spent_looking(&mut spin, Duration::from_micros(20), 1);
    }
    assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(20), 10), 1.0);
}

#[test]
fn bursts_of_a_crowd_are_not_tried_either() {
    let mut spin = Spin::new(LIMIT);
    for _ in 0..1_000 {
        // Fifty requests in turns of some, then the client collects its answers.
        for tasks in [1, 6, 20, 23] {
            spin.ran(tasks);
            share_spent_looking(&mut spin, Duration::from_micros(15), 1);
        }
        assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(120), 1), 0.0);
    }
}

#[test]
fn what_comes_any_moment_is_looked_for_even_where_a_sleep_costs_nothing() {
    let mut spin = Spin::new(LIMIT);
    for _ in 0..200 {
        spin.ran(20);
        spin.slept(Duration::from_millis(1), false, false);
    }
    assert_eq!(spin.before_sleep(), None);
    assert_eq!(spin.glance(), Some(LIMIT / 16));
}

#[test]
fn zero_never_looks() {
    let mut spin = Spin::new(Duration::ZERO);
    assert_eq!(spin.glance(), None);
    assert_eq!(share_spent_looking(&mut spin, Duration::from_micros(3), 100), 0.0);
}

#[test]
fn a_limit_without_end_does_not_overflow() {
    let mut spin = Spin::new(Duration::MAX);
    for _ in 0..100 {
        spin.slept(Duration::from_secs(1), false, false);
        spin.slept(Duration::MAX, false, false);
    }
    spin.found(Duration::from_secs(1));
    assert!(spin.before_sleep().is_some());
}

/// A machine, and a peer that answers a shard that is awake after `awake`, and one that sleeps
/// after `asleep`, which takes `busy` of the CPU.
#[derive(Clone, Copy)]
struct Host {
    awake: u64,
    fetch: u64,
    asleep: u64,
    busy: u64,
}

/// Of 20,000 answers, how many were slept for, after as many to get used to it.
fn slept_of_20_000(spin: &mut Spin, host: Host) -> u32 {
    let micros = |n: u64| Duration::from_nanos(n * 100);
    let mut slept = 0;
    for n in 0..40_000 {
        if n == 20_000 {
            slept = 0;
        }
        let look = spin.before_sleep();
        if look.is_some_and(|look| micros(host.awake) <= look) {
            spin.found(micros(host.awake));
            spin.fetched(micros(host.awake + host.fetch));
            continue;
        }
        let measured = spin.measures();
        spin.slept(micros(host.asleep), look.is_some(), false);
        if measured {
            // Now and then something else gets in between.
            let more = if n % 7 == 0 { 150 } else { 0 };
            spin.measured(micros(host.busy + more), micros(host.asleep + more));
        }
        slept += 1;
    }
    slept
}

/// In tenths of microseconds: what was measured on two machines.
const CHEAP: Host = Host { awake: 108, fetch: 35, asleep: 175, busy: 95 };
const DEAR: Host = Host { awake: 270, fetch: 40, asleep: 1_200, busy: 280 };

#[test]
fn sleeps_where_that_costs_the_cpu_less_and_delays_little() {
    let mut spin = Spin::new(LIMIT);
    let slept = slept_of_20_000(&mut spin, CHEAP);
    assert!(slept > 19_000, "{slept}");
}

#[test]
fn looks_where_a_sleep_is_dear_and_sleeps_once_in_a_while_to_know_it() {
    let mut spin = Spin::new(LIMIT);
    let slept = slept_of_20_000(&mut spin, DEAR);
    assert!((15..100).contains(&slept), "{slept}");
}

#[test]
fn finds_its_way_from_one_machine_to_another() {
    let mut spin = Spin::new(LIMIT);
    for _ in 0..3 {
        assert!(slept_of_20_000(&mut spin, DEAR) < 100);
        assert!(slept_of_20_000(&mut spin, CHEAP) > 19_000);
    }
}

#[test]
fn what_did_not_sleep_says_nothing_about_sleeps() {
    let mut price = Price::new(40_000);
    let (busy, sleep) = (Duration::from_nanos(9_500), Duration::from_nanos(17_500));
    price.found(10_800, 3_500);
    (0..4).for_each(|_| price.measure(busy, sleep));
    let worth = price.of_sleep();
    (0..100).for_each(|_| price.measure(busy / 4, busy / 4 + Duration::from_nanos(999)));
    assert_eq!((price.of_sleep(), worth), (worth, 6_000 + 3_200 / 4));
}
