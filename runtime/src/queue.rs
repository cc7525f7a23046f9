//! What the queues of a shard are made of: a ring that only its thread touches, and a stack that
//! every thread may push to. Neither knows what it holds.

pub(crate) mod local;
#[allow(unsafe_code, reason = "links that belong to their owners")]
pub(crate) mod stack;
