//! Copying from one stream to another: tokio's, counted by this runtime's budget.

use std::io::Result;

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite};

use crate::executor::coop::cooperative;

/// Copies everything from `reader` to `writer`, by a buffer of 8 KiB, and flushes. How many bytes
/// there were.
///
/// # Errors
/// The first that either of them gives.
///
/// # Cancel safety
/// What was read and not yet written is lost if it is dropped.
///
/// # Examples
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut to = Vec::new();
/// assert_eq!(henge::io::copy(&mut &b"hello"[..], &mut to).await?, 5);
/// assert_eq!(to, b"hello");
/// # Ok(())
/// # }
/// ```
pub async fn copy<'a, R, W>(reader: &'a mut R, writer: &'a mut W) -> Result<u64>
where
    R: AsyncRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    cooperative(tokio::io::copy(reader, writer)).await
}

/// As [`copy`], from a reader that has a buffer of its own.
///
/// # Errors
/// The first that either of them gives.
///
/// # Cancel safety
/// Bytes stay in the reader until they are written: nothing is lost if it is dropped.
///
/// # Examples
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut from = henge::io::BufReader::new(&b"hello"[..]);
/// let mut to = Vec::new();
/// assert_eq!(henge::io::copy_buf(&mut from, &mut to).await?, 5);
/// # Ok(())
/// # }
/// ```
pub async fn copy_buf<'a, R, W>(reader: &'a mut R, writer: &'a mut W) -> Result<u64>
where
    R: AsyncBufRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    cooperative(tokio::io::copy_buf(reader, writer)).await
}
