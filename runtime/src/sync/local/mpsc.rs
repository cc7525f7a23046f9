//! Channels with many senders and one receiver, for one shard; see [`sync::mpsc`].
//!
//! # Examples
//!
//! ```
//! use henge::sync::local::mpsc;
//!
//! # #[henge::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut rx) = mpsc::channel(16);
//! henge::spawn(async move {
//!     for n in 0..3 {
//!         tx.send(n).await.unwrap();
//!     }
//! });
//! let mut got = Vec::new();
//! while let Some(n) = rx.recv().await {
//!     got.push(n);
//! }
//! assert_eq!(got, [0, 1, 2]);
//! # }
//! ```
//!
//! [`sync::mpsc`]: crate::sync::mpsc

mod bounded;
mod chan;
mod permit;
mod receiver;
mod unbounded;

pub use bounded::{Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use receiver::{Receiver, UnboundedReceiver};
pub use unbounded::{UnboundedSender, WeakUnboundedSender, unbounded_channel};

pub use crate::sync::mpsc::error;
