//! A poll that keeps its shard from everything else, as somebody is told of it.

use std::fmt;
use std::io::{self, Write};
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::executor::Id;
use crate::executor::roster::Origin;
use crate::shard_id::ShardId;

/// A poll that takes too long, as [`Builder::on_stall`](super::Builder::on_stall) hears of it.
///
/// Printed, it is a sentence for a log.
///
/// # Examples
/// ```
/// use std::sync::mpsc;
/// use std::time::Duration;
///
/// let (tell, told) = mpsc::channel();
/// let runtime = henge::runtime::Builder::new_multi_thread()
///     .worker_threads(1)
///     .detect_stalls(Duration::from_millis(10))
///     .on_stall(move |stall| drop(tell.send((stall.shard(), stall.name().map(String::from)))))
///     .build()?;
/// runtime.run(|| async {
///     let busy = henge::task::Builder::new().name("busy").spawn(async {
///         std::thread::sleep(Duration::from_millis(100)); // what nobody should do
///     });
///     busy.map(drop)
/// })?;
/// let (shard, name) = told.recv().expect("the detector has told");
/// assert_eq!((shard.index(), name.as_deref()), (0, Some("busy")));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Stall {
    pub(super) shard: ShardId,
    pub(super) task: Id,
    pub(super) origin: Option<Origin>,
    pub(super) lasted: Duration,
    #[cfg(feature = "backtrace")]
    pub(super) backtrace: Option<String>,
}

impl Stall {
    /// The shard that nothing else runs on.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The task. Where it is the future of `block_on`, nobody else knows this id.
    pub fn task(&self) -> Id {
        self.task
    }

    /// What the task is called, if it has a name; see [`task::Builder`](crate::task::Builder).
    pub fn name(&self) -> Option<&str> {
        self.origin.as_ref()?.name.as_deref()
    }

    /// Where the task was spawned. `None` if it has ended by now.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        Some(self.origin.as_ref()?.location)
    }

    /// The type of the task's future, which tells the function that it comes from. `None` if it has
    /// ended by now.
    pub fn future(&self) -> Option<&'static str> {
        Some(self.origin.as_ref()?.future)
    }

    /// For how long the poll has lasted so far.
    pub fn lasted(&self) -> Duration {
        self.lasted
    }

    /// Where the shard's thread is, a frame a line, the innermost first, if
    /// [`Builder::stall_backtraces`](super::Builder::stall_backtraces) has asked for it and the
    /// thread has answered. The poll may be over by then, and this be another place.
    ///
    /// With the feature `backtrace`.
    #[cfg(feature = "backtrace")]
    pub fn backtrace(&self) -> Option<&str> {
        self.backtrace.as_deref()
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shard, task, lasted, .. } = self;
        write!(f, "shard {shard} has been in one poll for {} ms: task {task}", lasted.as_millis())?;
        if let Some(name) = self.name() {
            write!(f, " \"{name}\"")?;
        }
        if let Some(origin) = &self.origin {
            write!(f, ", spawned at {} ({})", origin.location, origin.future)?;
        }
        #[cfg(feature = "backtrace")]
        if let Some(backtrace) = &self.backtrace {
            write!(f, "\n{}", backtrace.trim_end())?;
        }
        Ok(())
    }
}

/// Who is told.
pub(super) type Report = Arc<dyn Fn(&Stall) + Send + Sync>;

/// Tells the log.
pub(super) fn print(stall: &Stall) {
    let text = format!("henge: {stall}\n");
    // Where nobody reads it there is nobody to tell.
    drop(io::stderr().write_all(text.as_bytes()));
}
