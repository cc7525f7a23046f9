//! Members of a set that have a name.

use std::fmt;
use std::io;

use super::JoinSet;
use crate::executor::AbortHandle;
use crate::runtime::Handle;
use crate::task::{self, LocalSet};

/// Spawns a task with a name into a set; from [`JoinSet::build_task`].
///
/// # Examples
/// ```
/// use henge::task::{self, JoinSet};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut set = JoinSet::new();
/// set.build_task().name("reader").spawn(async { task::name() })?;
/// assert_eq!(set.join_all().await, [Some("reader".into())]);
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder spawns nothing by itself"]
pub struct Builder<'a, T> {
    set: &'a mut JoinSet<T>,
    task: task::Builder<'a>,
}

impl<T> JoinSet<T> {
    /// Begins a task of this set that has a name.
    ///
    /// # Examples
    /// ```
    /// use henge::task::{self, JoinSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut set = JoinSet::new();
    /// set.build_task().name("accept").spawn(async { task::name() })?;
    /// set.spawn(async { task::name() });
    /// assert_eq!(set.join_all().await, [Some("accept".into()), None]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn build_task(&mut self) -> Builder<'_, T> {
        Builder { set: self, task: task::Builder::new() }
    }
}

impl<'a, T: 'static> Builder<'a, T> {
    /// What the task is called; see [`task::Builder::name`].
    ///
    /// # Examples
    /// ```
    /// use henge::task::{self, JoinSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut set = JoinSet::new();
    /// let shard = henge::shard::current();
    /// set.build_task().name(&format!("reader of {shard}")).spawn(async { task::name() })?;
    /// assert_eq!(set.join_all().await, [Some("reader of 0".into())]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn name(self, name: &'a str) -> Self {
        Self { task: self.task.name(name), ..self }
    }

    /// Spawns the task on this shard; see [`JoinSet::spawn`].
    ///
    /// # Errors
    /// Those of [`task::Builder::spawn`].
    ///
    /// # Panics
    /// Where [`henge::spawn`](crate::spawn) does.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut set = henge::task::JoinSet::new();
    /// let stuck = set.build_task().name("stuck").spawn(std::future::pending::<()>())?;
    /// stuck.abort();
    /// assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        Ok(self.set.insert(self.task.spawn(future)?))
    }

    /// Spawns the task on a runtime; see [`JoinSet::spawn_on`].
    ///
    /// # Errors
    /// Those of [`task::Builder::spawn_on`].
    ///
    /// # Examples
    /// ```
    /// use henge::task::{self, JoinSet};
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let mut set = JoinSet::new();
    /// set.build_task().name("elsewhere").spawn_on(async { task::name() }, runtime.handle())?;
    /// assert_eq!(runtime.block_on(set.join_all()), [Some("elsewhere".into())]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        Ok(self.set.insert(self.task.spawn_on(future, handle)?))
    }

    /// Spawns the task on the current [`LocalSet`] or shard; see [`JoinSet::spawn_local`].
    ///
    /// # Errors
    /// Those of [`task::Builder::spawn_local`].
    ///
    /// # Panics
    /// Where [`task::spawn_local`](crate::task::spawn_local) does.
    ///
    /// # Examples
    /// ```
    /// use henge::task::{self, JoinSet, LocalSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut set = JoinSet::new();
    /// let spawned = async { set.build_task().name("local").spawn_local(async { task::name() }) };
    /// let local = LocalSet::new();
    /// local.run_until(spawned).await?;
    /// assert_eq!(local.run_until(set.join_all()).await, [Some("local".into())]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        Ok(self.set.insert(self.task.spawn_local(future)?))
    }

    /// Spawns the task on a [`LocalSet`]; see [`JoinSet::spawn_local_on`].
    ///
    /// # Errors
    /// Those of [`task::Builder::spawn_local_on`].
    ///
    /// # Examples
    /// ```
    /// use henge::task::{self, JoinSet, LocalSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (mut set, local) = (JoinSet::new(), LocalSet::new());
    /// set.build_task().name("local").spawn_local_on(async { task::name() }, &local)?;
    /// local.await;
    /// assert_eq!(set.join_all().await, [Some("local".into())]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        Ok(self.set.insert(self.task.spawn_local_on(future, local_set)?))
    }

    /// Runs a closure in the blocking pool; see [`JoinSet::spawn_blocking`].
    ///
    /// # Errors
    /// Those of [`task::Builder::spawn_blocking`].
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// use henge::task::{self, JoinSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut set = JoinSet::new();
    /// set.build_task().name("digest").spawn_blocking(|| (task::name(), 6 * 7))?;
    /// assert_eq!(set.join_all().await, [(Some("digest".into()), 42)]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F>(self, call: F) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        Ok(self.set.insert(self.task.spawn_blocking(call)?))
    }

    /// Runs a closure in the blocking pool of a runtime; see [`JoinSet::spawn_blocking_on`].
    ///
    /// # Errors
    /// Those of [`task::Builder::spawn_blocking_on`].
    ///
    /// # Examples
    /// ```
    /// use henge::task::{self, JoinSet};
    ///
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let mut set = JoinSet::new();
    /// set.build_task().name("digest").spawn_blocking_on(task::name, runtime.handle())?;
    /// assert_eq!(runtime.block_on(set.join_all()), [Some("digest".into())]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn spawn_blocking_on<F>(self, call: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        Ok(self.set.insert(self.task.spawn_blocking_on(call, handle)?))
    }
}

impl<T> fmt::Debug for Builder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("join_set::Builder")
            .field("set", &self.set)
            .field("task", &self.task)
            .finish()
    }
}
