//! A child process until it was waited for, and its status from then on.

use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use henge_driver::ops::Readable;
use henge_driver::sys::process::{self as sys, Child, ExitStatus};
use henge_driver::{Fd, Op, submit};

use super::orphan;

/// A child, with the descriptor that says when it has ended.
pub(super) struct Running {
    stage: Stage,
    process: Arc<Fd>,
    /// Under way while somebody waits.
    wait: Option<Op<Readable<Arc<Fd>>>>,
    kill_on_drop: bool,
}

enum Stage {
    Running(Child),
    /// It was reaped: there is nothing left to kill, and its id may be another's.
    Ended(ExitStatus),
}

impl Running {
    /// Takes a child over. If it cannot be watched it is killed: nobody could wait for it.
    pub(super) fn new(mut child: Child, kill_on_drop: bool) -> io::Result<Running> {
        orphan::reap();
        match sys::open(child.id()) {
            Ok(process) => Ok(Running {
                stage: Stage::Running(child),
                process: Arc::new(process),
                wait: None,
                kill_on_drop,
            }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    /// None once it was reaped.
    pub(super) fn id(&self) -> Option<u32> {
        match &self.stage {
            Stage::Running(child) => Some(child.id()),
            Stage::Ended(_) => None,
        }
    }

    pub(super) fn start_kill(&mut self) -> io::Result<()> {
        match &mut self.stage {
            Stage::Running(child) => child.kill(),
            // Its id may be another's by now.
            Stage::Ended(_) => Ok(()),
        }
    }

    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = match &mut self.stage {
            Stage::Running(child) => child.try_wait()?,
            Stage::Ended(status) => return Ok(Some(*status)),
        };
        if let Some(status) = status {
            self.stage = Stage::Ended(status);
            self.wait = None;
        }
        Ok(status)
    }

    /// Waits for the end. It takes nothing, so nothing is lost if nobody asks again.
    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        loop {
            // First, so that an end that came in the meantime is not waited for.
            if let Some(status) = self.try_wait()? {
                return Poll::Ready(Ok(status));
            }
            // Where it was waited for before, nobody may turn the ring any more.
            self.wait.take_if(|wait| wait.is_elsewhere());
            let process = &self.process;
            let wait = self.wait.get_or_insert_with(|| submit(Readable::new(Arc::clone(process))));
            // An error says that the wait was cancelled, as at the end of its ring.
            _ = ready!(Pin::new(wait).poll(cx));
            self.wait = None;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let stage = mem::replace(&mut self.stage, Stage::Ended(ExitStatus::default()));
        if let Stage::Running(mut child) = stage {
            if self.kill_on_drop {
                // It may have ended by itself; and nobody is there to be told of anything else.
                _ = child.kill();
            }
            orphan::adopt(child, Arc::clone(&self.process));
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("id", &self.id()).finish_non_exhaustive()
    }
}
