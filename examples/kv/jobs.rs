//! What takes long: cut out of the store at one moment, and done in pieces, beside everything else.
//!
//! A command that has to look at a great many keys or elements would keep its shard from everybody.
//! It takes a snapshot instead, which costs little, and the rest is a [`Job`] in pieces of a few
//! hundred microseconds at most. With `--steal` these go to whichever shards have time. Without,
//! they stay here, and everybody else has a turn between two of them.

mod keys;
mod sort;

use henge::steal;
use henge::task::{JoinError, yield_now};

use crate::batch::Batch;
use crate::resp::Reply;

pub use keys::Keys;
pub use sort::{Sort, Source};

/// Keys or elements in one piece.
const PIECE: usize = 4096;

/// What is left of a command to be done.
#[derive(Debug)]
pub enum Job {
    /// KEYS.
    Keys(Keys),
    /// SORT.
    Sort(Sort),
}

/// What came of a job.
#[derive(Debug)]
pub enum Done {
    /// The command's reply.
    Reply(Reply),
    /// Commands for the shard of this key, in the same database. The reply to the last of them is
    /// the command's.
    Then(Box<[u8]>, Box<Batch>),
}

/// Who runs the pieces of jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pieces {
    /// This shard, one after the other.
    #[default]
    Here,
    /// Whichever shards have time.
    Anywhere,
}

impl Job {
    /// Does it.
    ///
    /// # Errors
    ///
    /// If a piece panicked, or the server ends.
    ///
    /// # Cancel safety
    ///
    /// Dropped, pieces that are elsewhere are run for nothing.
    pub async fn run(self, pieces: Pieces) -> Result<Done, JoinError> {
        match self {
            Job::Keys(keys) => keys.run(pieces).await,
            Job::Sort(sort) => sort.run(pieces).await,
        }
    }
}

impl Pieces {
    /// Runs pieces; what they end with, in order.
    async fn run<F>(self, pieces: Vec<F>) -> Result<Vec<F::Output>, JoinError>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut done = Vec::with_capacity(pieces.len());
        // A single one is not worth the way.
        if self == Pieces::Here || pieces.len() == 1 {
            for piece in pieces {
                done.push(piece.await);
                yield_now().await;
            }
        } else {
            let tasks: Vec<_> = pieces.into_iter().map(steal::spawn).collect();
            for task in tasks {
                done.push(task.await?);
            }
        }
        Ok(done)
    }
}

/// One reply of several parts, which stand one behind the other.
fn joined(mut head: Reply, parts: &[Reply]) -> Done {
    for part in parts {
        head.append(part, Default::default(), part.mark());
    }
    Done::Reply(head)
}
