//! Signals by their Unix names.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use henge_driver::ops::Readable;
use henge_driver::sys::signal::{self as sys, Listener};
use henge_driver::{Op, submit};

/// Which signal to listen to.
///
/// # Examples
/// ```
/// use henge::signal::unix::SignalKind;
///
/// assert_eq!(SignalKind::from_raw(15), SignalKind::terminate());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalKind(i32);

impl SignalKind {
    /// A signal by its number.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut resumed = signal(SignalKind::from_raw(18))?; // SIGCONT, which has no name here
    /// # henge::process::Command::new("sh").args(["-c", "kill -CONT $PPID"]).status().await?;
    /// resumed.recv().await;
    /// println!("in the foreground again: drawing the screen anew");
    /// # Ok(())
    /// # }
    /// ```
    pub const fn from_raw(number: i32) -> SignalKind {
        SignalKind(number)
    }

    /// The signal's number.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::SignalKind;
    ///
    /// // A shell's exit code for a program that SIGTERM has ended.
    /// assert_eq!(128 + SignalKind::terminate().as_raw_value(), 143);
    /// ```
    pub const fn as_raw_value(&self) -> i32 {
        self.0
    }

    /// SIGALRM: a timer of the system has expired. By default it ends the process.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut alarms = signal(SignalKind::alarm())?;
    /// // Where `setitimer` was called, say; here somebody else sends it.
    /// # henge::process::Command::new("sh").args(["-c", "kill -ALRM $PPID"]).status().await?;
    /// assert_eq!(alarms.recv().await, Some(()));
    /// # Ok(())
    /// # }
    /// ```
    pub const fn alarm() -> SignalKind {
        SignalKind(sys::SIGALRM)
    }

    /// SIGCHLD: a child process has ended or stopped. By default it is ignored.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut children = signal(SignalKind::child())?;
    /// // Started by something that does not tell when it has ended.
    /// let mut child = std::process::Command::new("true").spawn()?;
    /// children.recv().await;
    /// assert!(child.wait()?.success(), "this does not wait any more");
    /// # Ok(())
    /// # }
    /// ```
    pub const fn child() -> SignalKind {
        SignalKind(sys::SIGCHLD)
    }

    /// SIGHUP: the terminal is gone, or, for a server, read the configuration again. By default it
    /// ends the process.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut hangups = signal(SignalKind::hangup())?;
    /// let mut loaded = 1;
    /// # henge::process::Command::new("sh").args(["-c", "kill -HUP $PPID"]).status().await?;
    /// // In a loop, beside the server.
    /// hangups.recv().await;
    /// loaded += 1;
    /// assert_eq!(loaded, 2, "the configuration was read again");
    /// # Ok(())
    /// # }
    /// ```
    pub const fn hangup() -> SignalKind {
        SignalKind(sys::SIGHUP)
    }

    /// SIGINT: Ctrl-C. By default it ends the process.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// // A second Ctrl-C is for those who do not want to wait for the first.
    /// let mut interrupts = signal(SignalKind::interrupt())?;
    /// # henge::process::Command::new("sh").args(["-c", "kill -INT $PPID"]).status().await?;
    /// interrupts.recv().await;
    /// println!("finishing; press again to give up");
    /// # henge::process::Command::new("sh").args(["-c", "kill -INT $PPID"]).status().await?;
    /// interrupts.recv().await;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn interrupt() -> SignalKind {
        SignalKind(sys::SIGINT)
    }

    /// SIGIO: something can be done on a descriptor. By default it ends the process.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut ready = signal(SignalKind::io())?;
    /// // From a device that tells by a signal (O_ASYNC) and cannot be polled.
    /// # henge::process::Command::new("sh").args(["-c", "kill -IO $PPID"]).status().await?;
    /// assert_eq!(ready.recv().await, Some(()));
    /// # Ok(())
    /// # }
    /// ```
    pub const fn io() -> SignalKind {
        SignalKind(sys::SIGIO)
    }

    /// SIGPIPE: a pipe that nobody reads was written to. Rust programs ignore it unless they say
    /// otherwise.
    ///
    /// # Examples
    /// ```
    /// use std::io::{ErrorKind, Write};
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut broken = signal(SignalKind::pipe())?;
    /// let (reader, mut writer) = std::io::pipe()?;
    /// drop(reader);
    /// // Listened to or not, it is an error of the write.
    /// assert!(writer.write(b"hello?").is_err_and(|error| error.kind() == ErrorKind::BrokenPipe));
    /// assert_eq!(broken.recv().await, Some(()));
    /// # Ok(())
    /// # }
    /// ```
    pub const fn pipe() -> SignalKind {
        SignalKind(sys::SIGPIPE)
    }

    /// SIGQUIT: Ctrl-\. By default it ends the process with a core dump.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut quits = signal(SignalKind::quit())?;
    /// # henge::process::Command::new("sh").args(["-c", "kill -QUIT $PPID"]).status().await?;
    /// quits.recv().await;
    /// println!("{}", henge::metrics::prometheus()); // what it is doing, instead of a core dump
    /// # Ok(())
    /// # }
    /// ```
    pub const fn quit() -> SignalKind {
        SignalKind(sys::SIGQUIT)
    }

    /// SIGTERM: please end. By default it does at once.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut terminate = signal(SignalKind::terminate())?;
    /// # henge::process::Command::new("sh").args(["-c", "kill -TERM $PPID"]).status().await?;
    /// henge::select! {
    ///     _ = terminate.recv() => println!("a service manager wants us to stop"),
    ///     () = std::future::pending() => unreachable!("the server goes on for ever"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub const fn terminate() -> SignalKind {
        SignalKind(sys::SIGTERM)
    }

    /// SIGUSR1: what the program says it means. By default it ends the process.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut rotations = signal(SignalKind::user_defined1())?;
    /// // `kill -USR1`, from whoever has moved the log away.
    /// # henge::process::Command::new("sh").args(["-c", "kill -USR1 $PPID"]).status().await?;
    /// rotations.recv().await;
    /// println!("opening the log again");
    /// # Ok(())
    /// # }
    /// ```
    pub const fn user_defined1() -> SignalKind {
        SignalKind(sys::SIGUSR1)
    }

    /// SIGUSR2: what the program says it means. By default it ends the process.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut toggles = signal(SignalKind::user_defined2())?;
    /// let mut verbose = false;
    /// # henge::process::Command::new("sh").args(["-c", "kill -USR2 $PPID"]).status().await?;
    /// toggles.recv().await;
    /// verbose = !verbose;
    /// assert!(verbose);
    /// # Ok(())
    /// # }
    /// ```
    pub const fn user_defined2() -> SignalKind {
        SignalKind(sys::SIGUSR2)
    }

    /// SIGWINCH: the terminal's window has another size. By default it is ignored.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut resized = signal(SignalKind::window_change())?;
    /// # henge::process::Command::new("sh").args(["-c", "kill -WINCH $PPID"]).status().await?;
    /// resized.recv().await;
    /// println!("asking the terminal for its size, and drawing for that");
    /// # Ok(())
    /// # }
    /// ```
    pub const fn window_change() -> SignalKind {
        SignalKind(sys::SIGWINCH)
    }
}

impl From<i32> for SignalKind {
    fn from(number: i32) -> SignalKind {
        SignalKind(number)
    }
}

impl From<SignalKind> for i32 {
    fn from(kind: SignalKind) -> i32 {
        kind.0
    }
}

/// Listens to a signal from now on, until the [`Signal`] is dropped.
///
/// # Errors
/// For numbers that are no signals, for signals that cannot be handled (SIGKILL, SIGSTOP) or must
/// not return (SIGILL, SIGFPE, SIGSEGV, SIGBUS), and if the process has no descriptor left.
///
/// # Examples
/// ```
/// use henge::signal::unix::{SignalKind, signal};
///
/// # #[henge::main]
/// # async fn main() -> std::io::Result<()> {
/// let mut hangups = signal(SignalKind::hangup())?;
/// # henge::process::Command::new("sh").args(["-c", "kill -HUP $PPID"]).status().await?;
/// loop {
///     hangups.recv().await;
///     println!("reading the configuration again");
/// #   break Ok(());
/// }
/// # }
/// ```
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    Ok(Signal { wait: None, listener: Listener::new(kind.0)? })
}

/// The signals of one kind that have come since it was made.
///
/// Several that come before one is received are received as one: the kernel does the same.
///
/// # Examples
/// ```
/// use henge::process::Command;
/// use henge::signal::unix::{SignalKind, signal};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut one = signal(SignalKind::user_defined1())?;
/// let mut other = signal(SignalKind::user_defined1())?;
/// Command::new("sh").args(["-c", "kill -USR1 $PPID"]).status().await?;
/// // Whoever listens gets it, even if it is waited for only now.
/// assert_eq!(henge::join!(one.recv(), other.recv()), (Some(()), Some(())));
/// # Ok(())
/// # }
/// ```
pub struct Signal {
    /// Under way while somebody waits.
    wait: Option<Op<Readable>>,
    listener: Listener,
}

impl Signal {
    /// The next signal. Never `None`: it is there for programs that come from tokio.
    ///
    /// # Panics
    /// Outside of a runtime, if it has to wait.
    ///
    /// # Cancel safety
    /// A signal that has come and was not received stays here for the next call.
    ///
    /// # Examples
    /// ```
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reports = signal(SignalKind::user_defined1())?;
    /// for _ in 0..2 {
    /// # henge::process::Command::new("sh").args(["-c", "kill -USR1 $PPID"]).status().await?;
    ///     reports.recv().await;
    ///     println!("{} tasks", henge::runtime::Handle::current().metrics().num_alive_tasks());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv(&mut self) -> Option<()> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`recv`](Signal::recv), for futures written by hand: the task that called it last is
    /// woken. `None` is never returned.
    ///
    /// # Panics
    /// Outside of a runtime, if it has to wait.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// use std::task::Poll;
    /// use henge::signal::unix::{SignalKind, signal};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut stops = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    /// # henge::process::Command::new("sh").args(["-c", "kill -INT $PPID"]).status().await?;
    /// let which = poll_fn(|cx| {
    ///     let came = stops.iter_mut().position(|signal| signal.poll_recv(cx).is_ready());
    ///     came.map_or(Poll::Pending, Poll::Ready)
    /// });
    /// assert_eq!(which.await, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        loop {
            // First, so that a signal that came in the meantime is not waited for.
            if self.listener.take() {
                return Poll::Ready(Some(()));
            }
            // Where it was waited for before, nobody may turn the ring any more.
            self.wait.take_if(|wait| wait.is_elsewhere());
            let wait = self.wait.get_or_insert_with(|| submit(Readable::new(self.listener.fd())));
            // An error says that the wait was cancelled, as at the end of its ring.
            _ = ready!(Pin::new(wait).poll(cx));
            self.wait = None;
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("listener", &self.listener).finish_non_exhaustive()
    }
}
