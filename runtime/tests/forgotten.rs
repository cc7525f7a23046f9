//! `mem::forget` of the runtime's handles and futures: tasks go on, timers wake nobody, and what
//! was not forgotten ends as always.
//!
//! What is forgotten is memory that nobody frees, so it stands in a static where a leak checker
//! finds it.

use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use henge::runtime::{Builder, Runtime};
use henge::sync::{Mutex as AsyncMutex, Notify, Semaphore, oneshot};
use henge::task::{JoinSet, yield_now};
use henge::time::{interval, sleep, timeout};

static FORGOTTEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// As `mem::forget`, but known to the leak checker.
fn forget<T>(value: T) {
    let place = Box::leak(Box::new(value));
    FORGOTTEN.lock().expect("no panic holds it").push((&raw const *place).addr());
}

/// Polls a future once, finds it pending, and forgets it.
async fn start_and_forget<F: Future>(future: F) {
    let mut future = Box::pin(future);
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending(), "there is nothing yet");
        Poll::Ready(())
    })
    .await;
    forget(future);
}

fn lone() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn shards(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).enable_all().build().expect("a runtime")
}

#[test]
fn join_handles_and_sets() {
    for make in [lone as fn() -> Runtime, || shards(2)] {
        let runtime = make();
        let (send, receive) = mpsc::channel();
        runtime.block_on(async {
            let of_handle = send.clone();
            forget(henge::spawn(async move { of_handle.send(1) }));
            let of_future = send.clone();
            start_and_forget(henge::spawn(async move { of_future.send(2) })).await;
            let mut set = JoinSet::new();
            set.spawn(async move { send.send(3) });
            forget(set);
            for _ in 0..10 {
                yield_now().await;
            }
        });
        let mut ran: Vec<i32> = receive.iter().take(3).collect();
        ran.sort_unstable();
        assert_eq!(ran, [1, 2, 3], "a task runs though nobody can ask for it");
    }
}

#[test]
fn timers() {
    lone().block_on(async {
        for _ in 0..100 {
            start_and_forget(sleep(Duration::from_millis(2))).await;
            start_and_forget(sleep(Duration::from_secs(3600))).await;
            start_and_forget(timeout(Duration::from_millis(2), std::future::pending::<()>())).await;
        }
        let mut ticks = interval(Duration::from_millis(2));
        ticks.tick().await;
        forget(ticks);
        sleep(Duration::from_millis(10)).await;
    });
}

/// What waits in a line goes on waiting, as if its task were never polled; those behind it in
/// another line do not.
#[test]
fn futures_of_channels_and_locks() {
    lone().block_on(async {
        let notify = Notify::new();
        start_and_forget(notify.notified()).await;
        notify.notify_waiters();
        notify.notify_one();
        notify.notified().await;

        let (send, receive) = oneshot::channel();
        start_and_forget(receive).await;
        assert_eq!(send.send(1), Ok(()), "a receiver that is forgotten is there");

        let semaphore = Semaphore::new(0);
        start_and_forget(semaphore.acquire()).await;
        semaphore.add_permits(2);
        assert_eq!(semaphore.available_permits(), 1, "one is for whom it was forgotten");

        let mutex = AsyncMutex::new(0);
        forget(mutex.lock().await);
        assert!(mutex.try_lock().is_err(), "it stays locked");
        forget((notify, semaphore, mutex));
    });
}

/// Its shards go on for the rest of the process's life.
#[test]
fn a_runtime() {
    let runtime = shards(1);
    let handle = runtime.handle().clone();
    forget(runtime);
    let (send, receive) = mpsc::channel();
    drop(handle.spawn(async move {
        sleep(Duration::from_millis(1)).await;
        send.send(())
    }));
    assert_eq!(receive.recv(), Ok(()));
}
