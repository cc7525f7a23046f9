//! With the feature `backtrace`, a report of a stall says where the thread is.

use std::sync::mpsc;
use std::time::Duration;

use henge::runtime::Builder;

#[inline(never)]
fn deep_in_a_computation() {
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        std::hint::spin_loop();
    }
}

#[test]
fn the_function_that_keeps_the_shard_is_named() {
    let (tell, told) = mpsc::channel();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .detect_stalls(Duration::from_millis(100))
        .stall_backtraces(true)
        .on_stall(move |stall| drop(tell.send(stall.clone())))
        .build()
        .expect("a runtime");
    runtime.run(|| async { henge::spawn(async { deep_in_a_computation() }).await.ok() });
    let stall = told.recv_timeout(Duration::from_secs(60)).expect("it was reported");
    let backtrace = stall.backtrace().expect("the thread has answered");
    assert!(backtrace.contains("deep_in_a_computation"), "{backtrace}");
    assert!(stall.to_string().ends_with(backtrace.trim_end()));
}

#[test]
fn unless_asked_nothing_is_said_of_it() {
    let (tell, told) = mpsc::channel();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .detect_stalls(Duration::from_millis(100))
        .on_stall(move |stall| drop(tell.send(stall.clone())))
        .build()
        .expect("a runtime");
    runtime.run(|| async { deep_in_a_computation() });
    let stall = told.recv_timeout(Duration::from_secs(60)).expect("it was reported");
    assert_eq!(stall.backtrace(), None);
}
