//! `block_in_place`: what it may do, what waits for it, and what turns inside of it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream};
use henge::runtime::{Builder, Handle, Runtime};
use henge::task::{self, block_in_place};
use henge::time::{sleep, timeout};

/// Long enough for the slowest machine; a hang fails.
const PATIENCE: Duration = Duration::from_secs(60);

fn shards(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).build().unwrap()
}

/// What a panic said.
fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&'static str>().unwrap()).to_owned(),
    }
}

/// Runs `main` as the future of a shard's task, and as that of a guest.
fn everywhere(main: impl Fn() + Clone + Send + 'static) {
    let runtime = shards(1);
    let on_shard = main.clone();
    runtime.run(|| async move { task::spawn(async move { on_shard() }).await.unwrap() });
    runtime.block_on(async { main() });
    runtime.block_on(async move { task::spawn(async move { main() }).await.unwrap() });
}

#[test]
fn just_calls_where_nothing_runs() {
    assert_eq!(block_in_place(|| 1), 1);
    let runtime = shards(1);
    let _entered = runtime.enter();
    assert_eq!(block_in_place(|| 2), 2);
    let in_pool =
        runtime.spawn_blocking(|| block_in_place(|| Handle::current().block_on(async { 3 })));
    assert_eq!(runtime.block_on(in_pool).unwrap(), 3);
}

#[test]
fn refuses_where_nobody_else_would_run_the_tasks() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let refused =
        catch_unwind(AssertUnwindSafe(|| runtime.block_on(async { block_in_place(|| ()) })));
    assert!(message(refused.unwrap_err()).contains("multi-threaded runtime"));
    // A guest of it has tasks of its own.
    let handle = runtime.handle().clone();
    let guest = thread::spawn(move || handle.block_on(async { block_in_place(|| 1) }));
    assert_eq!(guest.join().unwrap(), 1);

    let in_set = shards(1).run(|| async {
        let set = task::LocalSet::new();
        set.run_until(async { task::spawn_local(async { block_in_place(|| ()) }).await }).await
    });
    assert!(message(in_set.unwrap_err().into_panic()).contains("multi-threaded runtime"));
}

#[test]
fn may_wait_for_other_threads() {
    everywhere(|| {
        let (send, mut receive) = henge::sync::mpsc::channel(1);
        let other = thread::spawn(move || send.blocking_send(7).unwrap());
        assert_eq!(block_in_place(|| receive.blocking_recv()), Some(7));
        other.join().unwrap();
        let again = catch_unwind(AssertUnwindSafe(|| receive.blocking_recv()));
        assert!(again.is_err(), "outside of the closure it may not");
    });
}

#[test]
fn the_shard_turns_inside_of_it() {
    everywhere(|| {
        let seen = Rc::new(Cell::new(0));
        let other = seen.clone();
        let task = task::spawn(async move {
            sleep(Duration::from_millis(2)).await;
            task::yield_now().await;
            other.set(1);
        });
        block_in_place(|| {
            assert_eq!(seen.get(), 0, "a pinned task waits");
            Handle::current().block_on(async { timeout(PATIENCE, task).await.unwrap().unwrap() });
            assert_eq!(seen.get(), 1);
            let by_spawn = task::spawn(async { 5 });
            assert_eq!(Handle::current().block_on(by_spawn).unwrap(), 5);
        });
    });
}

#[test]
fn streams_of_the_shard_work_inside_of_it() {
    shards(1).run(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let echo = task::spawn(async move {
            let (mut stream, _peer) = listener.accept().await.unwrap();
            let mut buffer = [0; 16];
            loop {
                let read = stream.read(&mut buffer).await.unwrap();
                if read == 0 {
                    break;
                }
                stream.write_all(&buffer[..read]).await.unwrap();
            }
        });
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut answer = [0; 4];
        stream.write_all(b"ping").await.unwrap();
        stream.read_exact(&mut answer).await.unwrap();
        for _round in 0..10 {
            block_in_place(|| {
                Handle::current().block_on(async {
                    stream.write_all(b"pong").await.unwrap();
                    timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
                });
            });
            assert_eq!(&answer, b"pong");
            stream.write_all(b"next").await.unwrap();
            timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
            assert_eq!(&answer, b"next");
        }
        drop(stream);
        echo.await.unwrap();
    });
}

#[test]
fn what_was_written_goes_out_before_it_blocks() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (arrived, arrives) = mpsc::channel();
    let peer = thread::spawn(move || {
        let (mut stream, _peer) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut bytes = [0; 5];
        std::io::Read::read_exact(&mut stream, &mut bytes).unwrap();
        arrived.send(bytes).unwrap();
    });
    shards(1).run(move || async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        let bytes = block_in_place(|| arrives.recv_timeout(PATIENCE).unwrap());
        assert_eq!(&bytes, b"hello");
    });
    peer.join().unwrap();
}

#[test]
fn one_level_deep() {
    everywhere(|| {
        let why = block_in_place(|| {
            Handle::current().block_on(async {
                // The closure alone may be called at any depth.
                assert_eq!(block_in_place(|| block_in_place(|| 1)), 1);
                assert_eq!(task::spawn(async { block_in_place(|| 2) }).await.unwrap(), 2);
                let deeper = task::spawn(async {
                    block_in_place(|| Handle::current().block_on(async {}));
                });
                message(deeper.await.unwrap_err().into_panic())
            })
        });
        assert!(why.contains("one level deep"), "{why}");
        let plain = catch_unwind(AssertUnwindSafe(|| Handle::current().block_on(async {})));
        assert!(message(plain.unwrap_err()).contains("from within a runtime"));
        // All is as it was.
        assert_eq!(block_in_place(|| Handle::current().block_on(async { 3 })), 3);
    });
}

#[test]
fn a_loop_of_its_own_runtime_does_not_begin_between_polls() {
    struct Blocks(Handle, Mutex<Option<String>>);
    impl Wake for Blocks {
        fn wake(self: Arc<Self>) {
            let blocks = || block_in_place(|| self.0.block_on(async {}));
            let why = catch_unwind(AssertUnwindSafe(blocks)).unwrap_err();
            *self.1.lock().unwrap() = Some(message(why));
        }
    }
    shards(1).run(|| async {
        let wakes = Arc::new(Blocks(Handle::current(), Mutex::new(None)));
        let waker = Waker::from(wakes.clone());
        let mut slept = Box::pin(sleep(Duration::from_millis(20)));
        assert!(slept.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let why = timeout(PATIENCE, async {
            loop {
                if let Some(why) = wakes.1.lock().unwrap().take() {
                    break why;
                }
                sleep(Duration::from_millis(1)).await;
            }
        });
        let why = why.await.unwrap();
        assert!(why.contains("between the polls"), "{why}");
    });
}

#[test]
fn a_runtime_of_its_own_inside_of_it() {
    everywhere(|| {
        let id = task::try_id();
        block_in_place(|| {
            let inner = Builder::new_current_thread().build().unwrap();
            let spawned = inner.spawn(async { task::id() });
            assert_ne!(Some(inner.block_on(spawned).unwrap()), id);
            inner.block_on(sleep(Duration::from_millis(1)));
            drop(inner);
            let inner = shards(1);
            assert_eq!(inner.block_on(async { block_in_place(|| 4) }), 4);
        });
        assert_eq!(task::try_id(), id);
    });
}

#[test]
fn a_guest_shut_down_below_a_loop_of_another_runtime_is_left_alone() {
    let outer = shards(1);
    let inner = shards(1);
    let handle = outer.handle().clone();
    let (entered, enters) = mpsc::channel();
    let (closed, closes) = mpsc::channel();
    let other = thread::spawn(move || {
        enters.recv().unwrap();
        outer.shutdown_background();
        closed.send(()).unwrap();
    });
    handle.block_on(async {
        let task = task::spawn(async { 1 });
        block_in_place(|| {
            entered.send(()).unwrap();
            closes.recv_timeout(PATIENCE).unwrap();
            // Ends what this thread keeps for runtimes that have been shut down, but for those
            // that are on its stack.
            inner.block_on(async {});
        });
        assert_eq!(task.await.unwrap(), 1);
    });
    other.join().unwrap();
    inner.block_on(async {});
}

#[test]
fn its_own_runtime_is_not_dropped_inside_of_it() {
    let runtime = Arc::new(Mutex::new(Some(shards(1))));
    let handle = runtime.lock().unwrap().as_ref().unwrap().handle().clone();
    let mine = runtime.clone();
    let dropped = handle.spawn(async move {
        let runtime = mine.lock().unwrap().take();
        block_in_place(|| drop(runtime));
    });
    let why = henge_driver_block_on(dropped).unwrap_err();
    assert!(message(why.into_panic()).contains("Cannot drop a runtime"));
}

/// Waits on a thread that is nobody's.
fn henge_driver_block_on<F: Future>(future: F) -> F::Output {
    henge::driver::Driver::new().unwrap().block_on(future).unwrap()
}

#[test]
fn handle_spawn_finds_a_shard_that_does_not_stand_still() {
    let runtime = shards(2);
    runtime.run(|| async {
        let here = thread::current().id();
        block_in_place(|| {
            for _ in 0..50 {
                let (send, receive) = mpsc::channel();
                drop(Handle::current().spawn(async move { send.send(thread::current().id()) }));
                assert_ne!(receive.recv_timeout(PATIENCE).unwrap(), here);
            }
        });
        let back = Handle::current().spawn(async { thread::current().id() });
        assert_eq!(back.await.unwrap(), here, "the next one stays again");
    });
}

henge::task_local! { static NAME: &'static str; }

#[test]
fn tasks_that_run_inside_of_it_do_not_see_what_the_one_around_them_carries() {
    everywhere(|| {
        NAME.sync_scope("outer", || {
            let other = task::spawn(async {
                let before = NAME.try_get().ok();
                let within = NAME.scope("other", async {
                    task::yield_now().await;
                    NAME.get()
                });
                (before, within.await, NAME.try_get().ok())
            });
            block_in_place(|| {
                assert_eq!(NAME.get(), "outer");
                Handle::current().block_on(async {
                    assert_eq!(NAME.get(), "outer");
                    assert_eq!(other.await.unwrap(), (None, "other", None));
                    assert_eq!(NAME.get(), "outer");
                });
            });
            assert_eq!(NAME.get(), "outer");
        });
    });
}

#[test]
fn panics_of_the_closure_and_of_what_it_blocks_on_are_the_tasks() {
    everywhere(|| {
        let closure = catch_unwind(|| block_in_place(|| panic!("in the closure")));
        assert_eq!(message(closure.unwrap_err()), "in the closure");
        let future = catch_unwind(|| {
            block_in_place(|| Handle::current().block_on(async { panic!("in the future") }))
        });
        assert_eq!(message(future.unwrap_err()), "in the future");
        // It is a task again, which may not block.
        assert!(catch_unwind(AssertUnwindSafe(|| Handle::current().block_on(async {}))).is_err());
        assert_eq!(block_in_place(|| Handle::current().block_on(async { 1 })), 1);
    });
}

#[test]
fn an_abort_meets_the_task_after_the_closure() {
    shards(1).run(|| async {
        let (to_abort, aborts) = henge::sync::oneshot::channel::<task::AbortHandle>();
        let ended = Rc::new(Cell::new(false));
        let ends = ended.clone();
        let task = task::spawn(async move {
            block_in_place(|| {
                Handle::current().block_on(async {
                    aborts.await.unwrap().abort();
                    task::yield_now().await;
                });
                ends.set(true);
            });
            std::future::pending::<()>().await;
        });
        to_abort.send(task.abort_handle()).unwrap();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(ended.get(), "the closure ran to its end");
    });
}

#[test]
fn the_outer_loop_ends_after_the_closure() {
    // The future of a guest is done while a task of the guest turns from within.
    let runtime = shards(1);
    let done = Rc::new(Cell::new(false));
    let inside = done.clone();
    runtime.block_on(async {
        let (started, starts) = henge::sync::oneshot::channel();
        drop(task::spawn(async move {
            block_in_place(|| {
                Handle::current().block_on(async {
                    started.send(()).unwrap();
                    sleep(Duration::from_millis(5)).await;
                });
                inside.set(true);
            });
        }));
        starts.await.unwrap();
    });
    assert!(done.get());
}

#[test]
fn the_outer_future_is_polled_though_it_was_woken_before_the_inner_one_came() {
    let runtime = shards(1);
    let woken = Rc::new(henge::sync::local::Notify::new());
    let wakes = woken.clone();
    runtime.block_on(async {
        let task = task::spawn(async move {
            // The future of the guest is due, and is polled behind the tasks: not before this one.
            wakes.notify_one();
            block_in_place(|| Handle::current().block_on(task::yield_now()));
        });
        timeout(PATIENCE, woken.notified()).await.unwrap();
        task.await.unwrap();
    });
}

#[test]
fn shutdown_waits_for_the_closure() {
    for turns in [false, true] {
        let runtime = shards(2);
        let (started, starts) = mpsc::channel();
        let ended = Arc::new(AtomicBool::new(false));
        let ends = ended.clone();
        drop(runtime.spawn(async move {
            block_in_place(|| {
                started.send(()).unwrap();
                if turns {
                    Handle::current().block_on(sleep(Duration::from_millis(20)));
                } else {
                    thread::sleep(Duration::from_millis(20));
                }
                ends.store(true, Ordering::Relaxed);
            });
        }));
        starts.recv_timeout(PATIENCE).unwrap();
        drop(runtime);
        assert!(ended.load(Ordering::Relaxed), "turns: {turns}");
    }
}

#[test]
fn a_task_has_its_budget_again_afterwards() {
    shards(1).run(|| async {
        let (send, mut receive) = henge::sync::mpsc::unbounded_channel();
        (0..1_000).for_each(|n| send.send(n).unwrap());
        let all = block_in_place(|| {
            let mut got = 0;
            let mut cx = Context::from_waker(Waker::noop());
            while got < 500 && receive.poll_recv(&mut cx).is_ready() {
                got += 1;
            }
            got
        });
        assert_eq!(all, 500, "nobody counts inside");
        let mut cx = Context::from_waker(Waker::noop());
        let some = (0..500).take_while(|_| receive.poll_recv(&mut cx).is_ready()).count();
        assert!(some < 500, "{some}");
    });
}
