//! How a child process is to be started.

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;

use henge_driver::sys::process::{self as sys, ExitStatus, Output, Stdio};

use super::Child;

/// A program with its arguments, environment and standard descriptors, to be started once or more
/// often. The same as [`std::process::Command`], except for what it starts.
///
/// # Examples
/// ```
/// use henge::process::Command;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let status = Command::new("sh").args(["-c", "exit $CODE"]).env("CODE", "3").status().await?;
/// assert_eq!(status.code(), Some(3));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Command {
    std: sys::Command,
    kill_on_drop: bool,
}

impl Command {
    /// A program by its path, or by its name if it is to be looked for in `PATH`. It inherits the
    /// environment, the folder and the standard descriptors of this process.
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        Command::from(sys::Command::new(program))
    }

    /// The standard library's command inside.
    pub fn as_std(&self) -> &sys::Command {
        &self.std
    }

    /// The standard library's command inside, to be changed.
    pub fn as_std_mut(&mut self) -> &mut sys::Command {
        &mut self.std
    }

    /// The standard library's command; what was said about drops is forgotten.
    pub fn into_std(self) -> sys::Command {
        self.std
    }

    /// One more argument. It is passed on as it is, with no shell in between.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.std.arg(arg);
        self
    }

    /// More arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.std.args(args);
        self
    }

    /// Sets a variable of the environment.
    pub fn env<K: AsRef<OsStr>, V: AsRef<OsStr>>(&mut self, key: K, val: V) -> &mut Command {
        self.std.env(key, val);
        self
    }

    /// Sets variables of the environment.
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Command
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.std.envs(vars);
        self
    }

    /// Takes a variable out of the environment.
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.std.env_remove(key);
        self
    }

    /// Starts with an empty environment.
    pub fn env_clear(&mut self) -> &mut Command {
        self.std.env_clear();
        self
    }

    /// The folder that it starts in.
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Command {
        self.std.current_dir(dir);
        self
    }

    /// What its standard input is: `Stdio::piped()` makes a [`ChildStdin`](super::ChildStdin).
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdin(cfg);
        self
    }

    /// What its standard output is: `Stdio::piped()` makes a [`ChildStdout`](super::ChildStdout).
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdout(cfg);
        self
    }

    /// What its standard error is: `Stdio::piped()` makes a [`ChildStderr`](super::ChildStderr).
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stderr(cfg);
        self
    }

    /// Kills the child when its [`Child`] is dropped before it was waited for, and so also when the
    /// future of [`status`](Command::status) or [`output`](Command::output) is dropped. Off unless
    /// asked for.
    pub fn kill_on_drop(&mut self, kill_on_drop: bool) -> &mut Command {
        self.kill_on_drop = kill_on_drop;
        self
    }

    /// Whether the child is killed when its handle is dropped.
    pub fn get_kill_on_drop(&self) -> bool {
        self.kill_on_drop
    }

    /// The user id that it runs with.
    pub fn uid(&mut self, id: u32) -> &mut Command {
        self.std.uid(id);
        self
    }

    /// The group id that it runs with.
    pub fn gid(&mut self, id: u32) -> &mut Command {
        self.std.gid(id);
        self
    }

    /// What it sees as its own name, its first argument.
    pub fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.std.arg0(arg);
        self
    }

    /// The process group that it starts in; 0 for one of its own.
    pub fn process_group(&mut self, pgroup: i32) -> &mut Command {
        self.std.process_group(pgroup);
        self
    }

    /// Starts it. Starting keeps the thread, for about as long as std's does.
    ///
    /// # Errors
    /// If the program cannot be started (it is not there, or must not be executed), or this process
    /// has no descriptor left for its pipes or its end.
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.spawn_with(sys::Command::spawn)
    }

    /// Starts it by a closure that is given the standard library's command: for what else there is
    /// to set, or for a crate that starts processes in its own way.
    ///
    /// # Errors
    /// Those of the closure, and as [`spawn`](Command::spawn).
    pub fn spawn_with(
        &mut self,
        with: impl FnOnce(&mut sys::Command) -> io::Result<sys::Child>,
    ) -> io::Result<Child> {
        Child::new(with(&mut self.std)?, self.kill_on_drop)
    }

    /// Starts it now; the future waits for its end. What it writes goes where ours does.
    ///
    /// # Errors
    /// As [`spawn`](Command::spawn) and [`Child::wait`].
    ///
    /// # Panics
    /// Where the future is polled outside of a runtime.
    ///
    /// # Cancel safety
    /// The child goes on running if the future is dropped, unless
    /// [`kill_on_drop`](Command::kill_on_drop) was asked for.
    pub fn status(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        let child = self.spawn();
        async {
            let mut child = child?;
            // Pipes that nobody will read or write would only let it wait.
            drop((child.stdout.take(), child.stderr.take()));
            child.wait().await
        }
    }

    /// Starts it now, with piped outputs; the future collects them and waits for its end.
    ///
    /// # Errors
    /// As [`spawn`](Command::spawn) and [`Child::wait_with_output`].
    ///
    /// # Panics
    /// Where the future is polled outside of a runtime.
    ///
    /// # Cancel safety
    /// What was read is lost if it is dropped. The child goes on running, unless
    /// [`kill_on_drop`](Command::kill_on_drop) was asked for.
    pub fn output(&mut self) -> impl Future<Output = io::Result<Output>> + use<> {
        self.std.stdout(Stdio::piped());
        self.std.stderr(Stdio::piped());
        let child = self.spawn();
        async { child?.wait_with_output().await }
    }
}

impl From<sys::Command> for Command {
    fn from(std: sys::Command) -> Command {
        Command { std, kill_on_drop: false }
    }
}
