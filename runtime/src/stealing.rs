//! Work that may move: the queues of stealable tasks, and who looks at them when.
//!
//! It knows tasks, and nothing of rings or runtimes: how a shard sleeps and is woken it is told.
//! `docs/stealing.md` is the whole in prose.

pub(crate) mod current;
#[allow(unsafe_code, reason = "owned values as pointers in slots that threads share")]
mod deque;
mod idle;
mod injector;
mod policy;
mod pool;
mod worker;

pub use policy::Policy;
pub(crate) use pool::Partition;
pub(crate) use worker::Worker;
