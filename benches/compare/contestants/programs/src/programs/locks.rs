//! Locks and their kin, that several tasks want at once.

use std::sync::Arc;

use crate::rt::runtime::Runtime;
use crate::rt::sync::{Barrier, Mutex, Notify, RwLock, Semaphore};
use crate::rt::task::yield_now;

/// Ten tasks, each of which does its share; what they counted together.
fn ten(
    runtime: &Runtime,
    work: impl Fn(u64) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>>,
) -> u64 {
    let tasks: Vec<_> = (0..10).map(|n| runtime.spawn(work(n))).collect();
    tasks.into_iter().map(|task| runtime.block_on(task).unwrap()).sum()
}

/// A mutex that ten tasks want, and that is held while others run.
pub fn mutex(runtime: &Runtime, times: u64) {
    let count = Arc::new(Mutex::new(0));
    let locked = count.clone();
    let done = ten(runtime, |_| {
        let count = locked.clone();
        Box::pin(async move {
            for _ in 0..times / 10 {
                let mut count = count.lock().await;
                yield_now().await;
                *count += 1;
            }
            times / 10
        })
    });
    assert_eq!(*runtime.block_on(count.lock()), done);
}

/// Eight tasks read a value that two write.
pub fn rwlock(runtime: &Runtime, times: u64) {
    let value = Arc::new(RwLock::new(0));
    let locked = value.clone();
    let written = ten(runtime, |which| {
        let value = locked.clone();
        Box::pin(async move {
            let (mut written, mut latest) = (0, 0);
            for _ in 0..times / 10 {
                if which < 2 {
                    *value.write().await += 1;
                    written += 1;
                } else {
                    let value = value.read().await;
                    assert!(*value >= latest, "it went backwards");
                    latest = *value;
                }
                yield_now().await;
            }
            written
        })
    });
    assert_eq!(*runtime.block_on(value.read()), written);
}

/// A semaphore of four permits, for ten tasks.
pub fn semaphore(runtime: &Runtime, times: u64) {
    let semaphore = Arc::new(Semaphore::new(4));
    let taken = semaphore.clone();
    let done = ten(runtime, |_| {
        let semaphore = taken.clone();
        Box::pin(async move {
            for _ in 0..times / 10 {
                let permit = semaphore.acquire().await.unwrap();
                yield_now().await;
                drop(permit);
            }
            times / 10
        })
    });
    assert_eq!((done, semaphore.available_permits()), (times / 10 * 10, 4));
}

/// Two tasks that notify each other.
pub fn notify(runtime: &Runtime, times: u64) {
    let [there, back] = [(); 2].map(|()| Arc::new(Notify::new()));
    let other = {
        let (there, back) = (there.clone(), back.clone());
        runtime.spawn(async move {
            for _ in 0..times {
                there.notified().await;
                back.notify_one();
            }
            times
        })
    };
    let this = runtime.spawn(async move {
        for _ in 0..times {
            there.notify_one();
            back.notified().await;
        }
        times
    });
    assert_eq!(runtime.block_on(this).unwrap(), runtime.block_on(other).unwrap());
}

/// Ten tasks that wait for each other, round after round. One of each round leads.
pub fn barrier(runtime: &Runtime, times: u64) {
    let barrier = Arc::new(Barrier::new(10));
    let led = ten(runtime, |_| {
        let barrier = barrier.clone();
        Box::pin(async move {
            let mut led = 0;
            for _ in 0..times / 10 {
                led += u64::from(barrier.wait().await.is_leader());
            }
            led
        })
    });
    assert_eq!(led, times / 10);
}
