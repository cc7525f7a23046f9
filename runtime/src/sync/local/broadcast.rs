//! A channel whose every receiver gets every message, for one shard; see [`sync::broadcast`].
//!
//! # Examples
//!
//! ```
//! use henge::sync::local::broadcast;
//!
//! # #[henge::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut a) = broadcast::channel(16);
//! let mut b = tx.subscribe();
//! tx.send("hello").unwrap();
//! assert_eq!(a.recv().await, Ok("hello"));
//! assert_eq!(b.recv().await, Ok("hello"));
//! # }
//! ```
//!
//! [`sync::broadcast`]: crate::sync::broadcast

mod receiver;
mod sender;
mod shared;

pub use receiver::Receiver;
pub use sender::{Sender, WeakSender, channel};

pub use crate::sync::broadcast::error;
