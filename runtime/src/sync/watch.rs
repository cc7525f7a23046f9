//! A channel that keeps the latest value, and tells everybody when it changes.
//!
//! A [`Receiver`] knows which version of the value it has seen. [`Receiver::changed`] waits for one
//! that it has not; versions that come and go between two looks are never seen. What a new
//! receiver finds counts as seen.
//!
//! | | marks the value as seen |
//! |---|---|
//! | [`Receiver::borrow`] | no |
//! | [`Receiver::borrow_and_update`] | yes: what to use in a loop around `changed` |
//! | [`Receiver::changed`], [`Receiver::wait_for`] | yes, when they are ready |
//! | [`Receiver::has_changed`] | no |
//!
//! The channel is closed when the last [`Sender`] is dropped. Then `has_changed` is an error, and
//! `changed` is one as soon as the last value was seen. The value lives until all senders and
//! receivers are gone.
//!
//! # A `Ref` is a lock
//!
//! A [`Ref`] keeps senders from changing the value, so drop it soon, and never hold one across an
//! `.await`: a task of the same shard that sends would block the thread that has to drop it. While
//! a sender waits, new calls of `borrow` may wait behind it; a thread that already holds a `Ref` of
//! the channel must not ask for another.
//!
//! # Examples
//!
//! ```
//! use henge::sync::watch;
//!
//! # #[henge::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut rx) = watch::channel("hello");
//! let task = henge::spawn(async move {
//!     let mut seen = vec![*rx.borrow_and_update()];
//!     while rx.changed().await.is_ok() {
//!         seen.push(*rx.borrow_and_update());
//!     }
//!     seen
//! });
//! henge::task::yield_now().await;
//! tx.send("world").unwrap();
//! drop(tx);
//! assert_eq!(task.await.unwrap(), ["hello", "world"]);
//! # }
//! ```

mod receiver;
mod sender;
mod shared;
#[cfg(all(test, not(henge_loom)))]
mod tests;
mod word;

pub mod error;

pub use receiver::{Receiver, Ref};
pub use sender::{Sender, channel};
