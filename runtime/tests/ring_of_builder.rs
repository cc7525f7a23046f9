//! Whoever builds a runtime of one thread has a ring for it, whether it then runs it or not. Alone
//! in its file: it counts the process's descriptors.

use std::io;
use std::thread;

use henge::runtime::{Builder, Runtime};

fn build() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

fn descriptors() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

#[test]
fn no_ring_is_left_behind() -> io::Result<()> {
    let before = descriptors()?;

    build().block_on(async {});
    assert_eq!(descriptors()?, before, "run here");

    drop(build());
    assert_eq!(descriptors()?, before, "never run");

    let (first, second) = (build(), build());
    drop(first);
    second.block_on(async {});
    drop(second);
    assert_eq!(descriptors()?, before, "two, of which one was run");

    let other = thread::spawn(|| {
        let runtime = build();
        thread::spawn(move || runtime.block_on(async {})).join()
    });
    assert!(matches!(other.join(), Ok(Ok(()))));
    assert_eq!(descriptors()?, before, "run elsewhere, by a thread that outlives neither");

    for _ in 0..10 {
        let runtime = build();
        assert!(thread::spawn(move || runtime.block_on(async {})).join().is_ok());
    }
    drop(build());
    assert_eq!(descriptors()?, before, "ten, run and dropped elsewhere");

    let (first, second) = (build(), build());
    first.block_on(henge::task::yield_now());
    second.block_on(henge::task::yield_now());
    let third = build();
    drop(first);
    third.block_on(henge::task::yield_now());
    drop((second, third));
    assert_eq!(descriptors()?, before, "built while there was a ring in use");
    Ok(())
}
