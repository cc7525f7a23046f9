//! The process's standard input, output and error.
//!
//! Each handle is a [`File`] on a descriptor of its own for the same open file, made when it is
//! first used. What a file does about pipes, terminals and half-done transfers holds here.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use henge_fs::File;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One of the three, opened when it is first used: making a handle cannot fail.
struct Standard<S> {
    std: S,
    file: Option<File>,
}

impl<S: AsFd> Standard<S> {
    fn new(std: S) -> Standard<S> {
        Standard { std, file: None }
    }

    fn open(&mut self) -> io::Result<Pin<&mut File>> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::from_std(self.std.as_fd().try_clone_to_owned()?.into()),
        };
        Ok(Pin::new(self.file.insert(file)))
    }
}

/// A handle of the standard input; made by [`stdin`].
///
/// # Examples
/// ```no_run
/// use henge::io::{AsyncReadExt, stdin};
///
/// # #[henge::main(worker_threads = 2)]
/// # async fn main() -> std::io::Result<()> {
/// let (mut stdin, mut bytes) = (stdin(), [0; 8]);
/// let read = stdin.read(&mut bytes);
/// match henge::time::timeout(std::time::Duration::from_secs(10), read).await {
///     Ok(read) => println!("{} bytes", read?),
///     Err(_) => println!("nobody is there"),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Stdin(Standard<io::Stdin>);

/// A handle of the standard output; made by [`stdout`].
///
/// # Examples
/// ```
/// use henge::io::{AsyncWriteExt, BufWriter, stdout};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// // Many small writes as one.
/// let mut out = BufWriter::new(stdout());
/// for n in 1..=100 {
///     out.write_all(format!("{n}\n").as_bytes()).await?;
/// }
/// out.flush().await?;
/// assert_eq!(out.buffer(), b"");
/// # Ok(())
/// # }
/// ```
pub struct Stdout(Standard<io::Stdout>);

/// A handle of the standard error; made by [`stderr`].
///
/// # Examples
/// ```
/// use std::io::IsTerminal;
/// use std::os::fd::AsFd;
/// use henge::io::{AsyncWriteExt, stderr};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut log = stderr();
/// let red = if log.as_fd().is_terminal() { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
/// log.write_all(format!("{}disk full{}\n", red.0, red.1).as_bytes()).await?;
/// log.flush().await?;
/// # Ok(())
/// # }
/// ```
pub struct Stderr(Standard<io::Stderr>);

/// A handle of the process's standard input.
///
/// No thread reads for it: a read that nobody waits for any more is cancelled, and keeps neither
/// the runtime nor the process from ending. It does not share a buffer with [`std::io::stdin`], nor
/// with other handles: what one of them has read is not there for the others.
///
/// # Cancel safety
/// A read that is dropped loses nothing, as long as the handle stays.
///
/// # Examples
/// ```no_run
/// use henge::io::{AsyncBufReadExt, BufReader, stdin};
///
/// # #[henge::main]
/// # async fn main() -> std::io::Result<()> {
/// let mut lines = BufReader::new(stdin()).lines();
/// while let Some(line) = lines.next_line().await? {
///     println!("{} characters", line.chars().count());
/// }
/// # Ok(())
/// # }
/// ```
pub fn stdin() -> Stdin {
    Stdin(Standard::new(io::stdin()))
}

/// A handle of the process's standard output.
///
/// What is written has been taken, and is on its way: `flush` waits until it has arrived, and tells
/// of an error. Two handles do not wait for each other, and neither does `println!`, so what they
/// write at the same time comes in any order.
///
/// # Examples
/// ```
/// use henge::io::{AsyncWriteExt, stdout};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut stdout = stdout();
/// stdout.write_all(b"hello\n").await?;
/// stdout.flush().await?;
/// # Ok(())
/// # }
/// ```
pub fn stdout() -> Stdout {
    Stdout(Standard::new(io::stdout()))
}

/// A handle of the process's standard error. It behaves as [`stdout`] does.
///
/// # Examples
/// ```
/// use henge::io::{AsyncWriteExt, stderr};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut stderr = stderr();
/// stderr.write_all(b"something is odd\n").await?;
/// stderr.flush().await?;
/// # Ok(())
/// # }
/// ```
pub fn stderr() -> Stderr {
    Stderr(Standard::new(io::stderr()))
}

impl AsyncRead for Stdin {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.open()?.poll_read(cx, buf)
    }
}

macro_rules! written {
    ($($handle:ident)*) => {$(
        impl AsyncWrite for $handle {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.0.open()?.poll_write(cx, buf)
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.0.open()?.poll_flush(cx)
            }

            fn poll_shutdown(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                // It stays open for the rest of the process.
                self.poll_flush(cx)
            }
        }
    )*};
}

macro_rules! descriptor {
    ($($handle:ident)*) => {$(
        impl AsRawFd for $handle {
            fn as_raw_fd(&self) -> RawFd {
                self.0.std.as_raw_fd()
            }
        }

        impl AsFd for $handle {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.std.as_fd()
            }
        }

        impl fmt::Debug for $handle {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($handle)).finish_non_exhaustive()
            }
        }
    )*};
}

written!(Stdout Stderr);
descriptor!(Stdin Stdout Stderr);
