//! A channel that keeps the latest value, for one shard; see [`sync::watch`].
//!
//! The value cannot be changed while somebody holds a [`Ref`] of it, and cannot be looked at from
//! inside a closure that changes it: both panic, as with a `RefCell`.
//!
//! # Examples
//!
//! ```
//! use henge::sync::local::watch;
//!
//! # #[henge::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut rx) = watch::channel("hello");
//! henge::spawn(async move { tx.send("goodbye") });
//! rx.changed().await.unwrap();
//! assert_eq!(*rx.borrow_and_update(), "goodbye");
//! # }
//! ```
//!
//! [`sync::watch`]: crate::sync::watch

mod receiver;
mod sender;
mod shared;

pub use receiver::{Receiver, Ref};
pub use sender::{Sender, channel};

pub use crate::sync::watch::error;
