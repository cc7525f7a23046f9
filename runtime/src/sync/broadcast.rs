//! A channel whose every receiver gets every message.
//!
//! The last `capacity` messages are kept, for all receivers together. A receiver that falls
//! further behind is told how many it has missed, by [`RecvError::Lagged`], and goes on with the
//! oldest that is kept: a slow receiver costs itself messages and nobody else anything.
//!
//! # Examples
//!
//! ```
//! use henge::sync::broadcast;
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
//! [`RecvError::Lagged`]: error::RecvError::Lagged

mod receive;
mod receiver;
mod sender;
mod shared;
mod slots;
#[cfg(all(test, not(henge_loom)))]
mod tests;
mod waiting;

pub mod error;

pub use receiver::Receiver;
pub use sender::{Sender, WeakSender, channel};
