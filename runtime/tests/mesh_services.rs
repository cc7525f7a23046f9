//! What is made of calls: one of something on every shard, calls to all, limits.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use henge::mesh::{CallError, ServiceGroup, Sharded};
use henge::runtime::{Builder, Pinning, Runtime};
use henge::shard::{self, ShardId};
use henge::task::{JoinSet, yield_now};
use henge::time::{sleep, timeout};

/// So long that only what hangs takes it.
const BOUND: Duration = Duration::from_secs(120);

fn shards(count: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    // Not pinned: where other processes have the CPUs, each hop would wait for the one it is on.
    builder.worker_threads(count).pinning(Pinning::None).thread_stack_size(256 << 10);
    builder.build().expect("a runtime")
}

/// Yields until `done`, and says whether it was within the bound.
async fn settles(mut done: impl FnMut() -> bool) -> bool {
    let all = async {
        while !done() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(BOUND, all).await.is_ok()
}

/// A part that counts the parts alive, is not Send, and must end where it was made.
struct Part {
    home: ShardId,
    alive: Arc<AtomicUsize>,
    calls: Rc<Cell<u64>>,
}

impl Part {
    fn new(home: ShardId, alive: &Arc<AtomicUsize>) -> Part {
        assert_eq!(shard::current(), home);
        alive.fetch_add(1, Ordering::SeqCst);
        Part { home, alive: Arc::clone(alive), calls: Rc::default() }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        assert_eq!(shard::try_current(), Some(self.home), "dropped away from its shard");
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn start(alive: &Arc<AtomicUsize>) -> Result<Sharded<Part>, CallError> {
    let alive = Arc::clone(alive);
    Sharded::start(move |shard| {
        let alive = Arc::clone(&alive);
        async move {
            yield_now().await;
            Part::new(shard, &alive)
        }
    })
    .await
}

#[test]
fn a_service_has_a_part_on_every_shard_until_it_is_stopped() {
    let alive = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&alive);
    shards(4).run(move || async move {
        let service = start(&counted).await.expect("it starts");
        assert_eq!(counted.load(Ordering::SeqCst), 4);
        assert_eq!(service.local().home, shard::current());
        for _ in 0..10 {
            for index in 0..4 {
                let at = ShardId::new(index);
                let home = service.invoke_on(at, async |part: &Part| {
                    part.calls.set(part.calls.get() + 1);
                    yield_now().await;
                    part.home
                });
                assert_eq!(home.await.ok(), Some(at));
            }
        }
        let calls = service.invoke_on_all(async |part: &Part| part.calls.get()).await;
        assert!(matches!(calls, Ok(calls) if calls == [10; 4]));
        let other = service.clone();
        service.stop().await;
        assert_eq!(counted.load(Ordering::SeqCst), 0);
        assert!(other.try_local().is_none());
        let late = other.invoke_on(ShardId::new(1), async |part: &Part| part.home);
        assert!(matches!(late.await, Err(CallError::Closed)));
    });
}

#[test]
fn a_part_in_use_outlives_the_stop_and_no_more() {
    let alive = Arc::new(AtomicUsize::new(0));
    shards(2).run(move || async move {
        let service = start(&alive).await.expect("it starts");
        let (go, wait) = henge::sync::oneshot::channel::<()>();
        let user = service.clone();
        let using = henge::spawn(async move {
            let call = async move |part: &Part| {
                assert!(wait.await.is_ok());
                part.home
            };
            user.invoke_on(ShardId::new(1), call).await
        });
        yield_now().await;
        // Behind it in the same lane.
        assert!(ShardId::new(1).call_sync(|| ()).await.is_ok());
        assert!(ShardId::new(1).call(yield_now).await.is_ok());
        service.stop().await;
        assert_eq!(alive.load(Ordering::SeqCst), 1);
        assert!(go.send(()).is_ok());
        assert!(matches!(using.await, Ok(Ok(home)) if home == ShardId::new(1)));
        assert!(settles(|| alive.load(Ordering::SeqCst) == 0).await);
    });
}

#[test]
fn the_last_handle_stops_it_wherever_it_is_dropped() {
    let alive = Arc::new(AtomicUsize::new(0));
    let runtime = shards(3);
    let counted = Arc::clone(&alive);
    let service = runtime.run(move || async move { start(&counted).await.expect("it starts") });
    assert_eq!(alive.load(Ordering::SeqCst), 3);
    drop(service);
    let gone = runtime.block_on(settles(|| alive.load(Ordering::SeqCst) == 0));
    assert!(gone);
}

#[test]
fn services_do_not_take_each_others_places() {
    let alive = Arc::new(AtomicUsize::new(0));
    shards(3).run(move || async move {
        for round in 0..200 {
            let service = start(&alive).await.expect("it starts");
            let numbers = Sharded::start(|shard| async move { shard.index() }).await;
            let numbers = numbers.expect("it starts");
            assert_eq!(numbers.local(), Rc::new(0));
            let homes = service.invoke_on_all(async |part: &Part| part.home.index()).await;
            assert!(matches!(homes, Ok(homes) if homes == [0, 1, 2]));
            // Stopped, or forgotten: the next ones take their numbers.
            if round % 2 == 0 {
                service.stop().await;
            }
            let others = numbers.invoke_on_all(async |number: &usize| *number).await;
            assert!(matches!(others, Ok(others) if others == [0, 1, 2]));
        }
        assert!(settles(|| alive.load(Ordering::SeqCst) == 0).await);
    });
}

#[test]
fn a_start_that_fails_leaves_nothing() {
    let alive = Arc::new(AtomicUsize::new(0));
    shards(4).run(move || async move {
        let made = Arc::clone(&alive);
        let service = Sharded::start(move |shard| {
            let made = Arc::clone(&made);
            async move {
                assert!(shard.index() != 2, "not on shard 2");
                Part::new(shard, &made)
            }
        });
        let failed = service.await;
        assert!(failed.is_err_and(|error| error.to_string().contains("not on shard 2")));
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_start_that_is_given_up_leaves_nothing() {
    let alive = Arc::new(AtomicUsize::new(0));
    shards(4).run(move || async move {
        for _ in 0..20 {
            let made = Arc::clone(&alive);
            let service = Sharded::start(move |shard| {
                let made = Arc::clone(&made);
                async move {
                    let part = Part::new(shard, &made);
                    if shard.index() == 3 {
                        pending::<()>().await;
                    }
                    part
                }
            });
            assert!(timeout(Duration::from_millis(2), service).await.is_err());
            assert!(settles(|| alive.load(Ordering::SeqCst) == 0).await);
        }
    });
}

#[test]
fn a_panic_in_a_part_is_the_callers_error() {
    let alive = Arc::new(AtomicUsize::new(0));
    shards(3).run(move || async move {
        let service = start(&alive).await.expect("it starts");
        let panicked = service.invoke_on_all(async |part: &Part| {
            assert!(part.home.index() != 1, "not here");
        });
        assert!(panicked.await.is_err_and(|error| error.is_panic()));
        let homes = service.invoke_on_all(async |part: &Part| part.home.index()).await;
        assert!(matches!(homes, Ok(homes) if homes == [0, 1, 2]));
        service.stop().await;
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_runtime_that_is_dropped_drops_the_parts_on_their_shards() {
    let alive = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        let runtime = shards(4);
        let counted = Arc::clone(&alive);
        let service = runtime.run(move || async move { start(&counted).await });
        assert!(service.is_ok());
        drop(runtime);
        assert_eq!(alive.load(Ordering::SeqCst), 0);
        drop(service);
    }
}

#[test]
fn all_shards_answer_a_broadcast() {
    let runtime = shards(64);
    let answers = async || {
        let answers = shard::broadcast(|| async {
            yield_now().await;
            let own = shard::current().index();
            assert!(own != 17, "not this one");
            own
        });
        let answers = timeout(BOUND, answers).await.expect("in time");
        assert_eq!(answers.len(), 64);
        for (index, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(own) => assert_eq!(own, index),
                Err(error) => assert!(index == 17 && error.is_panic()),
            }
        }
    };
    runtime.run(move || async move { answers().await });
    runtime.block_on(answers());
}

#[test]
fn a_map_is_reduced_in_the_order_of_the_shards() {
    shards(5).run(|| async {
        let all = shard::map_reduce(
            || async { shard::current().index() },
            Vec::new(),
            |mut all, own| {
                all.push(own);
                all
            },
        );
        assert_eq!(all.await.ok(), Some(vec![0, 1, 2, 3, 4]));
        let failed = shard::map_reduce(
            || async { assert!(shard::current().index() < 3, "too far") },
            0,
            |count, ()| count + 1,
        );
        assert!(failed.await.is_err_and(|error| error.is_panic()));
    });
}

#[test]
fn a_group_limits_what_runs_at_a_time() {
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    shards(3).run(|| async {
        let group = ServiceGroup::new(3);
        let mut each = JoinSet::new();
        for from in 0..3 {
            let group = group.clone();
            each.spawn_local(henge::spawn_on(ShardId::new(from), move || async move {
                let mut calls = JoinSet::new();
                for _ in 0..40 {
                    let group = group.clone();
                    calls.spawn_local(async move {
                        let call = group.call(ShardId::new(1), || async {
                            let now = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
                            MOST.fetch_max(now, Ordering::SeqCst);
                            yield_now().await;
                            RUNNING.fetch_sub(1, Ordering::SeqCst);
                        });
                        call.await
                    });
                }
                while let Some(ended) = calls.join_next().await {
                    assert!(matches!(ended, Ok(Ok(()))));
                }
            }));
        }
        let all = async {
            while let Some(ended) = each.join_next().await {
                assert!(matches!(ended, Ok(Ok(()))));
            }
        };
        assert!(timeout(BOUND, all).await.is_ok());
        assert_eq!(MOST.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn a_call_of_a_group_that_is_given_up_makes_room() {
    shards(2).run(|| async {
        let group = ServiceGroup::new(1);
        for _ in 0..20 {
            let stuck = group.call(ShardId::new(1), pending::<()>);
            assert!(timeout(Duration::from_millis(1), stuck).await.is_err());
            let next = timeout(BOUND, group.call(ShardId::new(1), || async { 7 })).await;
            assert!(matches!(next, Ok(Ok(7))));
        }
    });
}
