//! The callbacks and the names of a runtime's threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use henge::runtime::Builder;

#[derive(Default)]
struct Calls {
    start: AtomicUsize,
    stop: AtomicUsize,
    park: AtomicUsize,
    unpark: AtomicUsize,
}

fn count(calls: &Arc<Calls>, which: fn(&Calls) -> &AtomicUsize) -> impl Fn() + use<> {
    let calls = Arc::clone(calls);
    move || {
        which(&calls).fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn every_thread_starts_and_stops_once() {
    let calls = Arc::new(Calls::default());
    let runtime = Builder::new_multi_thread()
        .worker_threads(3)
        .on_thread_start(count(&calls, |calls| &calls.start))
        .on_thread_stop(count(&calls, |calls| &calls.stop))
        .build()
        .expect("a runtime");
    assert_eq!(calls.start.load(Ordering::SeqCst), 3, "they run when `build` returns");
    let pool = runtime.spawn_blocking(|| ());
    assert!(runtime.block_on(pool).is_ok());
    assert_eq!(calls.start.load(Ordering::SeqCst), 4);
    assert_eq!(calls.stop.load(Ordering::SeqCst), 0);
    drop(runtime);
    assert_eq!(calls.stop.load(Ordering::SeqCst), 4);
}

#[test]
fn a_shard_whose_start_hook_panics_is_an_error_of_build() {
    let begun = AtomicUsize::new(0);
    let error = Builder::new_multi_thread()
        .worker_threads(3)
        .on_thread_start(move || assert_ne!(begun.fetch_add(1, Ordering::SeqCst), 1, "the second"))
        .build()
        .expect_err("two of three");
    assert!(error.to_string().contains("on_thread_start"), "{error}");
}

#[test]
fn sleeping_is_announced_and_its_end_too() {
    let calls = Arc::new(Calls::default());
    let runtime = Builder::new_current_thread()
        .on_thread_park(count(&calls, |calls| &calls.park))
        .on_thread_unpark(count(&calls, |calls| &calls.unpark))
        .build()
        .expect("a runtime");
    // What ends the sleep comes after it has begun.
    let (wake, woken) = henge::sync::oneshot::channel();
    let parks = Arc::clone(&calls);
    let waker = thread::spawn(move || {
        let begun = Instant::now();
        while parks.park.load(Ordering::SeqCst) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not sleep");
            thread::yield_now();
        }
        wake.send(())
    });
    assert_eq!(runtime.block_on(woken), Ok(()));
    assert_eq!(waker.join().expect("no panic"), Ok(()));
    let parks = calls.park.load(Ordering::SeqCst);
    assert!(parks >= 1);
    assert_eq!(calls.unpark.load(Ordering::SeqCst), parks);
}

#[test]
fn what_the_park_hook_wakes_runs_before_the_sleep() {
    // A task that only the hook lets go on: were it not run first, the shard would sleep for ever.
    let (send, receive) = std::sync::mpsc::channel::<std::task::Waker>();
    let receive = std::sync::Mutex::new(receive);
    let runtime = Builder::new_current_thread()
        .on_thread_park(move || {
            let waker = receive.lock().expect("no panic inside").try_recv();
            waker.iter().for_each(std::task::Waker::wake_by_ref);
        })
        .build()
        .expect("a runtime");
    let mut first = true;
    runtime.block_on(std::future::poll_fn(|cx| {
        if std::mem::take(&mut first) {
            send.send(cx.waker().clone()).expect("the hook lives");
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(())
    }));
}

#[test]
fn threads_have_their_names() {
    let name = || thread::current().name().unwrap_or_default().to_owned();
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    assert_eq!(runtime.run(move || async move { name() }), "henge-0");
    let named = Builder::new_multi_thread().worker_threads(1).thread_name("app").build();
    let named = named.expect("a runtime");
    assert_eq!(named.run(move || async move { name() }), "app");
    let pool = named.spawn_blocking(name);
    assert_eq!(named.block_on(pool).ok().as_deref(), Some("app"));
}

#[test]
fn shards_have_the_stack_of_a_main_thread() {
    fn deep(level: usize) -> usize {
        let frame = std::hint::black_box([level; 1024]);
        if level == 0 { 0 } else { deep(level - 1) + frame[0] - level + 1 }
    }
    let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    // Some 2.5 to 5 MiB of frames: more than a thread has unless somebody asks.
    assert_eq!(runtime.run(|| async { deep(300) }), 300);
}
