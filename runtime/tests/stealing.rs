//! Stealable tasks: where they run, how they end, and what they leave alone.

use std::collections::HashSet;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use henge::runtime::{Builder, Handle, Runtime};
use henge::steal::{self, Policy};
use henge::task::{self, JoinHandle};
use henge::time::{sleep, timeout};

/// Only a hang exceeds it.
const PATIENCE: Duration = Duration::from_secs(60);

fn runtime(shards: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(shards)
        .stealing(true)
        .build()
        .expect("a runtime with stealing")
}

fn here() -> ThreadId {
    thread::current().id()
}

/// Runs on the runtime and fails if it hangs.
fn run<M, F>(runtime: &Runtime, make: M) -> F::Output
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    runtime.run(|| async { timeout(PATIENCE, make()).await.expect("it hangs") })
}

#[test]
fn results_panics_and_aborts_come_out_of_the_handle() {
    let runtime = runtime(2);
    run(&runtime, || async {
        assert_eq!(steal::spawn(async { 6 * 7 }).await.ok(), Some(42));
        let error = steal::spawn(async { panic!("boom") }).await.unwrap_err();
        assert_eq!(*error.into_panic().downcast_ref::<&str>().unwrap(), "boom");
        let never = steal::spawn(pending::<()>());
        never.abort();
        assert!(never.await.unwrap_err().is_cancelled());
        let task = steal::spawn(async { task::id() });
        let id = task.id();
        assert_eq!(task.await.ok(), Some(id));
    });
}

/// The spawning shard is kept busy: others must do all the work.
#[test]
fn idle_shards_take_what_a_busy_one_has() {
    const TASKS: usize = 1_000;
    let runtime = runtime(3);
    let threads = run(&runtime, || async {
        let done = Arc::new(AtomicUsize::new(0));
        let threads = Arc::new(Mutex::new(HashSet::new()));
        for _ in 0..TASKS {
            let (done, threads) = (done.clone(), threads.clone());
            steal::spawn(async move {
                threads.lock().unwrap().insert(here());
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        // No await: this shard polls nothing meanwhile.
        while done.load(Ordering::SeqCst) < TASKS {
            std::hint::spin_loop();
        }
        let threads = threads.lock().unwrap().clone();
        assert!(!threads.contains(&here()));
        threads
    });
    assert!((1..=2).contains(&threads.len()));
    let metrics = runtime.metrics();
    let stolen: u64 = (0..3).map(|shard| metrics.worker_steal_count(shard)).sum();
    assert!(stolen > 0, "some were taken from the ring, not only from the common queue");
}

#[test]
fn a_task_moves_between_two_of_its_polls() {
    let runtime = runtime(2);
    run(&runtime, || async {
        let (send, receive) = mpsc::channel();
        let (wakers, hold) = (Arc::new(Mutex::new(None::<Waker>)), Arc::new(AtomicBool::new(true)));
        let (kept, mut polls) = (wakers.clone(), 0);
        let moving = steal::spawn(poll_fn(move |cx| {
            polls += 1;
            send.send(here()).unwrap();
            if polls == 2 {
                return Poll::Ready(());
            }
            *kept.lock().unwrap() = Some(cx.waker().clone());
            Poll::Pending
        }));
        let first = loop {
            match receive.try_recv() {
                Ok(thread) => break thread,
                Err(_) => task::yield_now().await,
            }
        };
        // The shard where it ran stands still, and wakes it there.
        let waker = loop {
            if let Some(waker) = wakers.lock().unwrap().take() {
                break waker;
            }
            task::yield_now().await;
        };
        if first == here() {
            waker.wake();
            // It is in this shard's ring, and this shard does not look.
            let second = receive.recv_timeout(PATIENCE).expect("somebody takes it");
            assert_ne!(first, second);
        } else {
            // Both are idle enough: all that can be said is that it ends.
            waker.wake();
        }
        hold.store(false, Ordering::Relaxed);
        moving.await.unwrap();
    });
}

#[test]
fn pinned_tasks_stay_where_they_are() {
    let runtime = runtime(4);
    run(&runtime, || async {
        let home = here();
        let busy: Vec<_> = (0..400)
            .map(|_| {
                steal::spawn(async {
                    for _ in 0..10 {
                        task::yield_now().await;
                    }
                })
            })
            .collect();
        let pinned: Vec<_> = (0..400)
            .map(|_| {
                let not_send = Rc::new(());
                henge::spawn(async move {
                    for _ in 0..10 {
                        task::yield_now().await;
                        assert_eq!(here(), home);
                    }
                    drop(not_send);
                })
            })
            .collect();
        for task in busy.into_iter().chain(pinned) {
            task.await.unwrap();
        }
    });
}

/// Endless work of one kind: the other still has its turns.
#[test]
fn neither_kind_starves_the_other() {
    let runtime = runtime(1);
    run(&runtime, || async {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        let moving = steal::spawn(async move {
            while !seen.load(Ordering::Relaxed) {
                task::yield_now().await;
            }
        });
        let selfish = stop.clone();
        let waking = steal::spawn(poll_fn(move |cx| {
            if selfish.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        for _ in 0..100 {
            henge::spawn(task::yield_now()).await.unwrap();
        }
        let seen = stop.clone();
        let pinned = henge::spawn(poll_fn(move |cx| {
            if seen.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        for _ in 0..100 {
            steal::spawn(task::yield_now()).await.unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        for task in [moving, waking, pinned] {
            task.await.unwrap();
        }
    });
}

/// One that has spent its budget gives way as one that yields, of whichever kind that is: they take
/// turns.
#[test]
fn a_task_without_budget_and_one_that_yields_take_turns() {
    const YIELDS: usize = 100;
    async fn yields() {
        for _ in 0..YIELDS {
            task::yield_now().await;
        }
    }
    let runtime = runtime(1);
    for pinned in [true, false] {
        let polls = run(&runtime, move || async move {
            let (polls, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
            let (counted, stopped) = (polls.clone(), stop.clone());
            let mut spender = Box::pin(async move {
                while !stopped.load(Ordering::Relaxed) {
                    task::coop::consume_budget().await;
                }
            });
            let spends = steal::spawn(poll_fn(move |cx| {
                counted.fetch_add(1, Ordering::Relaxed);
                spender.as_mut().poll(cx)
            }));
            let yields = if pinned { henge::spawn(yields()) } else { steal::spawn(yields()) };
            yields.await.unwrap();
            stop.store(true, Ordering::Relaxed);
            spends.await.unwrap();
            polls.load(Ordering::Relaxed)
        });
        assert!((YIELDS - 5..=2 * YIELDS).contains(&polls), "{polls} polls beside {YIELDS} yields");
    }
}

/// Two stealable tasks that wake each other from the LIFO slot do not keep a third out.
#[test]
fn the_lifo_slot_is_not_for_ever() {
    let runtime = runtime(1);
    run(&runtime, || async {
        let slots = Arc::new([Mutex::new(None::<Waker>), Mutex::new(None::<Waker>)]);
        let stop = Arc::new(AtomicBool::new(false));
        let pair = [0, 1].map(|me| {
            let (slots, stop) = (slots.clone(), stop.clone());
            steal::spawn(poll_fn(move |cx| {
                if stop.load(Ordering::Relaxed) {
                    return Poll::Ready(());
                }
                *slots[me].lock().unwrap() = Some(cx.waker().clone());
                if let Some(other) = slots[1 - me].lock().unwrap().take() {
                    other.wake();
                }
                Poll::Pending
            }))
        });
        for _ in 0..100 {
            steal::spawn(async {}).await.unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        for slot in slots.iter() {
            if let Some(waker) = slot.lock().unwrap().take() {
                waker.wake();
            }
        }
        for task in pair {
            task.await.unwrap();
        }
    });
}

#[test]
fn it_can_be_spawned_and_awaited_from_anywhere() {
    let runtime = runtime(2);
    let handle = runtime.handle().clone();
    let outside = thread::spawn(move || {
        let _entered = handle.enter();
        let tasks: Vec<_> = (0..600_u32).map(|n| steal::spawn(async move { n })).collect();
        handle.block_on(async {
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            // A guest's own.
            sum + steal::spawn(async { 1 }).await.unwrap()
        })
    });
    assert_eq!(outside.join().unwrap(), (0..600).sum::<u32>() + 1);
}

#[test]
fn a_foreign_wake_finds_a_sleeping_runtime() {
    let runtime = runtime(2);
    for _ in 0..200 {
        let (send, receive) = henge::sync::oneshot::channel();
        let _entered = runtime.enter();
        let task = steal::spawn(async move { receive.await.ok() });
        if fastrand(2) == 0 {
            thread::sleep(Duration::from_micros(200));
        }
        send.send(7).expect("the task waits");
        let answer = runtime.block_on(async { timeout(PATIENCE, task).await });
        assert_eq!(answer.expect("it hangs").ok(), Some(Some(7)));
    }
}

fn fastrand(n: usize) -> usize {
    static SEED: AtomicUsize = AtomicUsize::new(1);
    let seed = SEED.fetch_add(0x9e37_79b9, Ordering::Relaxed);
    (seed ^ seed >> 7) % n
}

#[test]
fn timers_and_time_outs_work_wherever_it_is() {
    let runtime = runtime(3);
    run(&runtime, || async {
        let tasks: Vec<_> = (0..200_u64)
            .map(|n| {
                steal::spawn(async move {
                    for _ in 0..5 {
                        sleep(Duration::from_millis(n % 7)).await;
                        let late = timeout(Duration::from_millis(1), pending::<()>());
                        assert!(late.await.is_err());
                        task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn without_stealing_it_is_placed_once() {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    run(&runtime, || async {
        for _ in 0..20 {
            let task = steal::spawn(async {
                let home = here();
                for _ in 0..5 {
                    task::yield_now().await;
                    assert_eq!(here(), home);
                }
            });
            task.await.unwrap();
            assert_eq!(steal::place(|| async { *Rc::new(7) }).await.ok(), Some(7));
        }
    });
    let current = Builder::new_current_thread().stealing(true).build().unwrap();
    let sum = current.block_on(async {
        steal::spawn(async { 1 }).await.unwrap() + steal::place(|| async { 2 }).await.unwrap()
    });
    assert_eq!(sum, 3);
}

#[test]
fn what_is_placed_begins_where_there_is_room_and_stays_there() {
    let runtime = runtime(2);
    run(&runtime, || async {
        let (send, receive) = mpsc::channel();
        let placed = steal::place(move || async move {
            let home = here();
            send.send(home).unwrap();
            let not_send = Rc::new(home);
            for _ in 0..20 {
                task::yield_now().await;
                assert_eq!(here(), *not_send);
            }
            *not_send
        });
        // This shard does not look.
        let began = receive.recv_timeout(PATIENCE).expect("the other one takes it");
        assert_ne!(began, here());
        assert_eq!(placed.await.ok(), Some(began));

        let error = steal::place(|| async { panic!("boom") }).await.unwrap_err();
        assert!(error.is_panic());

        let (alive, dropped) = (Arc::new(()), Arc::new(AtomicBool::new(false)));
        let (inside, flag) = (alive.clone(), dropped.clone());
        let never = steal::place(move || async move {
            let _inside = inside;
            flag.store(true, Ordering::SeqCst);
            pending::<()>().await;
        });
        while !dropped.load(Ordering::SeqCst) {
            task::yield_now().await;
        }
        never.abort();
        assert!(never.await.unwrap_err().is_cancelled());
        while Arc::strong_count(&alive) > 1 {
            task::yield_now().await;
        }
    });
}

/// Notes on which thread it is dropped.
struct OnDrop(mpsc::Sender<ThreadId>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _nobody_listens = self.0.send(here());
    }
}

#[test]
fn shutting_down_drops_every_task_on_a_shard() {
    for round in 0..20 {
        let shards = Arc::new(Mutex::new(HashSet::new()));
        let noted = shards.clone();
        let runtime = Builder::new_multi_thread()
            .worker_threads(3)
            .stealing(true)
            .on_thread_start(move || {
                noted.lock().unwrap().insert(here());
            })
            .build()
            .unwrap();
        let (send, receive) = mpsc::channel();
        let (waker_send, wakers) = mpsc::channel();
        let handles: Vec<JoinHandle<()>> = {
            let _entered = runtime.enter();
            (0..600)
                .map(|n| {
                    let (on_drop, wakers) = (OnDrop(send.clone()), waker_send.clone());
                    steal::spawn(async move {
                        let _on_drop = on_drop;
                        if n % 3 == 0 {
                            loop {
                                task::yield_now().await;
                            }
                        }
                        poll_fn(|cx| {
                            let _gone = wakers.send(cx.waker().clone());
                            Poll::<()>::Pending
                        })
                        .await;
                    })
                })
                .collect()
        };
        drop((send, waker_send));
        // Wakes go on while it ends, and after.
        let waking = thread::spawn(move || {
            let mut kept = Vec::new();
            while let Ok(waker) = wakers.recv() {
                waker.wake_by_ref();
                kept.push(waker);
            }
            for waker in kept {
                waker.wake();
            }
        });
        if round % 2 == 0 {
            thread::sleep(Duration::from_millis(round));
        }
        drop(runtime);
        let threads: Vec<ThreadId> = receive.into_iter().collect();
        assert_eq!(threads.len(), 600, "every future was dropped, once");
        let shards = shards.lock().unwrap();
        assert!(threads.iter().all(|thread| shards.contains(thread)), "and on a shard");
        waking.join().unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        for handle in handles {
            assert!(runtime.block_on(handle).unwrap_err().is_cancelled());
        }
    }
}

#[test]
fn what_is_spawned_after_the_end_is_cancelled() {
    let runtime = runtime(2);
    let handle = runtime.handle().clone();
    drop(runtime);
    let _entered = handle.enter();
    let alive = Arc::new(());
    let inside = alive.clone();
    let task = steal::spawn(async move { drop(inside) });
    assert_eq!(Arc::strong_count(&alive), 1);
    assert!(task.is_finished());
}

#[test]
fn a_task_that_spawns_in_its_destructor_does_not_outlive_the_runtime() {
    struct SpawnOnDrop(u32, Arc<()>);
    impl Drop for SpawnOnDrop {
        fn drop(&mut self) {
            if self.0 > 0 && Handle::try_current().is_ok() {
                let next = SpawnOnDrop(self.0 - 1, self.1.clone());
                steal::spawn(async move {
                    let _next = next;
                    pending::<()>().await;
                });
            }
        }
    }
    let alive = Arc::new(());
    let runtime = runtime(2);
    {
        let _entered = runtime.enter();
        for _ in 0..50 {
            let on_drop = SpawnOnDrop(3, alive.clone());
            steal::spawn(async move {
                let _on_drop = on_drop;
                pending::<()>().await;
            });
        }
    }
    drop(runtime);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn what_is_queued_is_given_away_before_a_task_blocks_in_place() {
    let runtime = runtime(2);
    run(&runtime, || async {
        let (send, receive) = mpsc::channel();
        // Two tasks: one stands in the LIFO slot when the spawner blocks.
        let spawner = steal::spawn(async move {
            let (one, two) = (send.clone(), send);
            steal::spawn(async move { one.send(here()).unwrap() });
            steal::spawn(async move { two.send(here()).unwrap() });
            task::block_in_place(|| {
                let me = here();
                for _ in 0..2 {
                    let thread = receive.recv_timeout(PATIENCE).expect("the other shard runs it");
                    assert_ne!(thread, me);
                }
                // What is woken meanwhile, too.
                let (late, came) = mpsc::channel();
                steal::spawn(async move { late.send(here()).unwrap() });
                assert_ne!(came.recv_timeout(PATIENCE).expect("likewise"), me);
            });
        });
        spawner.await.unwrap();
    });
}

/// Each rule off, and all: whatever is switched, everything runs.
#[test]
fn no_switch_loses_work() {
    for off in 0..32_u32 {
        let mut policy = Policy::default();
        policy.lifo_slot = off & 1 == 0;
        policy.injector_interval = if off & 2 == 0 { 31 } else { u32::MAX };
        policy.steal_half = off & 4 == 0;
        policy.limit_searchers = off & 8 == 0;
        policy.wake_one_more = off & 16 == 0;
        let runtime = Builder::new_multi_thread()
            .worker_threads(3)
            .stealing(true)
            .stealing_policy(policy)
            .build()
            .unwrap();
        let sum = run(&runtime, || async {
            let tasks: Vec<_> = (0..2_000_u64)
                .map(|n| {
                    steal::spawn(async move {
                        let inner = steal::spawn(async move { n });
                        task::yield_now().await;
                        inner.await.unwrap()
                    })
                })
                .collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, (0..2_000).sum::<u64>());
    }
}

/// All shards wait at a barrier, each in a stealable task: so all of them were woken.
#[test]
fn as_many_shards_are_woken_as_there_is_work_for() {
    const SHARDS: usize = 4;
    let runtime = runtime(SHARDS);
    for _ in 0..300 {
        let _entered = runtime.enter();
        let barrier = Arc::new(Barrier::new(SHARDS));
        let tasks: Vec<_> = (0..SHARDS)
            .map(|_| {
                let barrier = barrier.clone();
                steal::spawn(async move {
                    barrier.wait();
                })
            })
            .collect();
        for task in tasks {
            runtime.block_on(async { timeout(PATIENCE, task).await }).expect("it hangs").unwrap();
        }
    }
}

#[test]
fn metrics_tell_what_is_queued_and_alive() {
    let runtime = runtime(2);
    let metrics = runtime.metrics();
    let before = metrics.num_alive_tasks();
    let (stop, started) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = {
        let _entered = runtime.enter();
        let blocked: Vec<_> = (0..2)
            .map(|_| {
                let (stop, started) = (stop.clone(), started.clone());
                steal::spawn(async move {
                    started.fetch_add(1, Ordering::SeqCst);
                    while !stop.load(Ordering::SeqCst) {
                        std::hint::spin_loop();
                    }
                })
            })
            .collect();
        while started.load(Ordering::SeqCst) < 2 {
            thread::yield_now();
        }
        let waiting = (0..10).map(|_| steal::spawn(async {}));
        blocked.into_iter().chain(waiting).collect()
    };
    assert_eq!(metrics.global_queue_depth(), 10);
    assert_eq!(metrics.num_alive_tasks() - before, 12);
    stop.store(true, Ordering::SeqCst);
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    assert_eq!(metrics.global_queue_depth(), 0);
}

/// Each step of a chain takes long, and wakes the next one into the slot that comes before all
/// queues: what another thread spawns does not wait for 31 picks of that kind.
#[test]
fn long_tasks_do_not_keep_the_common_queue_waiting() {
    static STEPS: AtomicUsize = AtomicUsize::new(0);
    static STOP: AtomicBool = AtomicBool::new(false);

    fn step(spawned: Arc<Barrier>) {
        let steps = STEPS.fetch_add(1, Ordering::Relaxed);
        if steps == 10 {
            // The other thread begins to spawn, and has spawned.
            spawned.wait();
            spawned.wait();
        }
        thread::sleep(Duration::from_millis(1));
        if !STOP.load(Ordering::Relaxed) {
            steal::spawn(async move { step(spawned) });
        }
    }

    let runtime = runtime(1);
    let spawned = Arc::new(Barrier::new(2));
    let _entered = runtime.enter();
    let first = Arc::clone(&spawned);
    steal::spawn(async move { step(first) });
    spawned.wait();
    let (sender, receiver) = mpsc::channel();
    steal::spawn(async move {
        STOP.store(true, Ordering::Relaxed);
        sender.send(STEPS.load(Ordering::Relaxed))
    });
    spawned.wait();
    let steps = receiver.recv_timeout(PATIENCE).expect("it runs") - 11;
    // A turn looks at each eighth poll of 61, and then come three steps out of the slot.
    assert!(steps <= 20, "it waited for {steps} steps");
}
