//! One of something on every shard, made and ended together.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use super::current;
use super::error::CallError;
use super::everywhere;
use super::peers::Peers;
use crate::shard_id::ShardId;

/// One `T` on every shard: a cache, a table of connections, a pool. A `T` never leaves its shard,
/// and need not be `Send`.
///
/// This is a handle, which may be cloned and sent anywhere. When it is [stopped](Self::stop), or
/// the last handle is dropped, each `T` is dropped on its shard, once nobody uses it there.
///
/// # Examples
/// ```
/// use std::cell::RefCell;
/// use std::collections::HashMap;
/// use henge::mesh::Sharded;
/// use henge::shard::{self, ShardId};
///
/// type Part = RefCell<HashMap<u64, String>>;
///
/// fn owner(key: u64) -> ShardId {
///     ShardId::new(key as usize % shard::count())
/// }
///
/// #[henge::main(worker_threads = 3)]
/// async fn main() -> Result<(), henge::mesh::CallError> {
///     let table = Sharded::<Part>::start(|_shard| async { Part::default() }).await?;
///     for key in 0..9 {
///         let insert = async move |part: &Part| {
///             part.borrow_mut().insert(key, format!("value {key}"));
///         };
///         table.invoke_on(owner(key), insert).await?;
///     }
///     assert_eq!(table.local().borrow().len(), 3);
///     let sizes = table.invoke_on_all(async |part: &Part| part.borrow().len()).await?;
///     assert_eq!(sizes, [3, 3, 3]);
///     table.stop().await;
///     Ok(())
/// }
/// ```
pub struct Sharded<T> {
    service: Arc<Service>,
    _part: PhantomData<fn() -> T>,
}

/// What the handles share.
struct Service {
    peers: Arc<Peers>,
    number: usize,
}

impl Service {
    fn set(&self, part: Option<Rc<dyn Any>>) -> Option<Rc<dyn Any>> {
        current::with(|local| match local {
            Some(local) if Arc::ptr_eq(local.peers(), &self.peers) => {
                local.set_service(self.number, part)
            }
            _ => None,
        })
    }
}

impl<T: 'static> Sharded<T> {
    /// Makes a `T` on every shard, all at once, by the future that `make` makes there.
    ///
    /// # Errors
    /// If one of them panics or its shard ends. What the others have made is dropped then.
    ///
    /// # Panics
    /// On a thread on which no runtime's loop runs.
    ///
    /// # Cancel safety
    /// When it is dropped, what was made so far is dropped, each on its shard.
    ///
    /// # Examples
    /// ```
    /// use henge::mesh::{CallError, Sharded};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), CallError> {
    ///     let logs = Sharded::start(|shard| async move { format!("log.{shard}") }).await?;
    ///     assert_eq!(*logs.local(), "log.0");
    ///
    ///     let failed = Sharded::start(|shard| async move { assert!(shard.index() < 1, "full") });
    ///     assert!(failed.await.is_err_and(|error| error.is_panic()));
    ///     Ok(())
    /// }
    /// ```
    pub async fn start<M, F>(make: M) -> Result<Sharded<T>, CallError>
    where
        M: Fn(ShardId) -> F + Clone + Send + 'static,
        F: Future<Output = T> + 'static,
    {
        let peers = current::peers("a service must be started");
        let number = peers.number_service();
        let service = Arc::new(Service { peers, number });
        let started = everywhere::all(|shard| {
            let (make, service) = (make.clone(), Arc::downgrade(&service));
            shard.call(move || async move {
                let part: Rc<dyn Any> = Rc::new(make(shard).await);
                if let Some(service) = service.upgrade() {
                    drop(service.set(Some(part)));
                }
            })
        });
        let failed = started.await.into_iter().find_map(Result::err);
        let sharded = Sharded { service, _part: PhantomData };
        match failed {
            None => Ok(sharded),
            Some(error) => {
                sharded.stop().await;
                Err(error)
            }
        }
    }

    /// The `T` of this shard.
    ///
    /// # Panics
    /// Elsewhere than on a shard of the runtime that it was started in, and when it was stopped.
    ///
    /// # Examples
    /// ```
    /// use std::cell::Cell;
    /// use henge::mesh::{CallError, Sharded};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), CallError> {
    ///     let hits = Sharded::start(|_shard| async { Cell::new(0) }).await?;
    ///     // Plain memory of this shard: no lock, no atomic.
    ///     hits.local().set(hits.local().get() + 1);
    ///     let all = hits.invoke_on_all(async |hits: &Cell<u32>| hits.get()).await?;
    ///     assert_eq!(all, [1, 0]);
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn local(&self) -> Rc<T> {
        match self.try_local() {
            Some(part) => part,
            None => panic!("there is no part of this service here, or it was stopped"),
        }
    }

    /// The `T` of this shard, if there is one here.
    ///
    /// # Examples
    /// ```
    /// use henge::mesh::{CallError, Sharded};
    /// use henge::task::spawn_blocking;
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), CallError> {
    ///     let limits = Sharded::start(|_shard| async { 100 }).await?;
    ///     assert_eq!(limits.try_local().as_deref(), Some(&100));
    ///     // A thread of the pool is no shard, and has none.
    ///     let elsewhere = spawn_blocking(move || limits.try_local().map_or(10, |limit| *limit));
    ///     assert_eq!(elsewhere.await.unwrap(), 10);
    ///     Ok(())
    /// }
    /// ```
    pub fn try_local(&self) -> Option<Rc<T>> {
        let part = current::with(|local| {
            let local = local.filter(|local| Arc::ptr_eq(local.peers(), &self.service.peers))?;
            local.service(self.service.number)
        });
        part?.downcast().ok()
    }

    /// Calls a closure with the `T` of a shard, there, and yields what its future ends with.
    ///
    /// # Errors
    /// [`CallError::Panicked`] if it panics, [`CallError::Closed`] if the shard has ended or the
    /// service was stopped.
    ///
    /// # Panics
    /// As [`ShardId::call`].
    ///
    /// # Cancel safety
    /// As [`ShardId::call`].
    ///
    /// # Examples
    /// ```
    /// use std::cell::RefCell;
    /// use henge::mesh::{CallError, Sharded};
    /// use henge::shard::ShardId;
    ///
    /// type Names = RefCell<Vec<String>>;
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), CallError> {
    ///     let names = Sharded::<Names>::start(|_shard| async { Names::default() }).await?;
    ///     let add = async |names: &Names| {
    ///         names.borrow_mut().push("ada".to_owned());
    ///         names.borrow().len()
    ///     };
    ///     assert_eq!(names.invoke_on(ShardId::new(1), add).await?, 1);
    ///     assert!(names.local().borrow().is_empty(), "it was another shard's");
    ///     Ok(())
    /// }
    /// ```
    pub async fn invoke_on<C, R>(&self, shard: ShardId, call: C) -> Result<R, CallError>
    where
        C: AsyncFnOnce(&T) -> R + Send + 'static,
        R: Send + 'static,
    {
        let sharded = self.clone();
        let answer = shard.call(move || async move {
            match sharded.try_local() {
                Some(part) => Some(call(&part).await),
                None => None,
            }
        });
        answer.await?.ok_or(CallError::Closed)
    }

    /// Calls a closure on every shard with its `T`, all at once; yields what the futures end with,
    /// by the number of the shard.
    ///
    /// # Errors
    /// The first, by the number of its shard, as for [`invoke_on`](Self::invoke_on), when all have
    /// ended.
    ///
    /// # Panics
    /// On a thread on which no runtime's loop runs.
    ///
    /// # Cancel safety
    /// As [`broadcast`](super::broadcast).
    ///
    /// # Examples
    /// ```
    /// use std::cell::Cell;
    /// use henge::mesh::{CallError, Sharded};
    ///
    /// #[henge::main(worker_threads = 3)]
    /// async fn main() -> Result<(), CallError> {
    ///     let levels = Sharded::start(|_shard| async { Cell::new("info") }).await?;
    ///     let level = "debug";
    ///     let old = levels.invoke_on_all(async move |own: &Cell<_>| own.replace(level)).await?;
    ///     assert_eq!(old, ["info"; 3]);
    ///     assert_eq!(levels.local().get(), "debug");
    ///     Ok(())
    /// }
    /// ```
    pub async fn invoke_on_all<C, R>(&self, call: C) -> Result<Vec<R>, CallError>
    where
        C: AsyncFnOnce(&T) -> R + Clone + Send + 'static,
        R: Send + 'static,
    {
        let answers = everywhere::all(|shard| {
            let (sharded, call) = (self.clone(), call.clone());
            shard.call(move || async move {
                match sharded.try_local() {
                    Some(part) => Some(call(&part).await),
                    None => None,
                }
            })
        });
        answers.await.into_iter().map(|answer| answer?.ok_or(CallError::Closed)).collect()
    }

    /// Takes the `T` of every shard away, and drops it there; one that is being used, when that
    /// ends. Other handles find nothing from then on.
    ///
    /// A `T` that has work to do before it ends does it in an
    /// [`invoke_on_all`](Self::invoke_on_all) before this.
    ///
    /// # Panics
    /// On a thread on which no runtime's loop runs.
    ///
    /// # Cancel safety
    /// When it is dropped, the rest is done by itself, unless there are other handles.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    /// use henge::mesh::{CallError, Sharded};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> Result<(), CallError> {
    ///     let pool = Sharded::start(|_shard| async { vec!["connection"] }).await?;
    ///     let (other, part) = (pool.clone(), Rc::downgrade(&pool.local()));
    ///     pool.stop().await;
    ///     assert!(part.upgrade().is_none(), "it was dropped");
    ///     assert!(other.try_local().is_none());
    ///     Ok(())
    /// }
    /// ```
    pub async fn stop(self) {
        let stopped = everywhere::all(|shard| {
            let service = Arc::clone(&self.service);
            shard.call_sync(move || drop(service.set(None)))
        });
        // A shard that has ended has dropped its part, and a panic in a destructor was reported.
        drop(stopped.await);
    }
}

impl<T> Clone for Sharded<T> {
    fn clone(&self) -> Self {
        Sharded { service: Arc::clone(&self.service), _part: PhantomData }
    }
}

impl<T> fmt::Debug for Sharded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharded").field("number", &self.service.number).finish_non_exhaustive()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        /// The number may be used again when all shards have let go of this.
        struct Number(Arc<Peers>, usize);
        impl Drop for Number {
            fn drop(&mut self) {
                self.0.forget_service(self.1);
            }
        }
        let number = Arc::new(Number(Arc::clone(&self.peers), self.number));
        for index in 0..self.peers.shards() {
            let number = Arc::clone(&number);
            let take_away = move |_home: &_| {
                let part = current::with(|local| local?.set_service(number.1, None));
                drop(part);
                drop(number);
            };
            if let Some(inbox) = self.peers.inbox(index) {
                // A shard that has ended has dropped its part.
                drop(inbox.send(take_away));
            }
        }
    }
}
