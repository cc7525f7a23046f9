//! Child processes: started, fed, read and waited for without a thread.
//!
//! The end of a child is waited for on its descriptor (a pidfd), its pipes are read and written by
//! the ring. No handler for SIGCHLD is installed, and children that others start are left alone.
//!
//! A [`Child`] that is dropped goes on running, unless
//! [`kill_on_drop`](Command::kill_on_drop) was asked for. Either way it is reaped when it ends: by
//! the shard that dropped it, or, where there was none, by whoever starts or drops a child next.
//!
//! # Examples
//! ```
//! use henge::process::Command;
//!
//! # #[henge::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let output = Command::new("echo").arg("hello").output().await?;
//! assert!(output.status.success());
//! assert_eq!(output.stdout, b"hello\n");
//! # Ok(())
//! # }
//! ```

mod child;
mod command;
mod orphan;
#[allow(unsafe_code, reason = "hands the caller's promise on to std")]
mod pre_exec;
mod running;
mod stdio;

pub use child::Child;
pub use command::Command;
pub use stdio::{ChildStderr, ChildStdin, ChildStdout};
