//! Channels with many senders and one receiver.
//!
//! [`channel`] has a bound and makes senders wait when it is reached; [`unbounded_channel`] has
//! none, and its owner answers for its length. Messages arrive in the order in which they were
//! sent. Senders and receivers work from any thread, inside a runtime or not: outside, the
//! `blocking_*` functions wait.
//!
//! The channel is closed when the last sender or the receiver is dropped, or by
//! [`Receiver::close`]. What was sent before can still be received.
//!
//! # Examples
//!
//! ```
//! use henge::sync::mpsc;
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

mod bounded;
mod chan;
mod futures;
mod permit;
pub(super) mod poll;
mod receive;
mod receiver;
mod returned;
mod unbounded;

pub mod error;

pub use bounded::{Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use receiver::{Receiver, UnboundedReceiver};
pub use unbounded::{UnboundedSender, WeakUnboundedSender, unbounded_channel};
