//! A child process that was started.

use std::future::poll_fn;
use std::io;

use henge_driver::sys::process::{self as sys, ExitStatus, Output};

use super::running::Running;
use super::stdio::{ChildStderr, ChildStdin, ChildStdout};
use crate::io::{AsyncRead, AsyncReadExt};

/// A child process; made by [`Command::spawn`](super::Command::spawn).
///
/// Dropped, it goes on running unless [`kill_on_drop`](super::Command::kill_on_drop) was asked for,
/// and is reaped when it ends.
///
/// # Examples
/// ```
/// use std::process::Stdio;
///
/// use henge::io::{AsyncReadExt, AsyncWriteExt};
/// use henge::process::Command;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
/// let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
/// stdin.write_all(b"meow").await?;
/// drop(stdin);
/// let mut heard = String::new();
/// stdout.read_to_string(&mut heard).await?;
/// assert_eq!(heard, "meow");
/// assert!(child.wait().await?.success());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Child {
    running: Running,
    /// The writing end of its standard input, if that was piped.
    pub stdin: Option<ChildStdin>,
    /// The reading end of its standard output, if that was piped.
    pub stdout: Option<ChildStdout>,
    /// The reading end of its standard error, if that was piped.
    pub stderr: Option<ChildStderr>,
}

impl Child {
    pub(super) fn new(mut child: sys::Child, kill_on_drop: bool) -> io::Result<Child> {
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // First: from here on the child is killed or reaped whatever fails.
        let running = Running::new(child, kill_on_drop)?;
        Ok(Child {
            running,
            stdin: pipes.0.map(ChildStdin::from_std).transpose()?,
            stdout: pipes.1.map(ChildStdout::from_std).transpose()?,
            stderr: pipes.2.map(ChildStderr::from_std).transpose()?,
        })
    }

    /// Its process id. `None` once it was waited for: the number may be another's then.
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    /// use henge::io::AsyncReadExt;
    /// use henge::process::Command;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut shell = Command::new("sh").args(["-c", "echo $$"]).stdout(Stdio::piped()).spawn()?;
    /// let id = shell.id().expect("it was not waited for");
    /// let mut said = String::new();
    /// shell.stdout.take().unwrap().read_to_string(&mut said).await?;
    /// assert_eq!(said.trim_end(), id.to_string());
    /// shell.wait().await?;
    /// assert_eq!(shell.id(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(&self) -> Option<u32> {
        self.running.id()
    }

    /// Kills it (SIGKILL), without waiting for its end. Once it was waited for this does nothing.
    ///
    /// # Errors
    /// If this process may not kill it: it runs as another user by now.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::process::ExitStatusExt;
    /// use henge::process::Command;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut sleep = Command::new("sleep");
    /// let mut children = [sleep.arg("1000").spawn()?, sleep.spawn()?];
    /// for child in &mut children {
    ///     child.start_kill()?; // all at once
    /// }
    /// for child in &mut children {
    ///     assert_eq!(child.wait().await?.signal(), Some(9));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_kill(&mut self) -> io::Result<()> {
        self.running.start_kill()
    }

    /// Kills it (SIGKILL) and waits for its end.
    ///
    /// # Errors
    /// As [`start_kill`](Child::start_kill) and [`wait`](Child::wait). A child that has ended
    /// already is none.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    /// It is killed at the first poll. Dropped after that, the end can still be waited for.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::process::ExitStatusExt;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = henge::process::Command::new("sleep").arg("1000").spawn()?;
    /// child.kill().await?;
    /// assert_eq!(child.id(), None, "it has ended, and was reaped");
    /// assert_eq!(child.wait().await?.signal(), Some(9));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn kill(&mut self) -> io::Result<()> {
        self.start_kill()?;
        self.wait().await?;
        Ok(())
    }

    /// Waits for its end, having closed its standard input if that is here: a child that reads
    /// until there is no more would wait for us.
    ///
    /// # Errors
    /// If the system cannot tell, for example since somebody else has waited for all children.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped, except for the standard input, which is closed.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = henge::process::Command::new("false").spawn()?;
    /// assert_eq!(child.wait().await?.code(), Some(1));
    /// assert_eq!(child.wait().await?.code(), Some(1), "the status is kept");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        poll_fn(|cx| self.running.poll_wait(cx)).await
    }

    /// Its status, if it has ended.
    ///
    /// # Errors
    /// As [`wait`](Child::wait).
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = henge::process::Command::new("cat").stdin(Stdio::piped()).spawn()?;
    /// assert!(child.try_wait()?.is_none(), "it reads until there is no more");
    /// drop(child.stdin.take());
    /// child.wait().await?;
    /// assert!(child.try_wait()?.is_some_and(|status| status.success()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.running.try_wait()
    }

    /// Waits for its end and for all that it writes to those of its outputs that are here.
    ///
    /// # Errors
    /// As [`wait`](Child::wait), and if an output cannot be read.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    /// What was read is lost if it is dropped, and the child with it: see
    /// [`kill_on_drop`](super::Command::kill_on_drop).
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    /// use henge::io::AsyncWriteExt;
    /// use henge::process::Command;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut sort = Command::new("sort").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    /// sort.stdin.as_mut().unwrap().write_all(b"pear\napple\n").await?;
    /// let output = sort.wait_with_output().await?; // which closes its standard input
    /// assert_eq!(output.stdout, b"apple\npear\n");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        async fn all(output: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            if let Some(mut output) = output {
                output.read_to_end(&mut bytes).await?;
            }
            Ok(bytes)
        }
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let (status, stdout, stderr) = crate::try_join!(self.wait(), all(stdout), all(stderr))?;
        Ok(Output { status, stdout, stderr })
    }
}
