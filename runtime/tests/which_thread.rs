//! Which thread runs what: shards, guests, the owner of a lone shard, the blocking pool; and where
//! waiting is refused.

#![allow(clippy::async_yields_async, reason = "handles leave the runtime on purpose here")]

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use henge::runtime::{Builder, Handle, LocalOptions, LocalRuntime, Runtime, RuntimeFlavor};
use henge::shard;
use henge::sync::oneshot;
use henge::task::yield_now;
use henge::time::timeout;

fn shards(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).build().expect("a runtime")
}

fn lone() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

/// What `code` panics with.
fn panic_of<R>(code: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(code)) else { panic!("it did not panic") };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast::<&str>().expect("a text").to_string(),
    }
}

const NESTED: &str = "Cannot start a runtime from within a runtime";
const DROPPED: &str = "Cannot drop a runtime in a context where blocking is not allowed";

async fn here() -> ThreadId {
    thread::current().id()
}

#[test]
fn run_is_on_a_shard_and_block_on_is_here() {
    let runtime = shards(2);
    let me = thread::current().id();
    assert_ne!(runtime.run(here), me);
    assert_eq!(runtime.run(here), runtime.run(here), "shard 0 is always the same thread");
    assert_eq!(runtime.block_on(here()), me);
    let lone = lone();
    assert_eq!(lone.run(here), me);
    assert_eq!(lone.block_on(here()), me);
}

#[test]
fn a_guest_is_no_shard_and_a_lone_owner_is() {
    let runtime = shards(2);
    assert_eq!(runtime.block_on(async { shard::try_current() }), None);
    assert_eq!(runtime.block_on(async { shard::count() }), 2);
    assert_eq!(lone().block_on(async { shard::current().index() }), 0);
    assert_eq!(runtime.handle().runtime_flavor(), RuntimeFlavor::MultiThread);
    assert_eq!(lone().handle().runtime_flavor(), RuntimeFlavor::CurrentThread);
}

#[test]
fn waiting_inside_async_context_is_refused() {
    let (runtime, inner) = (shards(1), shards(1));
    let handle = inner.handle().clone();
    runtime.block_on(async {
        assert!(panic_of(|| inner.block_on(async {})).contains(NESTED));
        assert!(panic_of(|| inner.run(|| async {})).contains(NESTED));
        assert!(panic_of(|| handle.block_on(async {})).contains(NESTED));
        assert!(panic_of(|| lone().block_on(async {})).contains(NESTED));
    });
    let on_a_shard = runtime.run(move || async move { panic_of(|| handle.block_on(async {})) });
    assert!(on_a_shard.contains(NESTED));
    assert_eq!(inner.run(|| async { 1 }), 1, "refusing does no harm");
}

#[test]
fn dropping_a_runtime_in_async_context_is_refused() {
    let runtime = shards(1);
    for victim in [shards(2), lone()] {
        let text = runtime.run(move || async move { panic_of(|| drop(victim)) });
        assert!(text.contains(DROPPED), "{text}");
    }
    for victim in [shards(2), lone()] {
        runtime.run(move || async move { victim.shutdown_background() });
    }
}

#[test]
fn spawning_where_nothing_runs_names_the_way_out() {
    let runtime = shards(1);
    assert!(panic_of(|| henge::spawn(async {})).contains("Handle::spawn"));
    {
        let _entered = runtime.enter();
        assert!(panic_of(|| henge::spawn(async {})).contains("Handle::spawn"));
        let there = Handle::current().spawn(here());
        assert_ne!(runtime.block_on(there).ok(), Some(thread::current().id()));
    }
    let in_the_pool = runtime.spawn_blocking(|| {
        let refused = panic_of(|| henge::spawn(async {}));
        (refused.contains("Handle::spawn"), Handle::try_current().is_ok())
    });
    assert_eq!(runtime.block_on(in_the_pool).ok(), Some((true, true)));
    assert!(Handle::try_current().is_err());
}

#[test]
fn a_handle_spawns_on_the_shard_that_it_is_used_on() {
    let runtime = shards(3);
    for _ in 0..20 {
        let same = runtime.run(|| async {
            let there = Handle::current().spawn(here()).await;
            there.ok() == Some(thread::current().id())
        });
        assert!(same);
    }
    let me = thread::current().id();
    let guest = runtime.block_on(async { Handle::current().spawn(here()).await });
    assert_ne!(guest.ok(), Some(me), "a guest's thread is no shard");
}

/// A thread that blocks by a handle for a moment must not get what the owner spawns: with the
/// thread the task would end.
#[test]
fn what_the_owner_spawns_is_the_owners() {
    for has_blocked in [false, true] {
        let runtime = lone();
        if has_blocked {
            runtime.block_on(async {});
        }
        let (let_go, held) = oneshot::channel::<()>();
        let (say, inside) = mpsc::channel();
        let handle = runtime.handle().clone();
        let guest = thread::spawn(move || {
            handle.block_on(async {
                say.send(()).expect("the owner waits for it");
                held.await.expect("it is let go");
            });
        });
        inside.recv().expect("the guest blocks");
        let task = runtime.spawn(here());
        let_go.send(()).expect("the guest waits for it");
        guest.join().expect("the guest ends");
        assert_eq!(runtime.block_on(task).ok(), Some(thread::current().id()));
    }
}

/// One that blocks on the runtime itself may do so for ever while the owner never does again.
#[test]
fn what_the_owner_spawns_is_of_who_blocks_on_the_runtime() {
    let runtime = Arc::new(lone());
    runtime.block_on(async {});
    let (let_go, held) = oneshot::channel::<()>();
    let (say, inside) = mpsc::channel();
    let there = Arc::clone(&runtime);
    let server = thread::spawn(move || {
        there.block_on(async {
            say.send(()).expect("the owner waits for it");
            held.await.expect("it is let go");
        });
        thread::current().id()
    });
    inside.recv().expect("the server blocks");
    let (tell, told) = mpsc::channel();
    drop(runtime.spawn(async move { tell.send(thread::current().id()) }));
    let ran_on = told.recv_timeout(Duration::from_secs(30));
    let_go.send(()).expect("the server waits for it");
    assert_eq!(ran_on.ok(), server.join().ok());
}

#[test]
fn what_a_guest_spawns_runs_while_it_blocks() {
    let runtime = shards(1);
    let (send, receive) = mpsc::channel();
    let task = runtime.block_on(async move {
        henge::spawn(async move {
            loop {
                if send.send(thread::current().id()).is_err() {
                    return 42;
                }
                yield_now().await;
            }
        })
    });
    // It may have run before `block_on` returned, and does not now.
    let before = receive.try_iter().count();
    thread::sleep(Duration::from_millis(20));
    assert_eq!(receive.try_iter().count(), 0, "{before} before");
    runtime.block_on(async { yield_now().await });
    assert_eq!(receive.try_recv(), Ok(thread::current().id()));
    drop(receive);
    assert_eq!(runtime.block_on(task).ok(), Some(42));
}

#[test]
fn a_guest_in_the_blocking_pool_has_timers_and_tasks() {
    let runtime = shards(1);
    let handle = runtime.handle().clone();
    let answer = runtime.run(|| async move {
        henge::task::spawn_blocking(move || {
            handle.block_on(async {
                henge::time::sleep(Duration::from_millis(2)).await;
                henge::spawn(async { 6 * 7 }).await.unwrap_or(0)
            })
        })
        .await
    });
    assert_eq!(answer.ok(), Some(42));
}

/// A ring costs hundreds of microseconds: a closure of the pool that blocks on the runtime has the
/// one of the closure before.
#[test]
fn a_thread_of_the_pool_keeps_its_ring() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .build()
        .expect("a runtime");
    let ring = || {
        Handle::current().block_on(async {
            let ring = henge::driver::current::with(|driver| driver.id()).expect("a guest's ring");
            (thread::current().id(), ring)
        })
    };
    let call = || runtime.block_on(runtime.spawn_blocking(ring)).expect("it ends");
    let (first, second) = (call(), call());
    assert_eq!(first, second, "the same thread, and the same ring");
}

#[test]
fn a_lone_shard_belongs_to_the_first_thread_that_blocks() {
    let runtime = lone();
    // Spawned before anybody owns the shard.
    let early = runtime.spawn(async { shard::try_current().map(shard::ShardId::index) });
    thread::scope(|scope| {
        let runtime = &runtime;
        let first = scope.spawn(move || {
            let ran = runtime.block_on(early).ok().flatten();
            // While this thread lives, others are guests.
            let second = thread::scope(|scope| {
                let second = scope.spawn(|| runtime.block_on(async { shard::try_current() }));
                second.join()
            });
            (ran, second.expect("no panic"))
        });
        assert_eq!(first.join().expect("no panic"), (Some(0), None));
    });
    // The first thread has ended, and its tasks with it.
    let id = runtime.block_on(async { shard::try_current().map(shard::ShardId::index) });
    assert_eq!(id, Some(0));
}

#[test]
fn two_threads_in_turn_on_a_lone_runtime() {
    let runtime = lone();
    thread::scope(|scope| {
        for round in 0..50 {
            let runtime = &runtime;
            let sum = scope.spawn(move || {
                runtime.block_on(async move {
                    let task = henge::spawn(async move { round });
                    // The owner, which is another thread, is away.
                    let here = runtime.spawn(async move { yield_now().await });
                    let ended = task.await.map_or(0, |round| round + 1);
                    here.await.map_or(0, |()| ended)
                })
            });
            assert_eq!(sum.join().expect("no panic"), round + 1);
            assert_eq!(runtime.block_on(async { 1 }), 1);
        }
    });
}

/// Of what is spawned on a runtime of one thread.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_guest_runs_what_is_spawned_while_the_owner_is_away() {
    let runtime = lone();
    let me = || async { thread::current().id() };
    let owner = runtime.block_on(async { thread::current().id() });
    let serve = || {
        let served = async {
            let here = thread::current().id();
            let by_handle = runtime.spawn(me()).await.expect("it runs");
            let stealable = henge::steal::spawn(me()).await.expect("it runs");
            let placed = henge::steal::place(me).await.expect("it runs");
            // One who is inside of no runtime has it run here, too.
            let handle = runtime.handle().clone();
            let (task, waits) = henge::sync::oneshot::channel();
            let other = thread::spawn(move || drop(task.send(handle.spawn(me()))));
            let from_outside = waits.await.expect("it is sent").await.expect("it runs");
            other.join().expect("no panic");
            assert_eq!([by_handle, stealable, placed, from_outside], [here; 4]);
            here
        };
        let served = async { timeout(PATIENCE, served).await };
        runtime.block_on(served).expect("what was spawned is run")
    };
    thread::scope(|scope| {
        let guest = scope.spawn(serve).join().expect("no panic");
        assert_ne!(guest, owner);
    });
    assert_eq!(serve(), owner, "which is back");
}

#[test]
fn the_owner_comes_before_guests() {
    let runtime = lone();
    let owner = runtime.block_on(async { thread::current().id() });
    thread::scope(|scope| {
        let (here, is_here) = mpsc::channel();
        let (away, is_away) = henge::sync::oneshot::channel();
        let blocks = &runtime;
        let guest = scope.spawn(move || {
            blocks.block_on(async {
                here.send(()).expect("it waits");
                is_away.await.expect("it is told");
            });
        });
        is_here.recv().expect("it comes");
        let ran = runtime.block_on(async {
            let handle = runtime.handle().clone();
            let task =
                henge::task::spawn_blocking(move || handle.spawn(async { thread::current().id() }));
            timeout(PATIENCE, task.await.expect("no panic")).await
        });
        assert_eq!(ran.expect("it is run").expect("no panic"), owner);
        away.send(()).expect("it waits");
        guest.join().expect("no panic");
    });
}

#[test]
fn tasks_stay_with_their_thread_between_blocks() {
    let runtime = lone();
    let count = Rc::new(Cell::new(0));
    let counted = Rc::clone(&count);
    let _task = runtime.block_on(async move {
        henge::spawn(async move {
            loop {
                counted.set(counted.get() + 1);
                yield_now().await;
            }
        })
    });
    let before = count.get();
    runtime.block_on(async { yield_now().await });
    assert!(count.get() > before);
    drop(runtime);
    assert_eq!(Rc::strong_count(&count), 1, "dropped with the runtime, by the dropper");
}

#[test]
fn two_runtimes_take_turns_on_one_thread() {
    let (a, b) = (lone(), shards(1));
    let wait = Duration::from_millis(1);
    for _ in 0..3 {
        a.block_on(async { henge::time::sleep(wait).await });
        b.block_on(async { henge::time::sleep(wait).await });
    }
    let mut task = a.block_on(async { henge::spawn(async { 42 }) });
    let elsewhere = b.block_on(async { henge::time::timeout(wait, &mut task).await.is_err() });
    assert!(elsewhere, "a task of the one runtime does not run in the other");
    assert_eq!(a.block_on(task).ok(), Some(42));
}

#[test]
fn panics_and_exit_codes_travel() {
    let runtime = shards(1);
    let text = panic_of(|| runtime.run(|| async { panic!("from shard 0") }));
    assert_eq!(text, "from shard 0");
    assert_eq!(panic_of(|| runtime.block_on(async { panic!("from a guest") })), "from a guest");
    assert_eq!(runtime.run(|| async { 1 }), 1, "the shard lives on");
    assert_eq!(runtime.block_on(async { 1 }), 1, "the guest, too");
}

#[test]
fn what_is_spawned_where_a_runtime_lives_waits_for_its_block_on() {
    let runtime = lone();
    let value = Rc::new(42);
    let (entered, local) = {
        let _entered = runtime.enter();
        let (a, b) = (Rc::clone(&value), Rc::clone(&value));
        let entered = henge::spawn(async move { (*a, thread::current().id()) });
        (entered, henge::task::spawn_local(async move { *b }))
    };
    assert!(!entered.is_finished(), "nothing runs outside of `block_on`");
    let expected = Some((42, thread::current().id()));
    assert_eq!(runtime.block_on(async { entered.await.ok() }), expected);
    assert_eq!(runtime.block_on(local).ok(), Some(42));
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn what_never_ran_is_dropped_with_the_runtime() {
    let runtime = lone();
    let value = Rc::new(());
    let task = {
        let _entered = runtime.enter();
        let held = Rc::clone(&value);
        henge::spawn(async move { drop(held) })
    };
    drop(runtime);
    assert_eq!(Rc::strong_count(&value), 1);
    assert!(lone().block_on(task).is_err_and(|error| error.is_cancelled()));
}

#[test]
fn only_the_thread_that_a_runtime_lives_on_spawns_by_entering_it() {
    let runtime = lone();
    thread::scope(|threads| {
        let other = threads.spawn(|| {
            let _entered = runtime.enter();
            let refused = panic_of(|| henge::spawn(async {}));
            assert!(refused.contains("Handle::spawn"), "{refused}");
            let refused = panic_of(|| henge::task::spawn_local(async {}));
            assert!(refused.contains("from the thread the runtime was created on"), "{refused}");
        });
        other.join().expect("no assertion failed");
    });
    // Nobody sat down: the thread that blocks first owns it.
    let (there, own) = thread::scope(|threads| {
        let other = threads.spawn(|| runtime.block_on(async { henge::spawn(here()).await.ok() }));
        let own = other.thread().id();
        (other.join().expect("it did not panic"), own)
    });
    assert_eq!(there, Some(own));
}

#[test]
fn a_local_runtime_takes_tasks_that_are_not_send_at_any_time() {
    let runtime = LocalRuntime::new().expect("a runtime");
    let value = Rc::new(42);
    let before = Rc::clone(&value);
    let before = runtime.spawn_local(async move { *before });
    let sum = runtime.block_on(async {
        let inside = Rc::clone(&value);
        let inside = runtime.spawn_local(async move { *inside });
        let sent = runtime.handle().spawn(here());
        assert_eq!(sent.await.ok(), Some(thread::current().id()));
        before.await.unwrap_or(0) + inside.await.unwrap_or(0)
    });
    assert_eq!(sum, 84);
    let left = Rc::clone(&value);
    let left = runtime.spawn_local(async move { *left });
    runtime.shutdown_background();
    assert_eq!(Rc::strong_count(&value), 1, "what is left is dropped with it");
    assert!(lone().block_on(left).is_err_and(|error| error.is_cancelled()));
}

#[test]
fn a_local_runtime_has_one_thread() {
    let refused =
        panic_of(|| Builder::new_multi_thread().build_local(LocalOptions::default()).map(drop));
    assert!(refused.contains("multi_thread is not supported"), "{refused}");
}

#[test]
fn guards_out_of_order_are_refused() {
    // What the later guard will point to is leaked to it: in a process of its own, where nobody
    // minds.
    if std::env::var_os("HENGE_ALONE").is_none() {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args(["guards_out_of_order_are_refused", "--exact"]);
        child.env("HENGE_ALONE", "1").env("ASAN_OPTIONS", "detect_leaks=0");
        assert!(child.status().expect("it starts").success());
        return;
    }
    let (a, b) = (shards(1), shards(1));
    let first = a.enter();
    let second = b.enter();
    assert!(panic_of(|| drop(first)).contains("reverse order"));
    drop(second);
    assert!(Handle::try_current().is_ok(), "what was entered first was never left");
}

#[test]
fn handles_and_runtimes_are_send_and_sync() {
    fn assert<T: Send + Sync>() {}
    assert::<Runtime>();
    assert::<Handle>();
    assert::<henge::runtime::RuntimeMetrics>();
    assert::<Builder>();
}

#[test]
fn more_shards_than_cpus_work() -> io::Result<()> {
    let runtime = shards(4 * thread::available_parallelism()?.get());
    runtime.run_each(|| async {
        for _ in 0..10 {
            yield_now().await;
        }
        Ok(())
    })
}

#[test]
fn a_handle_blocks_as_the_owner_where_the_runtime_was_built() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let spawned = runtime.handle().block_on(async { henge::spawn(async { 7 }) });
    // A guest's task would not run here.
    assert_eq!(runtime.block_on(spawned).unwrap(), 7);
    assert_eq!(runtime.metrics().num_alive_tasks(), 0);
}

#[test]
fn the_future_of_block_on_is_not_counted_as_a_task() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let metrics = runtime.metrics();
    let alive = runtime.block_on(async {
        henge::task::yield_now().await;
        let task = henge::spawn(async move {
            henge::task::yield_now().await;
            metrics.num_alive_tasks()
        });
        task.await.unwrap()
    });
    assert_eq!(alive, 1);
}

#[test]
fn tasks_that_nobody_ran_are_dropped_inside_of_their_runtime() {
    struct Sees(std::sync::mpsc::Sender<bool>);
    impl Drop for Sees {
        fn drop(&mut self) {
            self.0.send(Handle::try_current().is_ok()).unwrap();
        }
    }
    let (sender, seen) = mpsc::channel();
    let runtime = Builder::new_current_thread().build().unwrap();
    let sees = Sees(sender);
    drop(runtime.spawn(async move {
        std::future::pending::<()>().await;
        drop(sees);
    }));
    drop(runtime);
    assert!(seen.recv().unwrap());
}

/// A thread keeps one ring for all the runtimes that it blocks on. Work for the pool goes to the
/// pool of the one that it is blocked on, though the ring was made for another.
#[test]
fn blocking_work_of_a_guest_goes_to_its_runtime() {
    let (first, second) = (shards(1), shards(1));
    let folder = async || henge::fs::canonicalize("/").await;
    for runtime in [&first, &second] {
        assert!(runtime.block_on(folder()).is_ok());
    }
    assert!(second.metrics().num_blocking_threads() > 0, "its own pool was asked");
    drop(first);
    assert!(second.block_on(folder()).is_ok(), "the other one is shut down");
}

/// As where a thread has a runtime of its own, and starts another thread that has one: what it asks
/// there it waits for as it would for any thread.
#[test]
fn a_lone_shard_may_block_for_what_it_asked_of_another_runtime() {
    let (tx, mut rx) = henge::sync::mpsc::unbounded_channel::<mpsc::Sender<ThreadId>>();
    let (parked, has_parked) = mpsc::channel();
    let other = thread::spawn(move || {
        let mut builder = Builder::new_current_thread();
        let sleeps = builder.on_thread_park(move || {
            let _nobody_listens_any_more = parked.send(());
        });
        sleeps.build().expect("a runtime").block_on(async move {
            while let Some(answer) = rx.recv().await {
                answer.send(thread::current().id()).expect("somebody waits");
            }
        });
    });
    let other_id = other.thread().id();
    lone().block_on(async {
        for _ in 0..10 {
            // It is asleep, or about to be: one that is awake finds the message by itself.
            has_parked.recv_timeout(Duration::from_secs(60)).expect("it has nothing to do");
            thread::sleep(Duration::from_millis(5));
            let (answer, answered) = mpsc::channel();
            assert!(tx.send(answer).is_ok());
            let by = answered.recv_timeout(Duration::from_secs(60));
            assert_eq!(by, Ok(other_id), "it was woken while this thread blocks");
        }
    });
    drop(tx);
    other.join().expect("no panic");
}
