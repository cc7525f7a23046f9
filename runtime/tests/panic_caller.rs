//! Panics that a caller's mistake causes name the caller's line, not one of ours.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;

use henge::runtime::{Builder, Handle};
use henge::task::{self, JoinSet, block_in_place};

static FILE: Mutex<String> = Mutex::new(String::new());

/// Expects `f` to panic, and in this file.
fn names_this_file(what: &str, f: impl FnOnce()) {
    let panicked = panic::catch_unwind(AssertUnwindSafe(f)).is_err();
    let named = std::mem::take(&mut *FILE.lock().unwrap());
    if !panicked || named != file!() {
        drop(panic::take_hook());
        panic!("{what}: {named:?}");
    }
}

// One test: the panic hook is the process's.
#[test]
fn of_every_call_that_needs_a_runtime_or_must_not_be_in_one() {
    panic::set_hook(Box::new(|info| {
        *FILE.lock().unwrap() = info.location().map_or("", |location| location.file()).to_owned();
    }));
    let outside: [(&str, fn()); 9] = [
        ("spawn", || drop(henge::spawn(async {}))),
        ("spawn_local", || drop(task::spawn_local(async {}))),
        ("spawn_blocking", || drop(task::spawn_blocking(|| ()))),
        ("Handle::current", || drop(Handle::current())),
        ("id", || _ = task::id()),
        ("JoinSet::spawn", || _ = JoinSet::new().spawn(async {})),
        ("Builder::spawn", || drop(task::Builder::new().spawn(async {}))),
        ("Builder::spawn_blocking", || drop(task::Builder::new().spawn_blocking(|| ()))),
        ("shard::current", || _ = henge::shard::current()),
    ];
    for (what, call) in outside {
        names_this_file(what, call);
    }

    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        names_this_file("Handle::block_on", || Handle::current().block_on(async {}));
        names_this_file("Runtime::block_on", || runtime.block_on(async {}));
        names_this_file("block_in_place", || block_in_place(|| ()));
        names_this_file("blocking_recv", || {
            let (_send, mut receive) = henge::sync::mpsc::channel::<()>(1);
            receive.blocking_recv();
        });
    });
    names_this_file("worker_threads", || _ = Builder::new_multi_thread().worker_threads(0));
    names_this_file("event_interval", || _ = Builder::new_multi_thread().event_interval(0));
    names_this_file("max_blocking_threads", || {
        _ = Builder::new_multi_thread().max_blocking_threads(0);
    });
    drop(panic::take_hook());
}
