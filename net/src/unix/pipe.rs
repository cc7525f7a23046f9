//! Pipes: anonymous ones, and those that have a path.
//!
//! Both ends are non-blocking, and are read and written by direct calls: what a pipe transfers is
//! copied at once, at most 64 KiB of it, or not at all. Where it is not, a poll on the ring tells
//! when to try again. Nothing is read ahead of a call, so a dropped future loses nothing.

mod end;
mod open_options;
mod receiver;
mod sender;

use std::io;

use henge_driver::sys::pipe as sys;

pub use open_options::OpenOptions;
pub use receiver::Receiver;
pub use sender::Sender;

/// Makes a pipe.
///
/// # Errors
///
/// What the kernel answers.
///
/// # Examples
///
/// ```
/// # use henge_net::unix::pipe;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let (mut sender, mut receiver) = pipe::pipe()?;
/// sender.write_all(b"hello").await?;
/// drop(sender);
/// let mut text = String::new();
/// receiver.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn pipe() -> io::Result<(Sender, Receiver)> {
    let (reader, writer) = sys::pipe()?;
    Ok((Sender::from_owned_fd_unchecked(writer)?, Receiver::from_owned_fd_unchecked(reader)?))
}
