//! Calls between shards: their answers, their ends, and that they never lock up.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use henge::mesh::CallError;
use henge::runtime::{Builder, Pinning, Runtime};
use henge::shard::{self, ShardId};
use henge::task::{JoinSet, yield_now};
use henge::time::timeout;

/// So long that only what hangs takes it.
const BOUND: Duration = Duration::from_secs(120);

fn shards(count: usize, places: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    // Not pinned: where other processes have the CPUs, each hop would wait for the one it is on.
    builder.worker_threads(count).pinning(Pinning::None);
    builder.lane_capacity(places).thread_stack_size(256 << 10);
    builder.build().expect("a runtime")
}

/// Says when it is dropped, and on which shard.
struct Witness(Arc<AtomicUsize>, usize);

impl Drop for Witness {
    fn drop(&mut self) {
        assert_eq!(shard::current().index(), self.1, "dropped away from its shard");
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Yields until `done`, and says whether it was within the bound.
async fn settles(mut done: impl FnMut() -> bool) -> bool {
    let all = async {
        while !done() {
            henge::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(BOUND, all).await.is_ok()
}

#[test]
fn a_call_runs_over_there_and_need_not_be_send() {
    let runtime = shards(2, 4);
    let answer = runtime.run(|| async {
        let there = ShardId::new(1);
        let call = there.call(|| async {
            let local = Rc::new(RefCell::new(vec![shard::current().index()]));
            yield_now().await;
            local.borrow_mut().push(7);
            local.take()
        });
        timeout(BOUND, call).await
    });
    assert!(matches!(answer, Ok(Ok(seen)) if seen == [1, 7]));
}

#[test]
fn a_shard_may_call_itself() {
    let answer = shards(1, 1).run(|| async {
        let own = shard::current();
        timeout(BOUND, own.call(move || async move { own.call_sync(|| 3).await })).await
    });
    assert!(matches!(answer, Ok(Ok(Ok(3)))));
}

#[test]
fn a_guest_calls_without_a_lane() {
    let runtime = shards(2, 1);
    let sum = runtime.block_on(async {
        let mut sum = 0;
        for round in 0..100 {
            let there = ShardId::new(round % 2);
            sum += there.call(move || async move { round }).await.unwrap_or(0);
            sum += there.call_sync(move || round).await.unwrap_or(0);
        }
        sum
    });
    assert_eq!(sum, 2 * (0..100).sum::<usize>());
}

#[test]
fn calls_of_one_shard_begin_in_their_order() {
    let in_order = shards(2, 2).run(|| async {
        thread_local! { static SEEN: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) } }
        let there = ShardId::new(1);
        let mut set = JoinSet::new();
        for n in 0..500 {
            set.spawn_local(there.call_sync(move || SEEN.with_borrow_mut(|seen| seen.push(n))));
        }
        while let Some(ended) = set.join_next().await {
            assert!(matches!(ended, Ok(Ok(()))));
        }
        there.call_sync(|| SEEN.with_borrow(|seen| seen.iter().copied().eq(0..500))).await
    });
    assert!(matches!(in_order, Ok(true)));
}

#[test]
fn a_panic_over_there_is_an_error_here() {
    shards(2, 4).run(|| async {
        let there = ShardId::new(1);
        for _ in 0..3 {
            let first = there.call_sync(|| -> u8 { panic!("sync {}", 1) }).await;
            let Err(CallError::Panicked(panic)) = first else { panic!("{first:?}") };
            assert_eq!(panic.message().as_deref(), Some("sync 1"));
            let made = there.call(|| -> std::future::Ready<u8> { panic!("make") }).await;
            assert!(made.is_err_and(|error| error.is_panic()));
            let polled = there.call(|| async {
                yield_now().await;
                panic!("poll")
            });
            let polled: Result<u8, CallError> = polled.await;
            assert!(polled.is_err_and(|error| error.to_string().contains("poll")));
        }
        assert_eq!(there.call_sync(|| 1).await.ok(), Some(1), "the shard lives on");
    });
}

#[test]
fn a_panic_in_a_destructor_over_there_is_no_hang() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("bomb");
        }
    }
    shards(2, 4).run(|| async {
        let there = ShardId::new(1);
        let call = there.call(|| async {
            let _bomb = Bomb;
            yield_now().await;
        });
        let ended = timeout(BOUND, call).await;
        assert!(matches!(ended, Ok(Err(CallError::Panicked(_)))));
        assert_eq!(there.call_sync(|| 1).await.ok(), Some(1), "the shard lives on");
    });
}

#[test]
fn a_dropped_call_is_cancelled_over_there() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&dropped);
    shards(2, 4).run(move || async move {
        let there = ShardId::new(1);
        let begun = Arc::new(AtomicUsize::new(0));
        for n in 1..=50 {
            let (inside, started) = (Arc::clone(&counted), Arc::clone(&begun));
            let call = there.call(move || async move {
                let _witness = Witness(inside, 1);
                started.fetch_add(1, Ordering::SeqCst);
                pending::<()>().await;
            });
            let call = henge::spawn(call);
            assert!(settles(|| begun.load(Ordering::SeqCst) == n).await);
            call.abort();
            assert!(settles(|| counted.load(Ordering::SeqCst) == n).await, "still runs");
        }
    });
    assert_eq!(dropped.load(Ordering::SeqCst), 50);
}

#[test]
fn a_call_dropped_by_a_guest_is_cancelled_too() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let runtime = shards(2, 4);
    runtime.block_on(async {
        for n in 1..=20 {
            let begun = Arc::new(AtomicUsize::new(0));
            let (inside, started) = (Arc::clone(&dropped), Arc::clone(&begun));
            let call = ShardId::new(1).call(move || async move {
                let _witness = Witness(inside, 1);
                started.fetch_add(1, Ordering::SeqCst);
                pending::<()>().await;
            });
            let call = henge::spawn(call);
            assert!(settles(|| begun.load(Ordering::SeqCst) == 1).await);
            call.abort();
            assert!(settles(|| dropped.load(Ordering::SeqCst) == n).await, "still runs");
        }
    });
}

#[test]
fn a_call_dropped_before_it_arrives_never_begins() {
    let runtime = shards(2, 1);
    runtime.run(|| async {
        let there = ShardId::new(1);
        // The target stands still, so that letters cannot arrive.
        let (release, held) = std::sync::mpsc::channel::<()>();
        let stall = henge::spawn(there.call_sync(move || {
            assert!(held.recv_timeout(BOUND).is_ok());
        }));
        yield_now().await;
        let begun = Arc::new(AtomicUsize::new(0));
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let begun = Arc::clone(&begun);
                henge::spawn(there.call(move || async move {
                    begun.fetch_add(1, Ordering::SeqCst);
                }))
            })
            .collect();
        henge::time::sleep(Duration::from_millis(5)).await;
        calls.iter().for_each(|call| call.abort());
        henge::time::sleep(Duration::from_millis(5)).await;
        assert!(release.send(()).is_ok());
        assert!(matches!(timeout(BOUND, stall).await, Ok(Ok(Ok(())))));
        assert_eq!(there.call_sync(|| 1).await.ok(), Some(1), "behind all of them");
        assert_eq!(begun.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_call_never_polled_does_nothing() {
    shards(2, 1).run(|| async {
        let there = ShardId::new(1);
        let begun = Arc::new(AtomicUsize::new(0));
        let inside = Arc::clone(&begun);
        drop(there.call_sync(move || inside.fetch_add(1, Ordering::SeqCst)));
        assert_eq!(there.call_sync(|| 1).await.ok(), Some(1));
        assert_eq!(begun.load(Ordering::SeqCst), 0);
        assert_eq!(Arc::strong_count(&begun), 1);
    });
}

type Answer = Pin<Box<dyn Future<Output = u64>>>;

/// Calls back and forth `depth` deep, by a path that the seed draws, two calls a level.
fn deep(seed: u64, depth: u32) -> Answer {
    Box::pin(async move {
        if depth == 0 {
            return 1;
        }
        let mut seed = seed;
        let mut draw = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let count = shard::count() as u64;
        let (left, right) = (draw(), draw());
        let to = |drawn: u64| ShardId::new((drawn % count) as usize);
        let (left, right) = henge::join!(
            to(left).call(move || deep(left | 1, depth - 1)),
            to(right).call(move || deep(right | 1, depth - 1)),
        );
        left.unwrap_or(0) + right.unwrap_or(0)
    })
}

/// Each shard begins `trees` trees of calls at once.
fn full_mesh(count: usize, places: usize, trees: u64, depth: u32) {
    for seed in 1..=3_u64 {
        let runtime = shards(count, places);
        let sums = runtime.block_on(async move {
            let mut each = JoinSet::new();
            for own in 0..count {
                each.spawn_local(ShardId::new(own).call(move || async move {
                    let mut set = JoinSet::new();
                    for tree in 0..trees {
                        set.spawn_local(deep(
                            seed << 32 | (own as u64) << 16 | tree << 1 | 1,
                            depth,
                        ));
                    }
                    let mut sum = 0;
                    while let Some(leaves) = set.join_next().await {
                        sum += leaves.unwrap_or(0);
                    }
                    sum
                }));
            }
            let mut sum = 0;
            let all = async {
                while let Some(answer) = each.join_next().await {
                    sum += answer.map_or(0, |answer| answer.unwrap_or(0));
                }
            };
            let in_time = timeout(BOUND, all).await;
            (in_time.is_ok(), sum)
        });
        assert_eq!(sums, (true, (count as u64 * trees) << depth), "seed {seed}");
        assert_turned_for_something(&runtime);
    }
}

/// That lanes which are full both ways do not keep their shards turning: they sleep.
fn assert_turned_for_something(runtime: &Runtime) {
    let metrics = runtime.metrics();
    let shards = (0..metrics.num_workers()).map(|index| metrics.shard(index));
    let (turns, polls) =
        shards.fold((0, 0), |(turns, polls), shard| (turns + shard.turns(), polls + shard.polls()));
    // About one of each; a loop that looks for a while before it sleeps turns some more.
    assert!(turns < 20 * polls, "{turns} turns for {polls} polls");
}

#[test]
fn calls_that_call_back_do_not_lock_up_between_2_shards() {
    full_mesh(2, 1, 6, 6);
}

#[test]
fn calls_that_call_back_do_not_lock_up_between_4_shards() {
    full_mesh(4, 1, 4, 5);
}

#[test]
fn calls_that_call_back_do_not_lock_up_between_8_shards() {
    full_mesh(8, 2, 3, 5);
}

#[test]
fn calls_that_call_back_do_not_lock_up_between_64_shards() {
    full_mesh(64, 1, 1, 4);
}

#[test]
fn a_shard_that_stands_still_slows_nobody_who_does_not_wait_for_it() {
    let runtime = shards(3, 2);
    runtime.run(|| async {
        let (still, there) = (ShardId::new(2), ShardId::new(1));
        let (release, held) = std::sync::mpsc::channel::<()>();
        let stall = henge::spawn(still.call_sync(move || held.recv_timeout(BOUND).is_ok()));
        // More than its lane takes, so that some wait at this end.
        let behind: Vec<_> = (0..50).map(|n| henge::spawn(still.call_sync(move || n))).collect();
        yield_now().await;
        let others = async {
            for n in 0..300 {
                assert_eq!(there.call(move || async move { n }).await.ok(), Some(n));
            }
        };
        assert!(timeout(BOUND, others).await.is_ok());
        assert!(behind.iter().all(|call| !call.is_finished()), "it stood still all the time");
        assert!(release.send(()).is_ok());
        assert!(matches!(timeout(BOUND, stall).await, Ok(Ok(Ok(true)))));
        for (n, call) in behind.into_iter().enumerate() {
            assert!(matches!(timeout(BOUND, call).await, Ok(Ok(Ok(m))) if m == n));
        }
    });
}

#[test]
fn a_runtime_that_is_dropped_ends_calls_in_flight() {
    for round in 0..20_u64 {
        let runtime = shards(4, 1);
        let dropped = Arc::new(AtomicUsize::new(0));
        let begun = Arc::new(AtomicUsize::new(0));
        for own in 0..4 {
            let (dropped, begun) = (Arc::clone(&dropped), Arc::clone(&begun));
            drop(runtime.handle().spawn(async move {
                for n in 0..40 {
                    let to = (own + n) % 4;
                    let (dropped, begun) = (Arc::clone(&dropped), Arc::clone(&begun));
                    henge::spawn(ShardId::new(to).call(move || async move {
                        begun.fetch_add(1, Ordering::SeqCst);
                        let _witness = Witness(dropped, to);
                        pending::<()>().await;
                    }));
                    yield_now().await;
                }
            }));
        }
        std::thread::sleep(Duration::from_micros(300 * round));
        drop(runtime);
        assert_eq!(dropped.load(Ordering::SeqCst), begun.load(Ordering::SeqCst));
        assert_eq!(Arc::strong_count(&dropped), 1, "a closure was left somewhere");
    }
}

#[test]
fn a_guests_call_ends_with_the_runtime() {
    let runtime = shards(2, 1);
    let handle = runtime.handle().clone();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let guest = std::thread::spawn(move || {
        handle.block_on(async {
            let call = ShardId::new(1).call(move || {
                assert!(ready.send(()).is_ok());
                pending::<()>()
            });
            timeout(BOUND, call).await
        })
    });
    assert!(is_ready.recv_timeout(BOUND).is_ok());
    drop(runtime);
    assert!(matches!(guest.join(), Ok(Ok(Err(CallError::Closed)))));
}

#[test]
fn a_call_may_move_to_another_shard_after_its_first_poll() {
    shards(3, 1).run(|| async {
        let there = ShardId::new(1);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let stall = henge::spawn(there.call_sync(move || held.recv_timeout(BOUND).is_ok()));
        yield_now().await;
        let mut call = there.call(|| async { 5 });
        let once = std::future::poll_fn(|cx| {
            std::task::Poll::Ready(Pin::new(&mut call).poll(cx).is_pending())
        });
        assert!(once.await);
        let moved = henge::spawn_on(ShardId::new(2), move || timeout(BOUND, call));
        assert!(release.send(()).is_ok());
        assert!(matches!(moved.await, Ok(Ok(Ok(5)))));
        assert!(matches!(stall.await, Ok(Ok(true))));
    });
}

#[test]
fn the_lane_and_its_queue_do_not_grow_with_calls_that_are_given_up() {
    shards(2, 2).run(|| async {
        let there = ShardId::new(1);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let stall = henge::spawn(there.call_sync(move || held.recv_timeout(BOUND).is_ok()));
        yield_now().await;
        let marker = Arc::new(());
        for n in 0..10_000 {
            if n % 50 == 0 {
                // A task has a budget, past which a call is not even sent.
                yield_now().await;
            }
            let kept = Arc::clone(&marker);
            let mut call = there.call(move || async move { drop(kept) });
            let once = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(Pin::new(&mut call).poll(cx).is_pending())
            });
            assert!(once.await);
        }
        let kept = Arc::strong_count(&marker);
        assert!(kept < 200, "{kept} calls that nobody waits for are kept");
        assert!(release.send(()).is_ok());
        assert!(matches!(stall.await, Ok(Ok(true))));
    });
}

#[test]
fn a_lane_says_how_full_it_is() {
    let runtime = shards(2, 4);
    let metrics = runtime.metrics();
    assert_eq!(metrics.shard(1).lane_depth(0), 0, "nothing was ever sent");
    runtime.run(move || async move {
        let depth = || metrics.shard(1).lane_depth(0);
        let there = ShardId::new(1);
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let stall = henge::spawn(there.call_sync(move || {
            assert!(begun.send(()).is_ok());
            held.recv_timeout(BOUND).is_ok()
        }));
        yield_now().await;
        assert!(settles(|| has_begun.try_recv().is_ok()).await);
        assert_eq!(depth(), 0, "it was taken");
        let behind: Vec<_> = (0..3).map(|n| henge::spawn(there.call_sync(move || n))).collect();
        assert!(settles(|| depth() == 3).await);
        let more: Vec<_> = (0..20).map(|n| henge::spawn(there.call_sync(move || n))).collect();
        assert!(settles(|| depth() == 4).await, "what does not fit waits at its source");
        assert_eq!(metrics.shard(0).lane_depth(1), 0, "nothing was answered");
        assert!(release.send(()).is_ok());
        for call in behind.into_iter().chain(more) {
            assert!(matches!(timeout(BOUND, call).await, Ok(Ok(Ok(_)))));
        }
        assert!(matches!(stall.await, Ok(Ok(true))));
        assert_eq!(depth(), 0);
    });
}

#[test]
fn wakes_are_counted_by_who_sends_them() {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).pinning(Pinning::None).spin_before_park(Duration::ZERO);
    let runtime = builder.build().expect("a runtime");
    let metrics = runtime.metrics();
    let (there, own) = (metrics.shard(1), metrics.shard(0));
    runtime.run(move || async move {
        let asleep = || metrics.worker_park_unpark_count(1) % 2 == 1;
        let to_sleepers = async {
            while own.wakes_sent() < 5 {
                assert!(settles(asleep).await);
                assert!(ShardId::new(1).call_sync(|| ()).await.is_ok());
            }
        };
        assert!(timeout(BOUND, to_sleepers).await.is_ok(), "wakes are not counted");
        // While it stands still it is awake: nothing of what is sent wakes it.
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let stall = henge::spawn(ShardId::new(1).call_sync(move || {
            assert!(begun.send(()).is_ok());
            held.recv_timeout(BOUND).is_ok()
        }));
        assert!(settles(|| has_begun.try_recv().is_ok()).await);
        yield_now().await;
        let (sent, saved) = (own.wakes_sent(), own.wakes_saved());
        let calls: Vec<_> =
            (0..5).map(|n| henge::spawn(ShardId::new(1).call_sync(move || n))).collect();
        assert!(settles(|| own.wakes_saved() > saved).await);
        assert_eq!(own.wakes_sent(), sent, "it was awake");
        assert!(release.send(()).is_ok());
        for call in calls {
            assert!(matches!(timeout(BOUND, call).await, Ok(Ok(Ok(_)))));
        }
        assert!(matches!(stall.await, Ok(Ok(true))));
        assert!(there.wakes_sent() > 0, "its answers woke us");
    });
}
