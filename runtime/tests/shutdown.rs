//! The end of a runtime: bounded, complete, on the threads that own what ends, and said.

use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use henge::driver::{ops, submit};
use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::UnixStream;
use henge::runtime::{Builder, Runtime};
use henge::task::yield_now;

fn shards(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).build().expect("a runtime")
}

fn lone() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

/// Generous: the deadlines of a shutdown add up to a second, and the machine may be busy.
const BOUND: Duration = Duration::from_secs(60);

/// Says on which thread it was dropped.
struct Dropped(mpsc::Sender<ThreadId>);

impl Drop for Dropped {
    fn drop(&mut self) {
        // The test may have ended by then.
        let _gone = self.0.send(thread::current().id());
    }
}

#[test]
fn a_hundred_thousand_operations_in_flight() {
    let runtime = shards(2);
    let (ready, wait) = mpsc::channel::<()>();
    for index in 0..2 {
        let ready = ready.clone();
        let spawned = runtime.run(move || async move {
            henge::spawn_on(henge::shard::ShardId::new(index), move || async move {
                for _ in 0..50_000 {
                    henge::spawn(submit(ops::Timeout::new(Duration::from_secs(3600))));
                }
                yield_now().await;
                yield_now().await;
                drop(ready);
            })
            .await
        });
        assert!(spawned.is_ok());
    }
    drop(ready);
    assert!(wait.recv().is_err(), "all were spawned");
    let start = Instant::now();
    drop(runtime);
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
}

#[test]
fn tasks_are_dropped_on_their_shards() {
    let runtime = shards(3);
    let (send, receive) = mpsc::channel();
    let (at_home, homes) = mpsc::channel();
    for index in 0..3 {
        let (dropped, at_home) = (Dropped(send.clone()), at_home.clone());
        let spawned = runtime.run(move || async move {
            henge::spawn_on(henge::shard::ShardId::new(index), move || async move {
                at_home.send(thread::current().id()).expect("the test waits");
                henge::spawn(async move {
                    let _dropped = dropped;
                    pending::<()>().await;
                });
            })
            .await
        });
        assert!(spawned.is_ok());
    }
    drop((send, at_home));
    let mut homes: Vec<_> = homes.iter().collect();
    drop(runtime);
    for thread in receive {
        let home = homes.iter().position(|home| *home == thread).expect("a shard's thread");
        homes.swap_remove(home);
    }
    assert!(homes.is_empty());
}

#[test]
fn a_lone_runtime_drops_its_tasks_on_the_dropper_if_they_are_its_own() {
    let (send, receive) = mpsc::channel();
    let runtime = lone();
    let dropped = Dropped(send.clone());
    runtime.block_on(async {
        henge::spawn(async move {
            let _dropped = dropped;
            pending::<()>().await;
        });
        yield_now().await;
    });
    drop(runtime);
    assert_eq!(receive.try_recv(), Ok(thread::current().id()));

    // Spawned, and never owned by any thread.
    let (runtime, dropped) = (lone(), Dropped(send));
    let task = runtime.spawn(async move {
        let _dropped = dropped;
    });
    drop(runtime);
    assert!(receive.try_recv().is_ok());
    assert!(task.is_finished());
}

#[test]
fn tasks_of_another_thread_are_dropped_by_it() {
    let (send, receive) = mpsc::channel();
    let runtime = lone();
    let (blocked, wait) = mpsc::channel();
    let (proceed, told) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let dropped = Dropped(send);
        let runtime_there = runtime.handle().clone();
        let owner = scope.spawn(move || {
            runtime_there.block_on(async {
                henge::spawn(async move {
                    let _dropped = dropped;
                    pending::<()>().await;
                });
                yield_now().await;
            });
            blocked.send(thread::current().id()).expect("the test waits");
            assert!(told.recv().is_err());
        });
        let owner_id = wait.recv().expect("it blocked");
        drop(runtime);
        assert!(receive.try_recv().is_err(), "the dropper does not wait for it");
        drop(proceed);
        owner.join().expect("no panic");
        assert_eq!(receive.recv(), Ok(owner_id));
    });
}

#[test]
fn handles_of_what_is_gone_say_so() {
    let runtime = shards(1);
    let handle = runtime.handle().clone();
    let task = runtime.spawn(pending::<()>());
    drop(runtime);
    let late = handle.spawn(async {});
    let blocking = handle.spawn_blocking(|| ());
    let other = lone();
    other.block_on(async {
        assert!(task.await.is_err_and(|error| error.is_cancelled()));
        assert!(late.await.is_err_and(|error| error.is_cancelled()));
        assert!(blocking.await.is_err_and(|error| error.is_cancelled()));
    });
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Gives the task's waker away, and never ends.
struct Share(Arc<Mutex<Option<Waker>>>);

impl Future for Share {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        *self.0.lock().expect("no panic inside") = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[test]
fn wakers_outlive_the_runtime() {
    for make in [lone as fn() -> Runtime, || shards(2)] {
        let runtime = make();
        let shared = Arc::new(Mutex::new(None));
        let task = runtime.spawn(Share(Arc::clone(&shared)));
        let there = Arc::clone(&shared);
        runtime.block_on(async move {
            while there.lock().expect("no panic inside").is_none() {
                yield_now().await;
            }
        });
        let waker = shared.lock().expect("no panic inside").take().expect("it was polled");
        let clone = waker.clone();
        drop(runtime);
        waker.wake_by_ref();
        thread::scope(|scope| {
            scope.spawn(move || clone.wake());
        });
        waker.wake();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let mut task = task;
        let waker = Waker::from(Arc::clone(&count));
        let polled = Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
        assert!(matches!(polled, Poll::Ready(Err(error)) if error.is_cancelled()));
    }
}

#[test]
fn wakes_from_foreign_threads_while_it_ends() {
    for _ in 0..20 {
        let runtime = shards(2);
        let shared = Arc::new(Mutex::new(None));
        drop(runtime.spawn(Share(Arc::clone(&shared))));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let waker = shared.lock().expect("no panic inside").clone();
                        waker.inspect(Waker::wake_by_ref);
                    }
                });
            }
            drop(runtime);
        });
    }
}

#[test]
fn stuck_closures_bound_a_shutdown_with_a_timeout_only() {
    let runtime = shards(1);
    let (proceed, told) = mpsc::channel::<()>();
    let (started, wait) = mpsc::channel();
    let stuck = runtime.spawn_blocking(move || {
        started.send(()).expect("the test waits");
        assert!(told.recv().is_err());
    });
    wait.recv().expect("it started");
    let start = Instant::now();
    runtime.shutdown_timeout(Duration::from_millis(100));
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(100) && took < BOUND, "{took:?}");
    drop((proceed, stuck));
}

#[test]
fn shutting_down_waits_for_closures_that_run() {
    let runtime = shards(1);
    let done = Arc::new(AtomicUsize::new(0));
    let (started, wait) = mpsc::channel();
    let counted = Arc::clone(&done);
    runtime.spawn_blocking(move || {
        started.send(()).expect("the test waits");
        thread::sleep(Duration::from_millis(50));
        counted.fetch_add(1, Ordering::Relaxed);
    });
    wait.recv().expect("it started");
    drop(runtime);
    assert_eq!(done.load(Ordering::Relaxed), 1);
}

#[test]
fn destructors_may_use_the_runtime_that_ends() {
    struct Busy(mpsc::Sender<bool>);
    impl Drop for Busy {
        fn drop(&mut self) {
            let here = henge::spawn(async {});
            let there = henge::runtime::Handle::current().spawn(async {});
            here.abort();
            let _gone = self.0.send(here.is_finished() && there.is_finished());
        }
    }
    for make in [lone as fn() -> Runtime, || shards(2)] {
        let runtime = make();
        let (send, receive) = mpsc::channel();
        runtime.run(move || async move {
            let busy = Busy(send);
            henge::spawn(async move {
                let _busy = busy;
                pending::<()>().await;
            });
            yield_now().await;
        });
        drop(runtime);
        assert_eq!(receive.recv(), Ok(true), "what it spawned was cancelled at once");
    }
}

#[test]
fn a_panic_in_a_destructor_stays_with_its_task() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("boom");
        }
    }
    let runtime = shards(1);
    let (send, receive) = mpsc::channel();
    runtime.run(move || async move {
        henge::spawn(async {
            let _bomb = Bomb;
            pending::<()>().await;
        });
        let dropped = Dropped(send);
        henge::spawn(async move {
            let _dropped = dropped;
            pending::<()>().await;
        });
        yield_now().await;
    });
    drop(runtime);
    assert!(receive.recv().is_ok(), "the task after it was dropped, too");
}

/// Neither writes that were given up, nor those of tasks, keep `block_on` for ever. What was
/// written is not lost: it arrives when the peer reads at last.
#[test]
fn a_peer_that_does_not_read_keeps_nobody_from_leaving() {
    let (done, leaves) = mpsc::channel();
    let thread = thread::spawn(move || {
        let runtime = lone();
        let (mut silent, mut stream) = runtime.block_on(async { UnixStream::pair() })?;
        let written = runtime.block_on(async {
            let (_unread, mut other) = UnixStream::pair()?;
            henge::spawn(async move {
                let _unread = _unread;
                other.write_all(&vec![1; 16 << 20]).await
            });
            let mut written = 0;
            let gives_up = async {
                loop {
                    match stream.write(&[2; 1 << 10]).await {
                        Ok(n) => written += n,
                        Err(error) => return error,
                    }
                }
            };
            let gave_up = henge::time::timeout(Duration::from_millis(50), gives_up).await;
            assert!(gave_up.is_err(), "the socket is full");
            std::io::Result::Ok(written)
        })?;
        // What is known to be stuck is waited for once.
        let begun = Instant::now();
        for _ in 0..100 {
            runtime.block_on(yield_now());
        }
        assert!(begun.elapsed() < Duration::from_secs(100), "{:?}", begun.elapsed());
        done.send(()).expect("the test waits");
        let read = runtime.block_on(async {
            drop(stream);
            let mut all = Vec::new();
            silent.read_to_end(&mut all).await
        })?;
        std::io::Result::Ok((written, read))
    });
    assert_eq!(leaves.recv_timeout(6 * BOUND), Ok(()), "it leaves");
    let (written, read) = thread.join().expect("no panic").expect("no error");
    assert_eq!(read, written);
}

#[test]
fn many_runtimes_leave_nothing_behind() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    // Other tests of this file run beside this one: it counts in a process of its own.
    if std::env::var_os("HENGE_ALONE").is_none() {
        let me = std::env::current_exe().expect("this program");
        let name = "many_runtimes_leave_nothing_behind";
        let mut child = std::process::Command::new(me);
        let status = child.args([name, "--exact"]).env("HENGE_ALONE", "1").status();
        assert!(status.expect("it starts").success());
        return;
    }
    drop(lone());
    let before = descriptors();
    for _ in 0..20 {
        let runtime = lone();
        runtime.block_on(async { henge::spawn(async {}).await.is_ok() });
        let runtime = shards(2);
        runtime.block_on(async { yield_now().await });
    }
    assert_eq!(descriptors(), before);
}
