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
/// let told = runtime.run(|| async {
///     let busy = henge::task::Builder::new().name("busy").spawn(async move {
///         // What nobody should do: it blocks, here until the detector has told of it.
///         told.iter().find(|(_, name)| name.as_deref() == Some("busy"))
///     });
///     busy?.await.map_err(std::io::Error::from)
/// })?;
/// assert!(told.is_some_and(|(shard, _)| shard.index() == 0));
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
    /// The shard that is held up.
    ///
    /// # Examples
    /// ```
    /// # use std::sync::mpsc;
    /// # use std::time::Duration;
    /// # let (log, logged) = mpsc::channel();
    /// # let mut builder = henge::runtime::Builder::new_multi_thread();
    /// # builder.worker_threads(1).detect_stalls(Duration::from_millis(10));
    /// // Where a machine has one slow core it is always the same.
    /// builder.on_stall(move |stall| drop(log.send(stall.shard().index())));
    /// # let runtime = builder.build()?;
    /// # // What nobody should do: it blocks, here until the detector has told.
    /// # let shard = runtime.run(|| async { henge::spawn(async move { logged.recv() }).await })?;
    /// assert_eq!(shard, Ok(0), "the only one");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The task. Where it is the future of `block_on`, nobody else knows this id.
    ///
    /// # Examples
    /// ```
    /// # use std::sync::mpsc;
    /// # use std::time::Duration;
    /// # let (log, logged) = mpsc::channel();
    /// # let mut builder = henge::runtime::Builder::new_multi_thread();
    /// # builder.worker_threads(1).detect_stalls(Duration::from_millis(10));
    /// builder.on_stall(move |stall| drop(log.send(stall.task())));
    /// # let runtime = builder.build()?;
    /// let known = runtime.run(|| async {
    ///     let slow = henge::spawn(async move {
    ///         let own = henge::task::id();
    ///         logged.iter().find(|&id| id == own) // it blocks until it was told of
    ///     });
    ///     let id = slow.id();
    ///     slow.await.map(|found| found == Some(id))
    /// });
    /// assert!(known?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn task(&self) -> Id {
        self.task
    }

    /// What the task is called, if it has a name; see [`task::Builder`](crate::task::Builder).
    ///
    /// # Examples
    /// ```
    /// # use std::sync::mpsc;
    /// # use std::time::Duration;
    /// # let (log, logged) = mpsc::channel();
    /// # let mut builder = henge::runtime::Builder::new_multi_thread();
    /// # builder.worker_threads(1).detect_stalls(Duration::from_millis(10));
    /// builder.on_stall(move |stall| drop(log.send(stall.name().map(String::from))));
    /// # let runtime = builder.build()?;
    /// # let found = runtime.run(|| async move {
    /// henge::task::Builder::new().name("parser").spawn(async move {
    ///     logged.iter().flatten().find(|name| name == "parser") // it blocks until it was told of
    /// })
    /// # ?.await.map_err(std::io::Error::from)
    /// # })?;
    /// # assert!(found.is_some());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.origin.as_ref()?.name.as_deref()
    }

    /// Where the task was spawned. `None` if it has ended by now.
    ///
    /// # Examples
    /// ```
    /// # use std::sync::mpsc;
    /// # use std::time::Duration;
    /// # let (log, logged) = mpsc::channel();
    /// # let mut builder = henge::runtime::Builder::new_multi_thread();
    /// # builder.worker_threads(1).detect_stalls(Duration::from_millis(10));
    /// builder.on_stall(move |stall| drop(log.send(stall.location())));
    /// # let runtime = builder.build()?;
    /// # // What nobody should do: it blocks, here until the detector has told.
    /// # let slow = async move { logged.iter().flatten().next() };
    /// # let origin = runtime.run(|| async { henge::spawn(slow).await })?;
    /// assert!(origin.is_some_and(|origin| origin.file() == file!()), "it is from here");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn location(&self) -> Option<&'static Location<'static>> {
        Some(self.origin.as_ref()?.location)
    }

    /// The type of the task's future, which tells the function that it comes from. `None` if it has
    /// ended by now.
    ///
    /// # Examples
    /// ```
    /// # use std::sync::mpsc::{self, Receiver};
    /// # use std::time::Duration;
    /// # let (log, logged) = mpsc::channel();
    /// # let mut builder = henge::runtime::Builder::new_multi_thread();
    /// # builder.worker_threads(1).detect_stalls(Duration::from_millis(10));
    /// builder.on_stall(move |stall| drop(log.send(stall.future())));
    /// # let runtime = builder.build()?;
    ///
    /// async fn parse(logged: Receiver<Option<&'static str>>) -> Option<&'static str> {
    ///     // It blocks until it was told of.
    ///     logged.iter().flatten().find(|name| name.contains("parse"))
    /// }
    ///
    /// let found = runtime.run(|| async { henge::spawn(parse(logged)).await });
    /// assert!(found?.is_some());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn future(&self) -> Option<&'static str> {
        Some(self.origin.as_ref()?.future)
    }

    /// For how long the poll has lasted so far.
    ///
    /// # Examples
    /// ```
    /// # use std::sync::mpsc;
    /// # use std::time::Duration;
    /// # let (log, logged) = mpsc::channel();
    /// # let mut builder = henge::runtime::Builder::new_multi_thread();
    /// # builder.worker_threads(1).detect_stalls(Duration::from_millis(10));
    /// // Told again and again, each time after twice as long.
    /// builder.on_stall(move |stall| drop(log.send(stall.lasted())));
    /// # let runtime = builder.build()?;
    /// let long = Duration::from_millis(40);
    /// let blocks = async move { logged.iter().find(|&lasted| lasted >= long) };
    /// assert!(runtime.run(move || async move { henge::spawn(blocks).await })?.is_some());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn lasted(&self) -> Duration {
        self.lasted
    }

    /// Where the shard's thread is, one frame per line, the innermost first, if
    /// [`Builder::stall_backtraces`](super::Builder::stall_backtraces) has asked for it and the
    /// thread has answered. The poll may be over by then, and the thread somewhere else.
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
