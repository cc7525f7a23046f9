//! The queues of a shard: the run queue that only its thread touches, and the inbox that every
//! thread may push to.

#[allow(unsafe_code, reason = "closures of any type behind links")]
pub(crate) mod inbox;
pub(crate) mod local;
#[allow(unsafe_code, reason = "links that belong to their owners")]
pub(crate) mod stack;
