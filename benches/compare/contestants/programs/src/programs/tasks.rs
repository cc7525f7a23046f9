//! Tasks: spawned, joined, aborted, in sets, with values of their own.

use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;

use super::sum;
use crate::rt;
use crate::rt::runtime::Runtime;
use crate::rt::task::{JoinSet, LocalSet, yield_now};

/// A task spawned and joined, one after the other.
pub fn spawn_one(runtime: &Runtime, times: u64) {
    let total = runtime.block_on(async {
        let mut total = 0;
        for n in 0..times {
            total += rt::spawn(async move { n }).await.unwrap();
        }
        total
    });
    assert_eq!(total, sum(times));
}

/// A hundred tasks at a time.
pub fn spawn_many(runtime: &Runtime, times: u64) {
    let total = runtime.block_on(async {
        let mut total = 0;
        for batch in 0..times / 100 {
            let tasks: Vec<_> =
                (0..100).map(|n| rt::spawn(async move { batch * 100 + n })).collect();
            for task in tasks {
                total += task.await.unwrap();
            }
        }
        total
    });
    assert_eq!(total, sum(times / 100 * 100));
}

/// Tasks that are spawned from outside of the runtime, a hundred at a time.
pub fn spawn_outside(runtime: &Runtime, times: u64) {
    let mut total = 0;
    for batch in 0..times / 100 {
        let tasks: Vec<_> =
            (0..100).map(|n| runtime.spawn(async move { batch * 100 + n })).collect();
        for task in tasks {
            total += runtime.block_on(task).unwrap();
        }
    }
    assert_eq!(total, sum(times / 100 * 100));
}

/// Two tasks that give way to each other.
pub fn yield_two(runtime: &Runtime, times: u64) {
    let yields = async move |times: u64| {
        for _ in 0..times {
            yield_now().await;
        }
        times
    };
    runtime.block_on(async {
        let other = rt::spawn(yields(times / 2));
        assert_eq!(yields(times / 2).await, other.await.unwrap());
    });
}

/// Three futures at once, by `join!`.
pub fn join_three(runtime: &Runtime, times: u64) {
    let late = async |n: u64| {
        yield_now().await;
        n
    };
    runtime.block_on(async {
        for n in 0..times {
            assert_eq!(rt::join!(late(n), async { n + 1 }, late(n + 2)), (n, n + 1, n + 2));
        }
    });
}

/// A set of a hundred tasks, again and again.
pub fn join_set(runtime: &Runtime, times: u64) {
    let total = runtime.block_on(async {
        let mut total = 0;
        for batch in 0..times / 100 {
            let mut set = JoinSet::new();
            for n in 0..100 {
                set.spawn(async move { batch * 100 + n });
            }
            while let Some(n) = set.join_next().await {
                total += n.unwrap();
            }
        }
        total
    });
    assert_eq!(total, sum(times / 100 * 100));
}

/// Tasks that would wait for ever, aborted.
pub fn abort(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        for _ in 0..times {
            let task = rt::spawn(pending::<()>());
            yield_now().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
    });
}

rt::task_local! {
    static REQUEST: u64;
}

/// A value that is there for a future, as a request's number is.
pub fn task_local(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        for n in 0..times {
            let handled = REQUEST.scope(n, async { REQUEST.with(|n| *n) });
            assert_eq!(handled.await, n);
        }
    });
}

fn depth(left: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        match left {
            0 => {
                yield_now().await;
                0
            }
            left => depth(left - 1).await + 1,
        }
    })
}

/// An async function that calls itself a hundred times.
pub fn recursion(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        for _ in 0..times / 100 {
            assert_eq!(depth(100).await, 100);
        }
    });
}

/// Tasks of a `LocalSet`, which are not `Send`.
pub fn local_set(runtime: &Runtime, times: u64) {
    let local = LocalSet::new();
    let total = local.block_on(runtime, async {
        let mut total = 0;
        for n in 0..times {
            let shared = Rc::new(n);
            total += *rt::task::spawn_local(async move { shared }).await.unwrap();
        }
        total
    });
    assert_eq!(total, sum(times));
}
