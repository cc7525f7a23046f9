//! Waiting for signals of the process.
//!
//! A signal is taken over when it is first waited for, and never unasked: from then on it no longer
//! ends the process, also when nobody waits for it any more. What handled it before is still
//! called.
//!
//! # Examples
//! A server that stops well:
//! ```
//! use henge::signal::unix::{SignalKind, signal};
//!
//! #[henge::main]
//! async fn main() -> std::io::Result<()> {
//!     let mut terminate = signal(SignalKind::terminate())?;
//!     henge::spawn(async { /* serve */ });
//! #   henge::process::Command::new("sh").args(["-c", "kill -TERM $PPID"]).status().await?;
//!     henge::select! {
//!         stop = henge::signal::ctrl_c() => stop,
//!         _ = terminate.recv() => Ok(()),
//!     }
//! }
//! ```

use std::io;

pub mod unix;

/// Ends when the process gets the next SIGINT, which is what Ctrl-C sends.
///
/// It is listened for from the first poll on.
///
/// # Errors
/// If the signal cannot be taken over: the process has no descriptor left.
///
/// # Panics
/// Outside of a runtime.
///
/// # Cancel safety
/// A signal that comes after the future is dropped is lost to this call, and ends the process no
/// more. To lose none between two waits, keep a [`unix::Signal`].
///
/// # Examples
/// ```
/// # #[henge::main]
/// # async fn main() -> std::io::Result<()> {
/// # henge::spawn(async { // somebody presses it
/// #     henge::process::Command::new("sh").args(["-c", "kill -INT $PPID"]).status().await
/// # });
/// henge::signal::ctrl_c().await?;
/// println!("stopping");
/// # Ok(())
/// # }
/// ```
pub async fn ctrl_c() -> io::Result<()> {
    unix::signal(unix::SignalKind::interrupt())?.recv().await;
    Ok(())
}
