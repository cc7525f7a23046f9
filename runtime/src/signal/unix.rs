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
    pub const fn from_raw(number: i32) -> SignalKind {
        SignalKind(number)
    }

    /// The signal's number.
    pub const fn as_raw_value(&self) -> i32 {
        self.0
    }

    /// SIGALRM: a timer of the system has expired. By default it ends the process.
    pub const fn alarm() -> SignalKind {
        SignalKind(sys::SIGALRM)
    }

    /// SIGCHLD: a child process has ended or stopped. By default it is ignored.
    pub const fn child() -> SignalKind {
        SignalKind(sys::SIGCHLD)
    }

    /// SIGHUP: the terminal is gone, or, for a server, read the configuration again. By default it
    /// ends the process.
    pub const fn hangup() -> SignalKind {
        SignalKind(sys::SIGHUP)
    }

    /// SIGINT: Ctrl-C. By default it ends the process.
    pub const fn interrupt() -> SignalKind {
        SignalKind(sys::SIGINT)
    }

    /// SIGIO: something can be done on a descriptor. By default it ends the process.
    pub const fn io() -> SignalKind {
        SignalKind(sys::SIGIO)
    }

    /// SIGPIPE: a pipe that nobody reads was written to. Rust programs ignore it unless they say
    /// otherwise.
    pub const fn pipe() -> SignalKind {
        SignalKind(sys::SIGPIPE)
    }

    /// SIGQUIT: Ctrl-\. By default it ends the process with a core dump.
    pub const fn quit() -> SignalKind {
        SignalKind(sys::SIGQUIT)
    }

    /// SIGTERM: please end. By default it does at once.
    pub const fn terminate() -> SignalKind {
        SignalKind(sys::SIGTERM)
    }

    /// SIGUSR1: what the program says it means. By default it ends the process.
    pub const fn user_defined1() -> SignalKind {
        SignalKind(sys::SIGUSR1)
    }

    /// SIGUSR2: what the program says it means. By default it ends the process.
    pub const fn user_defined2() -> SignalKind {
        SignalKind(sys::SIGUSR2)
    }

    /// SIGWINCH: the terminal's window has another size. By default it is ignored.
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
/// ```no_run
/// use henge::signal::unix::{SignalKind, signal};
///
/// # #[henge::main]
/// # async fn main() -> std::io::Result<()> {
/// let mut hangups = signal(SignalKind::hangup())?;
/// loop {
///     hangups.recv().await;
///     println!("reading the configuration again");
/// }
/// # }
/// ```
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    Ok(Signal { wait: None, listener: Listener::new(kind.0)? })
}

/// The signals of one kind that have come since it was made.
///
/// Several that come before one is received are received as one: the kernel does the same.
pub struct Signal {
    /// Under way while somebody waits.
    wait: Option<Op<Readable>>,
    listener: Listener,
}

impl Signal {
    /// The next signal. Never `None`: it is there for programs that come from tokio.
    ///
    /// # Cancel safety
    /// A signal that has come and was not received stays here for the next call.
    pub async fn recv(&mut self) -> Option<()> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`recv`](Signal::recv), for futures written by hand. `None` is never returned.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        loop {
            // First, so that a signal that came in the meantime is not waited for.
            if self.listener.take() {
                return Poll::Ready(Some(()));
            }
            let wait = self.wait.get_or_insert_with(|| submit(Readable::new(self.listener.fd())));
            let readable = ready!(Pin::new(wait).poll(cx));
            self.wait = None;
            if let Err(error) = readable {
                // The ring that it waited on is gone; there may be another where we are now.
                debug_assert!(false, "an eventfd that is never closed: {error}");
            }
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("listener", &self.listener).finish_non_exhaustive()
    }
}
