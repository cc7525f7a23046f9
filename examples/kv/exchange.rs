//! To the shards and back: batches of commands out, the same batches with replies home.
//!
//! A batch crosses as a call: the shard that owns the keys runs the commands in a task of its own,
//! and the answer comes back into memory of the connection's. No connection of that shard takes
//! part, nothing is locked, and a connection has one batch under way to each shard at most. What
//! all connections of a shard send to another in one turn crosses together, with one wake if that
//! shard sleeps. What takes long on the connection's own shard is a call as well: one to itself.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use henge::mesh::{CallError, Sharded};
use henge::shard::ShardId;

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
    shards: &Sharded<Shard>,
    pipeline: &mut Pipeline,
) -> Result<(), CallError> {
    let here = henge::shard::current().index();
    let mut calls: Vec<_> = pipeline
        .outgoing()
        .map(|(owner, batch)| {
            let shards = shards.clone();
            // The closure travels; what it makes over there stays there.
            let call = move || async move { shards.local().work_at(batch, here, &shards).await };
            (owner, ShardId::new(owner).call(call))
        })
        .collect();
    poll_fn(|cx| {
        let mut failed = None;
        calls.retain_mut(|(owner, call)| match Pin::new(call).poll(cx) {
            Poll::Pending => true,
            Poll::Ready(Ok(batch)) => {
                pipeline.returned(*owner, batch);
                false
            }
            Poll::Ready(Err(error)) => {
                failed = Some(error);
                false
            }
        });
        match failed {
            Some(error) => Poll::Ready(Err(error)),
            None if calls.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await
}
