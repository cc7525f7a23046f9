//! A supervisor: programs that are started again when they end, and all stopped together.
//!
//! `cargo run -p henge-examples --example 15_supervise -- 'sleep 3' 'echo failed; false'`
//!
//! Each program is waited for on its descriptor, without a thread and without SIGCHLD. One that
//! ends at once waits twice as long each time before it is started again. SIGTERM or Ctrl-C asks
//! all of them to end, and kills those that do not.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use henge::process::{Child, Command};
use henge::signal::unix::{self, SignalKind, signal};
use henge::sync::CancellationToken;
use henge::task::JoinSet;
use henge::time::{Instant, sleep, timeout};
use rustix::process::{Pid, Signal, kill_process_group};

/// How patient a supervisor is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The wait before the first new start, and the longest.
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
    /// Who has run for so long begins with the first wait again.
    pub(crate) stable: Duration,
    /// How long a program may take to end when it is asked to.
    pub(crate) grace: Duration,
}

#[henge::main(flavor = "current_thread")]
pub(crate) async fn main() -> io::Result<()> {
    let patience = Patience {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(30),
        stable: Duration::from_secs(10),
        grace: Duration::from_secs(5),
    };
    let stop = CancellationToken::new();
    let signals = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    henge::spawn(stop_on(signals, stop.clone()));
    let mut programs = JoinSet::new();
    for line in std::env::args().skip(1) {
        let stop = stop.clone();
        programs.spawn(async move {
            let mut command = Command::new("sh");
            command.arg("-c").arg(&line);
            supervise(command, patience, stop, |event| println!("{line}: {event}")).await;
        });
    }
    programs.join_all().await;
    Ok(())
}

/// Cancels `stop` when one of the signals comes.
pub(crate) async fn stop_on([mut one, mut other]: [unix::Signal; 2], stop: CancellationToken) {
    henge::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
    stop.cancel();
}

/// What has become of a program.
#[derive(Debug)]
pub(crate) enum Event {
    Started(Option<u32>),
    Ended(ExitStatus),
    Failed(io::Error),
    /// It is started again after this time.
    Waits(Duration),
    /// It was asked to end, and has.
    Stopped(ExitStatus),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Started(Some(id)) => write!(f, "started as {id}"),
            Event::Started(None) => write!(f, "started"),
            Event::Ended(status) => write!(f, "ended: {status}"),
            Event::Failed(error) => write!(f, "failed: {error}"),
            Event::Waits(time) => write!(f, "starts again in {time:?}"),
            Event::Stopped(status) => write!(f, "stopped: {status}"),
        }
    }
}

/// Keeps a program running until `stop` is cancelled, and tells what happens.
pub(crate) async fn supervise(
    mut command: Command,
    patience: Patience,
    stop: CancellationToken,
    tell: impl Fn(Event),
) {
    // A group of its own: what it starts ends with it, and Ctrl-C on the terminal is for the
    // supervisor alone.
    command.process_group(0).kill_on_drop(true);
    let mut wait = patience.first;
    loop {
        let start = Instant::now();
        match once(&mut command, patience.grace, &stop, &tell).await {
            Ok(event @ Event::Stopped(_)) => return tell(event),
            Ok(event) => tell(event),
            Err(error) => tell(Event::Failed(error)),
        }
        if start.elapsed() >= patience.stable {
            wait = patience.first;
        }
        tell(Event::Waits(wait));
        henge::select! {
            () = sleep(wait) => wait = (wait * 2).min(patience.longest),
            () = stop.cancelled() => return,
        }
    }
}

/// One life of a program.
async fn once(
    command: &mut Command,
    grace: Duration,
    stop: &CancellationToken,
    tell: impl Fn(Event),
) -> io::Result<Event> {
    let mut child = command.spawn()?;
    tell(Event::Started(child.id()));
    henge::select! {
        status = child.wait() => return Ok(Event::Ended(status?)),
        () = stop.cancelled() => {}
    }
    send(&child, Signal::TERM)?;
    // Dropping the wait loses nothing: the next one has the status.
    if timeout(grace, child.wait()).await.is_err() {
        send(&child, Signal::KILL)?;
    }
    Ok(Event::Stopped(child.wait().await?))
}

/// Sends a signal to a program and to what it has started.
fn send(child: &Child, signal: Signal) -> io::Result<()> {
    // Its number is its own until it was waited for, and then there is none.
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    Ok(group.map_or(Ok(()), |group| kill_process_group(group, signal))?)
}
