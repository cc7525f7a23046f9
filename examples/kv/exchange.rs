//! To the shards and back: batches of commands out, the same batches with replies home.
//!
//! A batch crosses by a call: the shard that owns the keys runs the commands between two of its
//! tasks, and the answer comes back into memory of the caller's. No connection of that shard takes
//! part, nothing is locked, and a connection has one batch under way to each shard at most.
//!
//! A call costs both shards more than a command does, so what is only a few commands goes
//! [together](crate::courier) with what others ask in the same turn. What would keep that shard
//! from everybody has a task of its own over there: what takes long or is large, and, where changes
//! are written down, everything, since an answer waits for the disk then. What takes long on the
//! connection's own shard is a call as well: one to itself.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use henge::mesh::{Call, Sharded};
use henge::shard::ShardId;
use henge::sync::local::oneshot;

use crate::batch::Batch;
use crate::pipeline::Pipeline;
use crate::shard::Shard;

/// Has the pipeline's batches worked on by their shards, all of them at once.
///
/// # Errors
///
/// If a shard has ended, or could not cope with a command. Its batch is lost.
///
/// # Cancel safety
///
/// Dropped, commands that have begun are run, and no reply comes back.
pub(crate) async fn exchange(
    shard: &Shard,
    shards: &Sharded<Shard>,
    pipeline: &mut Pipeline,
) -> io::Result<()> {
    let mut outgoing =
        pipeline.outgoing().map(|(owner, batch)| (owner, send(shard, shards, owner, batch)));
    // There is one, as a rule, and then no list of them.
    let mut first = outgoing.next();
    let mut others: Vec<_> = outgoing.collect();
    poll_fn(|cx| {
        let mut failed = None;
        let mut is_away = |(owner, away): &mut (usize, Away)| match away.poll(cx) {
            Poll::Pending => true,
            Poll::Ready(Ok(batch)) => {
                pipeline.returned(*owner, batch);
                false
            }
            Poll::Ready(Err(error)) => {
                failed = Some(error);
                false
            }
        };
        first.take_if(|first| !is_away(first));
        others.retain_mut(is_away);
        match failed {
            Some(error) => Poll::Ready(Err(error)),
            None if first.is_none() && others.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await
}

/// Sends one batch, or hands it in to be sent.
fn send(shard: &Shard, shards: &Sharded<Shard>, owner: usize, batch: Box<Batch>) -> Away {
    /// So many commands are worth a call.
    const MANY: usize = 4;
    /// So many bytes of words are worth a task.
    const LARGE: usize = 4 << 10;
    let (here, to) = (henge::shard::current().index(), ShardId::new(owner));
    let requests = batch.requests();
    let is_long = requests.has_job() || requests.bytes() > LARGE || shard.keeps_log();
    if is_long || owner == here {
        let shards = shards.clone();
        // The closure travels; what it makes over there stays there.
        let call = move || async move { shards.local().work_at(batch, here, &shards).await };
        Away::Alone(to.call(call))
    } else if requests.len() >= MANY {
        let shards = shards.clone();
        Away::Alone(to.call_sync(move || shards.local().work_now(batch)))
    } else {
        Away::Together(shard.courier(owner).send(shards, batch))
    }
}

/// A batch on its way.
enum Away {
    Together(oneshot::Receiver<Box<Batch>>),
    Alone(Call<Box<Batch>>),
}

impl Away {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Box<Batch>>> {
        match self {
            Away::Together(batch) => Pin::new(batch).poll(cx).map_err(io::Error::other),
            Away::Alone(call) => Pin::new(call).poll(cx).map_err(io::Error::other),
        }
    }
}
