//! What runs in the child between fork and exec.

use std::io;
use std::os::unix::process::CommandExt;

use super::Command;

impl Command {
    /// Runs a closure in the child, after the fork and before the program is executed. Closures run
    /// in the order in which they were given; an error ends the start, and comes out of
    /// [`spawn`](Command::spawn).
    ///
    /// # Safety
    /// The closure runs in a copy of one thread of this process: locks that other threads held stay
    /// held for ever. It may only call what is safe after a fork (`signal-safety(7)`): no
    /// allocation, no environment, no locks, and nothing of this runtime.
    ///
    /// # Examples
    /// ```
    /// use std::io;
    /// use henge::process::Command;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> io::Result<()> {
    /// const EPERM: i32 = 1;
    /// let mut command = Command::new("true");
    /// // SAFETY: makes an error of a number, and nothing else.
    /// unsafe { command.pre_exec(|| Err(io::Error::from_raw_os_error(EPERM))) };
    /// let refused = command.status().await;
    /// assert!(refused.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied));
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: the caller promises what std asks for, which is the same.
        unsafe { self.as_std_mut().pre_exec(f) };
        self
    }
}
