//! Tasks with names.

use std::io;
use std::sync::Arc;

use super::LocalSet;
use crate::executor::JoinHandle;
use crate::executor::spawn_meta::{Details, Kind, SpawnMeta};
use crate::runtime::Handle;

crate::task_local! {
    /// What the task that this thread is polling is called.
    static NAME: Arc<str>;
}

/// The name that the task which this thread is polling was given by [`Builder::name`], if any.
///
/// Also known in a closure of the blocking pool.
///
/// # Examples
/// ```
/// use henge::task;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let task = task::Builder::new().name("accept").spawn(async { task::name() })?;
/// assert_eq!(task.await?.as_deref(), Some("accept"));
/// assert_eq!(task::name(), None);
/// # Ok(())
/// # }
/// ```
pub fn name() -> Option<Arc<str>> {
    NAME.try_get().ok()
}

/// Spawns tasks that have a name: [`task::name`](name) tells it inside of them, for logs and
/// whatever watches the program.
///
/// # Examples
/// ```
/// use henge::task::Builder;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let echo = Builder::new().name("echo").spawn(async { 6 * 7 })?;
/// assert_eq!(echo.await?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a builder spawns nothing by itself"]
pub struct Builder<'a> {
    name: Option<&'a str>,
}

impl<'a> Builder<'a> {
    /// A builder of tasks without a name.
    ///
    /// # Examples
    /// ```
    /// use henge::task;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let nameless = task::Builder::new().spawn(async { task::name() })?;
    /// assert_eq!(nameless.await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// What the task is called. Any number of tasks may have the same name.
    ///
    /// # Examples
    /// ```
    /// use henge::task;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let worker = task::Builder::new().name("worker");
    /// let tasks = [worker.spawn(async { task::name() })?, worker.spawn(async { task::name() })?];
    /// for task in tasks {
    ///     assert_eq!(task.await?.as_deref(), Some("worker"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn name(&self, name: &'a str) -> Self {
        Self { name: Some(name) }
    }

    /// Spawns a task on this shard; see [`henge::spawn`](crate::spawn). It need not be `Send`.
    ///
    /// # Errors
    /// None: the result is there for programs that come from tokio.
    ///
    /// # Panics
    /// Where [`henge::spawn`](crate::spawn) does.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    /// use henge::task;
    ///
    /// fn log(line: &str) -> String {
    ///     format!("{}: {line}", task::name().as_deref().unwrap_or("main"))
    /// }
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let peer = Rc::new("127.0.0.1");
    /// let task = task::Builder::new().name("accept").spawn(async move { log(&peer) })?;
    /// assert_eq!(task.await?, "accept: 127.0.0.1");
    /// assert_eq!(log("done"), "main: done");
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Ok(match self.name {
            Some(name) => {
                let details = Details::of(Kind::Task, Some(name));
                let meta = SpawnMeta::new().with(&details);
                super::spawn::spawn_named(meta, NAME.scope(name.into(), future))
            }
            None => crate::task::spawn(future),
        })
    }

    /// Spawns a task on a runtime; see [`Handle::spawn`].
    ///
    /// # Errors
    /// None: the result is there for programs that come from tokio.
    ///
    /// # Examples
    /// ```
    /// use henge::task;
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let there = runtime.handle();
    /// let task = task::Builder::new().name("early").spawn_on(async { task::name() }, there)?;
    /// assert_eq!(runtime.block_on(task)?.as_deref(), Some("early"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Ok(match self.name {
            Some(name) => {
                let details = Details::of(Kind::Task, Some(name));
                let meta = SpawnMeta::new().with(&details);
                handle.shared().spawn_from(meta, NAME.scope(name.into(), future))
            }
            None => handle.spawn(future),
        })
    }

    /// Spawns a task on the current [`LocalSet`] or shard.
    ///
    /// # Errors
    /// None: the result is there for programs that come from tokio.
    ///
    /// # Panics
    /// Where [`task::spawn_local`](super::spawn_local) does.
    ///
    /// # Examples
    /// ```
    /// use henge::task::{self, LocalSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let set = LocalSet::new();
    /// let local = task::Builder::new().name("local");
    /// let task = set.run_until(async { local.spawn_local(async { task::name() }) }).await?;
    /// assert_eq!(set.run_until(task).await?.as_deref(), Some("local"));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Ok(match self.name {
            Some(name) => {
                let details = Details::of(Kind::Local, Some(name));
                let meta = SpawnMeta::new().with(&details);
                super::local_set::spawn_named(meta, NAME.scope(name.into(), future))
            }
            None => super::spawn_local(future),
        })
    }

    /// Spawns a task on a [`LocalSet`].
    ///
    /// # Errors
    /// None: the result is there for programs that come from tokio.
    ///
    /// # Examples
    /// ```
    /// use henge::task::{self, LocalSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let set = LocalSet::new();
    /// let task = task::Builder::new().name("local").spawn_local_on(async { task::name() }, &set)?;
    /// assert_eq!(set.run_until(task).await?.as_deref(), Some("local"));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local_on<F>(
        self,
        future: F,
        local_set: &LocalSet,
    ) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Ok(match self.name {
            Some(name) => {
                let details = Details::of(Kind::Local, Some(name));
                let meta = SpawnMeta::new().with(&details);
                local_set.spawn_named(meta, NAME.scope(name.into(), future))
            }
            None => local_set.spawn_local(future),
        })
    }

    /// Runs a closure in the blocking pool; see [`task::spawn_blocking`](super::spawn_blocking).
    ///
    /// # Errors
    /// If the pool has no thread, and the system refuses to start one.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// use henge::task;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let digest = task::Builder::new().name("digest").spawn_blocking(|| task::name())?;
    /// assert_eq!(digest.await?.as_deref(), Some("digest"));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, T>(self, call: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_blocking_on(call, &Handle::current())
    }

    /// Runs a closure in the blocking pool of a runtime.
    ///
    /// # Errors
    /// As for [`spawn_blocking`](Self::spawn_blocking).
    ///
    /// # Examples
    /// ```
    /// use henge::task;
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let digest = task::Builder::new().name("digest");
    /// let digest = digest.spawn_blocking_on(task::name, runtime.handle())?;
    /// assert_eq!(runtime.block_on(digest)?.as_deref(), Some("digest"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_blocking_on<F, T>(self, call: F, handle: &Handle) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let details = Details::of(Kind::Blocking, self.name);
        let meta = SpawnMeta::new().with(&details);
        match self.name {
            Some(name) => {
                let name: Arc<str> = name.into();
                handle.shared().spawn_blocking(meta, move || NAME.sync_scope(name, call))
            }
            None => handle.shared().spawn_blocking(meta, call),
        }
    }
}
