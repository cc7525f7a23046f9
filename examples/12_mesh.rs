//! The mesh: one table in parts, calls to the part that has a key, a channel with back-pressure,
//! and an answer from all.
//!
//! `cargo run --release -p henge-examples --example 12_mesh`
//!
//! The words of a text are counted by all shards together. Each shard has the counts of its own
//! words, and nothing is locked: who finds a word tells the shard that owns it. Progress is told by
//! messages to shard 0.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use henge::mesh::{self, CallError, Sender, Sharded};
use henge::shard::{self, ShardId};

const TEXT: &str = include_str!("12_mesh.rs");

/// What one shard has. It is not `Send`, and never leaves its shard.
type Part = RefCell<HashMap<String, u64>>;

fn owner(word: &str) -> ShardId {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(word);
    ShardId::new(hash as usize % shard::count())
}

/// Counts every n-th line, n being the number of shards.
async fn count_own_lines(
    counts: Sharded<Part>,
    progress: Sender<(ShardId, usize)>,
) -> Result<(), CallError> {
    let own = shard::current();
    // Crossing costs more than counting, so what goes to one shard crosses together.
    let mut for_shard = vec![Vec::new(); shard::count()];
    for line in TEXT.lines().skip(own.index()).step_by(shard::count()) {
        let words = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        for word in words {
            for_shard[owner(word).index()].push(word);
        }
    }
    for (index, words) in for_shard.into_iter().enumerate() {
        let told = words.len();
        // It runs over there and borrows what is there; it may wait, too.
        let count = async move |part: &Part| {
            let mut part = part.borrow_mut();
            for word in words {
                *part.entry(word.to_owned()).or_default() += 1;
            }
        };
        counts.invoke_on(ShardId::new(index), count).await?;
        // Waits while shard 0 has four of ours that it has not received.
        if progress.send((own, told)).await.is_err() {
            println!("nobody listens");
        }
    }
    Ok(())
}

#[henge::main]
async fn main() -> Result<(), CallError> {
    let counts = Sharded::<Part>::start(|_shard| async { Part::default() }).await?;

    // Every shard that sends gets a lane of four places; the port is opened where it leads to.
    let (progress, port) = mesh::channel(ShardId::new(0), 4);
    let mut received = port.open();
    let told = henge::spawn(async move {
        let mut words = 0;
        while let Some((from, more)) = received.recv().await {
            words += more;
            println!("shard {from} found {more} words, {words} by now");
        }
    });

    let all = {
        let counts = counts.clone();
        shard::broadcast(move || count_own_lines(counts.clone(), progress.clone()))
    };
    for ended in all.await {
        ended??;
    }
    // The broadcast had the last senders, so the channel has ended.
    assert!(told.await.is_ok());

    // The first of each shard, then the first of those.
    let firsts = counts.invoke_on_all(async |part: &Part| {
        let part = part.borrow();
        let first = part.iter().max_by_key(|(word, count)| (**count, word.len()));
        first.map(|(word, count)| (word.clone(), *count))
    });
    let firsts = firsts.await?;
    if let Some((word, count)) = firsts.into_iter().flatten().max_by_key(|(_, count)| *count) {
        println!("most often: {word:?}, {count} times");
    }
    counts.stop().await;
    Ok(())
}
