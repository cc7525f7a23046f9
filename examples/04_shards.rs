//! Many shards: state that belongs to one of them, and work that is sent to it.
//!
//! `cargo run --release -p henge-examples --example 04_shards`
//!
//! Nothing here is shared and nothing is locked. Each shard counts in a cell of its own; who wants
//! another shard's count sends a closure there. The closure travels, and the future that it makes
//! is born, polled and dropped over there, so that it need not be `Send`.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::cell::Cell;

use henge::shard::{self, ShardId};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

#[henge::main]
async fn main() -> std::io::Result<()> {
    // The same future on every shard; this ends when all of them have.
    henge::run_each(|| async {
        let turns = 1000 * (shard::current().index() as u64 + 1);
        for _ in 0..turns {
            COUNT.set(COUNT.get() + 1);
            henge::task::yield_now().await;
        }
        Ok(())
    })
    .await?;

    let mut total = 0;
    for index in 0..shard::count() {
        let count = henge::spawn_on(ShardId::new(index), || async { COUNT.get() });
        let count = count.await.map_err(std::io::Error::other)?;
        println!("shard {index} counted to {count}");
        total += count;
    }
    println!("together: {total}");
    Ok(())
}
