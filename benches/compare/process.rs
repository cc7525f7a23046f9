//! Children of the harness: started on their cores, bounded in time, killed when dropped.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Failure;

pub(crate) struct Running {
    child: Child,
    lines: Option<mpsc::Receiver<String>>,
}

impl Running {
    /// Starts a child, on the given cores if any are named. If its standard output is a pipe it is
    /// read from a thread of its own, so that nobody waits for it without a bound.
    pub(crate) fn start(command: &mut Command, cores: Option<&[usize]>) -> Result<Self, Failure> {
        let ours = sched_getaffinity(None)?;
        if let Some(cores) = cores {
            // A child inherits the mask of the thread that starts it.
            let mut set = CpuSet::new();
            cores.iter().for_each(|core| set.set(*core));
            sched_setaffinity(None, &set)?;
        }
        let started = command.spawn();
        sched_setaffinity(None, &ours)?;
        let mut child = started?;
        let lines = child.stdout.take().map(|stdout| {
            let (sender, lines) = mpsc::channel();
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
            lines
        });
        Ok(Running { child, lines })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its standard output.
    pub(crate) fn line(&self, patience: Duration) -> Result<String, Failure> {
        let lines = self.lines.as_ref().ok_or("its output is not a pipe")?;
        match lines.recv_timeout(patience) {
            Ok(line) => Ok(line),
            Err(mpsc::RecvTimeoutError::Timeout) => Err("took too long".into()),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err("ended without an answer".into()),
        }
    }

    /// All lines up to its end.
    pub(crate) fn all_lines(&self, patience: Duration) -> Result<Vec<String>, Failure> {
        let end = Instant::now() + patience;
        let lines = self.lines.as_ref().ok_or("its output is not a pipe")?;
        let mut all = Vec::new();
        loop {
            match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => all.push(line),
                Err(mpsc::RecvTimeoutError::Timeout) => return Err("took too long".into()),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(all),
            }
        }
    }

    /// Waits for its end; none if it did not come in time.
    pub(crate) fn wait(&mut self, patience: Duration) -> Result<Option<ExitStatus>, Failure> {
        let end = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either may fail because it has ended already, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
