//! Between shards: calls, channels, and services that have a part on each.
//!
//! Shards share nothing. What one wants of another it asks for: by a closure that runs over there,
//! or by a message that a task over there receives.
//!
//! | I want | call |
//! |---|---|
//! | an answer from another shard | [`ShardId::call`], [`ShardId::call_sync`] |
//! | an answer from all of them | [`shard::broadcast`], [`shard::map_reduce`] |
//! | one of something on each shard, made and ended together | [`Sharded`] |
//! | not too many calls at a time | [`ServiceGroup`] |
//! | to tell a shard many things, and to be held back if it does not keep up | [`channel`] |
//!
//! What goes to a shard in one turn of the sender's goes as one batch, with one wake if it sleeps.
//!
//! [`ShardId::call`]: crate::shard::ShardId::call
//! [`ShardId::call_sync`]: crate::shard::ShardId::call_sync
//! [`shard::broadcast`]: crate::shard::broadcast
//! [`shard::map_reduce`]: crate::shard::map_reduce
//
// # The rooms
//
// | room | what is in it |
// |---|---|
// | `ring` | a bounded ring between two threads |
// | `lane` | one direction between two shards, and who may take out |
// | `flush` | who has news for others |
// | `local` | what a loop's thread keeps: its lanes, and what it has yet to tell |
// | `peers` | the shards of a runtime |
// | `current` | which loop runs on this thread |
// | `bound` | values of one thread inside what all share |
// | `summons` | how a thread is called by others |
// | `watch` | what a loop looks at without being called |
// | `channel` | typed channels to a shard |
// | `cell`, `call` | a call's memory; calls |
// | `everywhere`, `group`, `sharded` | what is made of calls |
//
// This layer knows tasks and inboxes. It does not know runtimes: the loop of a shard makes a
// `Local`, enters it, and flushes it.

#[allow(unsafe_code, reason = "a value that one thread uses inside what all share")]
mod bound;
mod call;
#[allow(unsafe_code, reason = "a call's memory, which two threads have in turns")]
mod cell;
mod channel;
#[allow(unsafe_code, reason = "what this thread keeps is found through a pointer")]
mod current;
mod error;
mod everywhere;
mod flush;
mod group;
#[allow(unsafe_code, reason = "the permission to take out goes from thread to thread")]
mod lane;
mod local;
mod peers;
#[allow(unsafe_code, reason = "slots that two threads have in turns")]
mod ring;
mod sharded;
#[allow(unsafe_code, reason = "a link that is sent again and again")]
mod summons;
mod watch;

pub use call::Call;
pub use channel::{Port, Receiver, Sender, Sending, channel};
pub use error::{CallError, Panicked};
pub use everywhere::{broadcast, map_reduce};
pub use group::ServiceGroup;
pub use sharded::Sharded;

pub(crate) use current::Entered;
pub(crate) use local::{Local, Urge};
pub(crate) use peers::Peers;
