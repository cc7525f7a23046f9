//! How a child process is to be started.

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;

use henge_driver::sys::process::{self as sys, ExitStatus, Output, Stdio};

use super::Child;
use crate::thread;

/// A program with its arguments, environment and standard descriptors, to be started once or more
/// often. The same as [`std::process::Command`], except for what it starts; and the child may run
/// on all CPUs of this process, although the shard that starts it may be pinned to one.
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
    ///
    /// # Examples
    /// ```
    /// use std::io::ErrorKind;
    /// use henge::process::Command;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let found = Command::new("echo").arg("in PATH").output().await?;
    /// assert_eq!(found.stdout, b"in PATH\n");
    /// let missing = Command::new("/no/such/program").spawn();
    /// assert!(missing.is_err_and(|error| error.kind() == ErrorKind::NotFound));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        Command::from(sys::Command::new(program))
    }

    /// The standard library's command inside.
    ///
    /// # Examples
    /// ```
    /// let mut command = henge::process::Command::new("ls");
    /// command.arg("-l").current_dir("/tmp");
    /// // What is about to be run, for a log.
    /// assert_eq!(command.as_std().get_program(), "ls");
    /// assert_eq!(command.as_std().get_args().collect::<Vec<_>>(), ["-l"]);
    /// ```
    pub fn as_std(&self) -> &sys::Command {
        &self.std
    }

    /// The standard library's command inside, to be changed.
    ///
    /// # Examples
    /// ```
    /// use henge::process::Command;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// // Written for the standard library.
    /// fn in_english(command: &mut std::process::Command) {
    ///     command.env("LC_ALL", "C");
    /// }
    ///
    /// let mut command = Command::new("printenv");
    /// in_english(command.arg("LC_ALL").as_std_mut());
    /// assert_eq!(command.output().await?.stdout, b"C\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn as_std_mut(&mut self) -> &mut sys::Command {
        &mut self.std
    }

    /// The standard library's command; what was said about drops is forgotten.
    ///
    /// # Examples
    /// ```
    /// let mut command = henge::process::Command::new("true");
    /// command.kill_on_drop(true);
    /// // Outside of a runtime, where a thread may wait.
    /// assert!(command.into_std().status()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_std(self) -> sys::Command {
        self.std
    }

    /// One more argument. It is passed on as it is, with no shell in between.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = henge::process::Command::new("echo").arg("$HOME  *").output().await?;
    /// assert_eq!(output.stdout, b"$HOME  *\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.std.arg(arg);
        self
    }

    /// More arguments.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let product = henge::process::Command::new("expr").args(["6", "*", "7"]).output().await?;
    /// assert_eq!(product.stdout, b"42\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn args<I, S>(&mut self, args: I) -> &mut Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.std.args(args);
        self
    }

    /// Sets a variable of the environment.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = henge::process::Command::new("sh")
    ///     .args(["-c", "echo $GREETING"])
    ///     .env("GREETING", "hello")
    ///     .output()
    ///     .await?;
    /// assert_eq!(output.stdout, b"hello\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn env<K: AsRef<OsStr>, V: AsRef<OsStr>>(&mut self, key: K, val: V) -> &mut Command {
        self.std.env(key, val);
        self
    }

    /// Sets variables of the environment.
    ///
    /// # Examples
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let settings = BTreeMap::from([("HOST", "localhost"), ("PORT", "7000")]);
    /// let output = henge::process::Command::new("sh")
    ///     .args(["-c", "echo $HOST:$PORT"])
    ///     .envs(settings)
    ///     .output()
    ///     .await?;
    /// assert_eq!(output.stdout, b"localhost:7000\n");
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut command = henge::process::Command::new("printenv");
    /// command.arg("TOKEN").env("TOKEN", "secret");
    /// assert_eq!(command.output().await?.stdout, b"secret\n");
    /// command.env_remove("TOKEN");
    /// assert_eq!(command.output().await?.stdout, b"", "it is nobody else's business");
    /// # Ok(())
    /// # }
    /// ```
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.std.env_remove(key);
        self
    }

    /// Starts with an empty environment.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = henge::process::Command::new("/usr/bin/env")
    ///     .env_clear()
    ///     .env("ALL", "that it has")
    ///     .output()
    ///     .await?;
    /// assert_eq!(output.stdout, b"ALL=that it has\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn env_clear(&mut self) -> &mut Command {
        self.std.env_clear();
        self
    }

    /// The folder that it starts in.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = henge::process::Command::new("pwd").current_dir("/").output().await?;
    /// assert_eq!(output.stdout, b"/\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Command {
        self.std.current_dir(dir);
        self
    }

    /// What its standard input is: `Stdio::piped()` makes a [`ChildStdin`](super::ChildStdin).
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// // It finds the end of its input at once, instead of reading what is typed for us.
    /// let output = henge::process::Command::new("cat").stdin(Stdio::null()).output().await?;
    /// assert_eq!(output.stdout, b"");
    /// # Ok(())
    /// # }
    /// ```
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdin(cfg);
        self
    }

    /// What its standard output is: `Stdio::piped()` makes a [`ChildStdout`](super::ChildStdout).
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    /// use henge::io::{AsyncBufReadExt, BufReader};
    /// use henge::process::Command;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("printf").arg("one\ntwo\n").stdout(Stdio::piped()).spawn()?;
    /// let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("one"), "as soon as it is there");
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("two"));
    /// assert!(child.wait().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdout(cfg);
        self
    }

    /// What its standard error is: `Stdio::piped()` makes a [`ChildStderr`](super::ChildStderr).
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    /// use henge::process::Command;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// // Its complaints, where those of others would come out of ours.
    /// let mut ls = Command::new("ls");
    /// let child = ls.arg("/no such folder").stderr(Stdio::piped()).spawn()?;
    /// let output = child.wait_with_output().await?;
    /// assert!(!output.status.success());
    /// assert!(String::from_utf8_lossy(&output.stderr).contains("/no such folder"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stderr(cfg);
        self
    }

    /// Kills the child when its [`Child`] is dropped before it was waited for, and so also when the
    /// future of [`status`](Command::status) or [`output`](Command::output) is dropped. Off unless
    /// asked for.
    ///
    /// # Examples
    /// ```
    /// use std::process::Stdio;
    /// use henge::io::AsyncReadExt;
    /// use henge::process::Command;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut sleep = Command::new("sleep");
    /// let mut child = sleep.arg("1000").stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    /// let mut stdout = child.stdout.take().unwrap();
    /// drop(child);
    /// // Its end of the pipe is closed: it is no more.
    /// assert_eq!(stdout.read(&mut [0; 8]).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn kill_on_drop(&mut self, kill_on_drop: bool) -> &mut Command {
        self.kill_on_drop = kill_on_drop;
        self
    }

    /// Whether the child is killed when its handle is dropped.
    ///
    /// # Examples
    /// ```
    /// let mut command = henge::process::Command::new("true");
    /// assert!(!command.get_kill_on_drop());
    /// assert!(command.kill_on_drop(true).get_kill_on_drop());
    /// ```
    pub fn get_kill_on_drop(&self) -> bool {
        self.kill_on_drop
    }

    /// The user id that it runs with. Starting it fails where this process may not have that one.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::fs::MetadataExt;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let us = std::fs::metadata("/proc/self")?.uid();
    /// // A server that runs as root would name another one here.
    /// let output = henge::process::Command::new("id").arg("-u").uid(us).output().await?;
    /// assert_eq!(output.stdout, format!("{us}\n").into_bytes());
    /// # Ok(())
    /// # }
    /// ```
    pub fn uid(&mut self, id: u32) -> &mut Command {
        self.std.uid(id);
        self
    }

    /// The group id that it runs with. Starting it fails where this process may not have that one.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::fs::MetadataExt;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let ours = std::fs::metadata("/proc/self")?.gid();
    /// let output = henge::process::Command::new("id").arg("-g").gid(ours).output().await?;
    /// assert_eq!(output.stdout, format!("{ours}\n").into_bytes());
    /// # Ok(())
    /// # }
    /// ```
    pub fn gid(&mut self, id: u32) -> &mut Command {
        self.std.gid(id);
        self
    }

    /// What it sees as its own name, its first argument.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = henge::process::Command::new("cat")
    ///     .arg0("a tiger")
    ///     .arg("/proc/self/cmdline")
    ///     .output()
    ///     .await?;
    /// assert_eq!(output.stdout, b"a tiger\0/proc/self/cmdline\0");
    /// # Ok(())
    /// # }
    /// ```
    pub fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.std.arg0(arg);
        self
    }

    /// The process group that it starts in; 0 for one of its own.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// // Ctrl-C, which goes to our group, will not reach it.
    /// let mut command = henge::process::Command::new("cat");
    /// let output = command.arg("/proc/self/stat").process_group(0).output().await?;
    /// let stat = String::from_utf8_lossy(&output.stdout);
    /// let [id, _name, _state, _parent, group, ..] = stat.split(' ').collect::<Vec<_>>()[..] else {
    ///     panic!("five numbers and more");
    /// };
    /// assert_eq!(group, id, "it leads a group of its own");
    /// # Ok(())
    /// # }
    /// ```
    pub fn process_group(&mut self, pgroup: i32) -> &mut Command {
        self.std.process_group(pgroup);
        self
    }

    /// Starts it. Starting keeps the thread, for about as long as std's does.
    ///
    /// # Errors
    /// If the program cannot be started (it is not there, or must not be executed), or this process
    /// has no descriptor left for its pipes or its end.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut command = henge::process::Command::new("sh");
    /// // The two run beside each other, and beside us.
    /// let (mut one, mut two) = (command.args(["-c", "exit 3"]).spawn()?, command.spawn()?);
    /// assert_ne!(one.id(), two.id());
    /// assert_eq!(one.wait().await?.code(), Some(3));
    /// assert_eq!(two.wait().await?.code(), Some(3));
    /// # Ok(())
    /// # }
    /// ```
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.spawn_with(sys::Command::spawn)
    }

    /// Starts it by a closure that is given the standard library's command: for what else there is
    /// to set, or for a crate that starts processes in its own way.
    ///
    /// # Errors
    /// Those of the closure, and as [`spawn`](Command::spawn).
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut command = henge::process::Command::new("sh");
    /// let mut log = String::new();
    /// let child = command.args(["-c", "exit 0"]).spawn_with(|command| {
    ///     log = format!("starting {command:?}");
    ///     command.spawn()
    /// });
    /// assert!(child?.wait().await?.success());
    /// assert_eq!(log, r#"starting "sh" "-c" "exit 0""#);
    /// # Ok(())
    /// # }
    /// ```
    pub fn spawn_with(
        &mut self,
        with: impl FnOnce(&mut sys::Command) -> io::Result<sys::Child>,
    ) -> io::Result<Child> {
        let child = thread::with_all_cpus(|| with(&mut self.std))?;
        Child::new(child, self.kill_on_drop)
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
    ///
    /// # Examples
    /// ```
    /// use henge::process::Command;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// // Both have been started when the first is waited for.
    /// let (yes, no) = (Command::new("true").status(), Command::new("false").status());
    /// assert_eq!(yes.await?.code(), Some(0));
    /// assert_eq!(no.await?.code(), Some(1));
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut sh = henge::process::Command::new("sh");
    /// let output = sh.args(["-c", "echo answer; echo complaint >&2; exit 3"]).output().await?;
    /// assert_eq!(output.stdout, b"answer\n");
    /// assert_eq!(output.stderr, b"complaint\n");
    /// assert_eq!(output.status.code(), Some(3));
    /// # Ok(())
    /// # }
    /// ```
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
