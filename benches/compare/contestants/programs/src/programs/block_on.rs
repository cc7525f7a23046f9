//! `block_on`, again and again: what tests do, and threads that have something to ask.

use crate::rt::runtime::Runtime;
use crate::rt::{self, sync::mpsc};

/// Futures that have nothing to do.
pub fn nothing(runtime: &Runtime, times: u64) {
    for n in 0..times {
        assert_eq!(runtime.block_on(async { n }), n);
    }
}

/// A task spawned and joined.
pub fn spawns(runtime: &Runtime, times: u64) {
    for n in 0..times {
        let task = async { rt::spawn(async move { n }).await.unwrap() };
        assert_eq!(runtime.block_on(task), n);
    }
}

/// A message that is there already.
pub fn message(runtime: &Runtime, times: u64) {
    let (tx, mut rx) = mpsc::channel(1);
    for n in 0..times {
        tx.try_send(n).unwrap();
        assert_eq!(runtime.block_on(rx.recv()), Some(n));
    }
}

/// A task spawned beforehand, with the runtime entered.
pub fn entered(runtime: &Runtime, times: u64) {
    for n in 0..times {
        let task = {
            let _guard = runtime.enter();
            rt::spawn(async move { n })
        };
        assert_eq!(runtime.block_on(task).unwrap(), n);
    }
}
