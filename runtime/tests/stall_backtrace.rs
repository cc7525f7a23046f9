//! With the feature `backtrace`, a report of a stall says where the thread is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use henge::runtime::Builder;

#[inline(never)]
fn deep_in_a_computation(is_over: &AtomicBool) {
    let begun = Instant::now();
    while !is_over.load(Ordering::Relaxed) && begun.elapsed() < Duration::from_secs(60) {
        std::hint::spin_loop();
    }
}

/// A thread that gets no CPU for a while does not answer, so the stall lasts until it has.
#[test]
fn the_function_that_keeps_the_shard_is_named() {
    let (tell, told) = mpsc::channel();
    let is_over = Arc::new(AtomicBool::new(false));
    let answered = Arc::clone(&is_over);
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .detect_stalls(Duration::from_millis(100))
        .stall_backtraces(true)
        .on_stall(move |stall| {
            if stall.backtrace().is_some() {
                drop(tell.send(stall.clone()));
                answered.store(true, Ordering::Relaxed);
            }
        })
        .build()
        .expect("a runtime");
    runtime
        .run(|| async { henge::spawn(async move { deep_in_a_computation(&is_over) }).await.ok() });
    let stall = told.try_recv().expect("it was reported, and the thread has answered");
    let backtrace = stall.backtrace().expect("only those are told of");
    assert!(backtrace.contains("deep_in_a_computation"), "{backtrace}");
    assert!(stall.to_string().ends_with(backtrace.trim_end()));
}

#[test]
fn unless_asked_nothing_is_said_of_it() {
    let (tell, told) = mpsc::channel();
    let is_over = Arc::new(AtomicBool::new(false));
    let reported = Arc::clone(&is_over);
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .detect_stalls(Duration::from_millis(100))
        .on_stall(move |stall| {
            drop(tell.send(stall.clone()));
            reported.store(true, Ordering::Relaxed);
        })
        .build()
        .expect("a runtime");
    runtime.run(|| async move { deep_in_a_computation(&is_over) });
    let stall = told.try_recv().expect("it was reported");
    assert_eq!(stall.backtrace(), None);
}
