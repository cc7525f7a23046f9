//! A runtime, a task, and where they run.
//!
//! `cargo run -p henge-examples --example 01_hello`
//!
//! `#[henge::main]` starts a shard on every CPU that the process may use: a thread with a ring, a
//! queue of tasks and a wheel of timers of its own. `main` runs on shard 0. What it spawns stays
//! there: a task never moves to another thread, so it may hold an `Rc`.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::rc::Rc;

use henge::shard;

#[henge::main]
async fn main() {
    println!("hello from shard {} of {}", shard::current(), shard::count());

    let name: Rc<str> = "a task that is not Send".into();
    let task = henge::spawn(async move { format!("{name}, on shard {}", shard::current()) });

    // As in tokio: a panic in a task is an error here, and no more.
    match task.await {
        Ok(text) => println!("hello from {text}"),
        Err(error) => eprintln!("it failed: {error}"),
    }
}
