//! Our ends of a child's standard pipes.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use henge_driver::sys::process::{self as sys, Stdio};

use crate::io::{AsyncRead, AsyncWrite, ReadBuf};
use crate::net::unix::pipe::{Receiver, Sender};

/// The writing end of a child's standard input. Dropped, it is closed, and the child reads the end.
///
/// # Examples
/// ```
/// use std::process::Stdio;
/// use henge::io::AsyncWriteExt;
/// use henge::process::Command;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut wc = Command::new("wc");
/// let mut child = wc.arg("-l").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
/// let mut stdin = child.stdin.take().unwrap();
/// for line in 0..1000 {
///     stdin.write_all(format!("line {line}\n").as_bytes()).await?;
/// }
/// drop(stdin); // or it would wait for more
/// assert_eq!(child.wait_with_output().await?.stdout.trim_ascii(), b"1000");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStdin(Sender);

/// The reading end of a child's standard output.
///
/// # Examples
/// ```
/// use std::process::Stdio;
/// use henge::io::{AsyncBufReadExt, BufReader};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut seq = henge::process::Command::new("seq");
/// let mut child = seq.arg("100").stdout(Stdio::piped()).spawn()?;
/// let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
/// let mut sum = 0;
/// while let Some(line) = lines.next_line().await? {
///     sum += line.parse::<u32>().expect("a number");
/// }
/// assert_eq!(sum, 5050);
/// assert!(child.wait().await?.success());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStdout(Receiver);

/// The reading end of a child's standard error.
///
/// # Examples
/// ```
/// use std::process::Stdio;
/// use henge::io::AsyncReadExt;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut shell = henge::process::Command::new("sh");
/// let mut child = shell.args(["-c", "echo oh no >&2; exit 1"]).stderr(Stdio::piped()).spawn()?;
/// let mut complaint = String::new();
/// child.stderr.take().unwrap().read_to_string(&mut complaint).await?;
/// assert_eq!((complaint.trim_end(), child.wait().await?.code()), ("oh no", Some(1)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStderr(Receiver);

impl AsyncWrite for ChildStdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

macro_rules! read {
    ($($pipe:ident)*) => {$(
        impl AsyncRead for $pipe {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                Pin::new(&mut self.0).poll_read(cx, buf)
            }
        }
    )*};
}

macro_rules! pipe {
    ($($pipe:ident holds $end:ident {
        $(#[$from_std:meta])* from_std;
        $(#[$into_owned_fd:meta])* into_owned_fd;
    })*) => {$(
        impl $pipe {
            /// Takes over the standard library's pipe.
            ///
            /// # Errors
            /// If it cannot be made non-blocking.
            ///
            /// # Examples
            $(#[$from_std])*
            pub fn from_std(inner: sys::$pipe) -> io::Result<Self> {
                Ok(Self($end::from_owned_fd(OwnedFd::from(inner))?))
            }

            /// The descriptor, blocking as the standard library's pipes are.
            ///
            /// # Errors
            /// If it cannot be made so.
            ///
            /// # Examples
            $(#[$into_owned_fd])*
            pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
                self.0.into_blocking_fd()
            }
        }

        impl AsRawFd for $pipe {
            fn as_raw_fd(&self) -> RawFd {
                self.0.as_raw_fd()
            }
        }

        impl AsFd for $pipe {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        /// To be the standard descriptor of another child.
        impl TryFrom<$pipe> for Stdio {
            type Error = io::Error;

            fn try_from(pipe: $pipe) -> io::Result<Stdio> {
                pipe.into_owned_fd().map(Stdio::from)
            }
        }
    )*};
}

read!(ChildStdout ChildStderr);
pipe! {
    ChildStdin holds Sender {
        /// ```
        /// use std::process::{Command, Stdio};
        /// use henge::io::AsyncWriteExt;
        /// use henge::process::ChildStdin;
        ///
        /// # #[henge::main(flavor = "current_thread")]
        /// # async fn main() -> std::io::Result<()> {
        /// let mut cat = Command::new("cat");
        /// let mut child = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        /// let mut stdin = ChildStdin::from_std(child.stdin.take().unwrap())?;
        /// stdin.write_all(b"meow").await?;
        /// drop(stdin);
        /// let output = henge::task::spawn_blocking(|| child.wait_with_output()).await??;
        /// assert_eq!(output.stdout, b"meow");
        /// # Ok(())
        /// # }
        /// ```
        from_std;
        /// ```
        /// use std::io::Write;
        /// use std::process::Stdio;
        /// use henge::process::Command;
        ///
        /// # #[henge::main(flavor = "current_thread")]
        /// # async fn main() -> std::io::Result<()> {
        /// let mut cat = Command::new("cat");
        /// let mut child = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        /// let stdin = child.stdin.take().unwrap().into_owned_fd()?;
        /// // For a thread that computes what it writes.
        /// let mut file = std::fs::File::from(stdin);
        /// let writer = henge::thread::spawn(move || write!(file, "{}", 6 * 7))?;
        /// assert_eq!(child.wait_with_output().await?.stdout, b"42");
        /// assert!(writer.join().is_ok_and(|written| written.is_ok()));
        /// # Ok(())
        /// # }
        /// ```
        into_owned_fd;
    }
    ChildStdout holds Receiver {
        /// ```
        /// use std::process::{Command, Stdio};
        /// use henge::io::AsyncReadExt;
        /// use henge::process::ChildStdout;
        ///
        /// # #[henge::main(flavor = "current_thread")]
        /// # async fn main() -> std::io::Result<()> {
        /// let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
        /// let mut text = String::new();
        /// let mut stdout = ChildStdout::from_std(child.stdout.take().unwrap())?;
        /// stdout.read_to_string(&mut text).await?;
        /// assert_eq!(text, "hello\n");
        /// child.wait()?; // it has closed its output, and is about to end
        /// # Ok(())
        /// # }
        /// ```
        from_std;
        /// ```
        /// use std::process::Stdio;
        /// use henge::process::Command;
        ///
        /// # #[henge::main(flavor = "current_thread")]
        /// # async fn main() -> std::io::Result<()> {
        /// // seq 3 | tac
        /// let mut seq = Command::new("seq").arg("3").stdout(Stdio::piped()).spawn()?;
        /// let pipe = seq.stdout.take().unwrap().into_owned_fd()?;
        /// let tac = Command::new("tac").stdin(pipe).output().await?;
        /// assert_eq!(tac.stdout, b"3\n2\n1\n");
        /// assert!(seq.wait().await?.success());
        /// # Ok(())
        /// # }
        /// ```
        into_owned_fd;
    }
    ChildStderr holds Receiver {
        /// ```
        /// use std::process::{Command, Stdio};
        /// use henge::io::AsyncReadExt;
        /// use henge::process::ChildStderr;
        ///
        /// # #[henge::main(flavor = "current_thread")]
        /// # async fn main() -> std::io::Result<()> {
        /// let mut ls = Command::new("ls");
        /// let mut child = ls.arg("/no such folder").stderr(Stdio::piped()).spawn()?;
        /// let mut complaint = String::new();
        /// let mut stderr = ChildStderr::from_std(child.stderr.take().unwrap())?;
        /// stderr.read_to_string(&mut complaint).await?;
        /// assert!(complaint.contains("/no such folder"));
        /// assert!(!child.wait()?.success());
        /// # Ok(())
        /// # }
        /// ```
        from_std;
        /// ```
        /// use std::process::Stdio;
        /// use henge::process::Command;
        ///
        /// # #[henge::main(flavor = "current_thread")]
        /// # async fn main() -> std::io::Result<()> {
        /// // ls "/no such folder" 2>&1 | wc -l
        /// let mut ls = Command::new("ls");
        /// let mut ls = ls.arg("/no such folder").stderr(Stdio::piped()).spawn()?;
        /// let pipe = ls.stderr.take().unwrap().into_owned_fd()?;
        /// let wc = Command::new("wc").arg("-l").stdin(pipe).output().await?;
        /// assert_eq!(wc.stdout.trim_ascii(), b"1");
        /// assert!(!ls.wait().await?.success());
        /// # Ok(())
        /// # }
        /// ```
        into_owned_fd;
    }
}
