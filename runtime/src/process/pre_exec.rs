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
    /// ```no_run
    /// let mut command = henge::process::Command::new("true");
    /// // SAFETY: does nothing.
    /// unsafe { command.pre_exec(|| Ok(())) };
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
