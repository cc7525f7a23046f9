//! The blocking pool: threads for what would hold up a shard, and a share of them.
//!
//! Closures get there by [`spawn_blocking`](crate::task::spawn_blocking). The pool serves them in
//! the order of arrival, whoever they come from; [`Limit`] keeps one kind of work from taking all
//! of its threads.

pub(crate) mod call;
mod limit;

pub use limit::Limit;
