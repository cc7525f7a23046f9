//! A set of tasks that have keys.

mod keys;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::marker::PhantomData;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::{JoinSet, LocalSet};
use crate::executor::{AbortHandle, Id, JoinError};
use crate::runtime::Handle;

pub use keys::JoinMapKeys;

/// Tasks of one result type, each under a key: awaited in the order in which they end, aborted one
/// by one or together.
///
/// A task that is spawned under a key that another one has takes its place: the other is aborted,
/// and never joined. Dropping the map aborts all of them.
///
/// # Examples
/// ```
/// use henge::task::JoinMap;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut map = JoinMap::new();
/// map.spawn("quick", async { 1 });
/// map.spawn("stuck", std::future::pending());
/// assert!(map.abort("stuck"));
///
/// while let Some((key, result)) = map.join_next().await {
///     match key {
///         "quick" => assert_eq!(result.unwrap(), 1),
///         _ => assert!(result.unwrap_err().is_cancelled()),
///     }
/// }
/// # }
/// ```
pub struct JoinMap<K, V, S = RandomState> {
    /// Those that can be joined, by the hashes of their keys.
    members: HashTable<Member<K>>,
    /// The hash of each member's key: what a task that has ended is found by.
    hashes: HashMap<Id, u64, S>,
    /// The members, and those whose places were taken.
    tasks: JoinSet<V>,
}

struct Member<K> {
    key: K,
    task: AbortHandle,
}

impl<K, V> JoinMap<K, V> {
    /// An empty map, which allocates when the first task is spawned.
    ///
    /// # Examples
    /// ```
    /// use henge::task::JoinMap;
    ///
    /// let downloads: JoinMap<String, Vec<u8>> = JoinMap::new();
    /// assert!(downloads.is_empty());
    /// assert_eq!(downloads.capacity(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with_hasher(RandomState::new())
    }

    /// An empty map with room for `capacity` tasks.
    ///
    /// # Panics
    /// If that is more than fits in memory by any means: `isize::MAX` bytes.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::with_capacity(100);
    /// let room = map.capacity();
    /// for host in 0..100 {
    ///     map.spawn(host, async {});
    /// }
    /// assert_eq!(map.capacity(), room, "it had room for all of them");
    /// # }
    /// ```
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::new())
    }
}

impl<K, V, S> JoinMap<K, V, S> {
    /// An empty map whose keys are hashed by `hasher`.
    ///
    /// # Examples
    /// ```
    /// use std::hash::{BuildHasherDefault, DefaultHasher};
    /// use henge::task::JoinMap;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// // Keys that no stranger chooses need no random seed.
    /// let mut map = JoinMap::with_hasher(BuildHasherDefault::<DefaultHasher>::default());
    /// map.spawn(7, async { "seven" });
    /// let (key, result) = map.join_next().await.unwrap();
    /// assert_eq!((key, result.unwrap()), (7, "seven"));
    /// # }
    /// ```
    #[must_use]
    pub fn with_hasher(hasher: S) -> Self {
        Self::with_capacity_and_hasher(0, hasher)
    }

    /// An empty map with room for `capacity` tasks whose keys are hashed by `hasher`.
    ///
    /// # Panics
    /// If that is more than fits in memory by any means: `isize::MAX` bytes.
    ///
    /// # Examples
    /// ```
    /// use std::hash::RandomState;
    /// use henge::task::JoinMap;
    ///
    /// let map: JoinMap<u64, ()> = JoinMap::with_capacity_and_hasher(10, RandomState::new());
    /// assert!(map.capacity() >= 10);
    /// ```
    #[must_use]
    pub fn with_capacity_and_hasher(capacity: usize, hasher: S) -> Self {
        Self {
            members: HashTable::with_capacity(capacity),
            hashes: HashMap::with_capacity_and_hasher(capacity, hasher),
            tasks: JoinSet::new(),
        }
    }

    /// How many tasks can be joined: those that are done and have not been joined among them.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn("api", async {});
    /// map.spawn("database", async {});
    /// henge::task::yield_now().await;
    /// assert_eq!(map.len(), 2, "both are done, and none was joined");
    /// map.join_next().await;
    /// assert_eq!(map.len(), 1);
    /// # }
    /// ```
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no task can be joined.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn("stuck", std::future::pending::<()>());
    /// assert!(!map.is_empty());
    /// map.shutdown().await;
    /// assert!(map.is_empty());
    /// # }
    /// ```
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many tasks there is room for without reallocating.
    ///
    /// # Examples
    /// ```
    /// let mut map: henge::task::JoinMap<u64, ()> = henge::task::JoinMap::new();
    /// assert_eq!(map.capacity(), 0);
    /// map.reserve(50);
    /// assert!(map.capacity() >= 50);
    /// ```
    pub fn capacity(&self) -> usize {
        self.members.capacity().min(self.hashes.capacity())
    }

    /// The keys of the tasks that can be joined, in no order.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn(1, async {});
    /// map.spawn(2, async {});
    /// assert_eq!(map.keys().sum::<i32>(), 3);
    /// # }
    /// ```
    pub fn keys(&self) -> JoinMapKeys<'_, K, V> {
        JoinMapKeys { members: self.members.iter(), values: PhantomData }
    }
}

impl<K, V: 'static, S> JoinMap<K, V, S> {
    /// Aborts all tasks. They stay in the map, and are joined as cancelled.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// for host in ["a", "b", "c"] {
    ///     map.spawn(host, std::future::pending::<()>());
    /// }
    /// map.abort_all();
    /// while let Some((_host, result)) = map.join_next().await {
    ///     assert!(result.unwrap_err().is_cancelled());
    /// }
    /// # }
    /// ```
    pub fn abort_all(&mut self) {
        self.tasks.abort_all();
    }

    /// Takes all tasks out and lets them run on by themselves.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn("background", async {});
    /// map.detach_all();
    /// assert!(map.join_next().await.is_none());
    /// # }
    /// ```
    pub fn detach_all(&mut self) {
        self.tasks.detach_all();
        self.members.clear();
        self.hashes.clear();
    }
}

impl<K, V, S> JoinMap<K, V, S>
where
    K: Hash + Eq,
    V: 'static,
    S: BuildHasher,
{
    /// Spawns a task on this shard, under a key. It need not be `Send`.
    ///
    /// # Panics
    /// Where [`henge::spawn`](crate::spawn) does.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn("answer", async { 41 });
    /// map.spawn("answer", async { 42 });
    /// let (_key, result) = map.join_next().await.unwrap();
    /// assert_eq!(result.unwrap(), 42);
    /// assert!(map.join_next().await.is_none(), "the first one was replaced");
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F>(&mut self, key: K, task: F)
    where
        F: Future<Output = V> + 'static,
    {
        let task = self.tasks.spawn(task);
        self.insert(key, task);
    }

    /// Spawns a task on a runtime, under a key; see [`Handle::spawn`].
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let mut map = henge::task::JoinMap::new();
    /// // This thread is no shard, and can spawn nothing on itself.
    /// map.spawn_on("answer", async { 6 * 7 }, runtime.handle());
    /// let (key, result) = runtime.block_on(map.join_next()).unwrap();
    /// assert_eq!((key, result?), ("answer", 42));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_on<F>(&mut self, key: K, task: F, handle: &Handle)
    where
        F: Future<Output = V> + Send + 'static,
        V: Send,
    {
        let task = self.tasks.spawn_on(task, handle);
        self.insert(key, task);
    }

    /// Spawns a task on the current [`LocalSet`] or shard, under a key.
    ///
    /// # Panics
    /// Where [`task::spawn_local`](crate::task::spawn_local) does.
    ///
    /// # Examples
    /// ```
    /// use henge::task::{JoinMap, LocalSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = JoinMap::new();
    /// let set = LocalSet::new();
    /// set.run_until(async { map.spawn_local("stuck", std::future::pending::<()>()) }).await;
    /// drop(set); // and with it go its tasks
    /// let (_key, result) = map.join_next().await.unwrap();
    /// assert!(result.unwrap_err().is_cancelled());
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&mut self, key: K, task: F)
    where
        F: Future<Output = V> + 'static,
    {
        let task = self.tasks.spawn_local(task);
        self.insert(key, task);
    }

    /// Spawns a task on a [`LocalSet`], under a key.
    ///
    /// # Examples
    /// ```
    /// use henge::task::{JoinMap, LocalSet};
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (mut map, set) = (JoinMap::new(), LocalSet::new());
    /// map.spawn_local_on("waits for the set", async { 7 }, &set);
    /// henge::task::yield_now().await;
    /// assert!(map.try_join_next().is_none());
    /// set.await;
    /// assert_eq!(map.try_join_next().unwrap().1.unwrap(), 7);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, key: K, task: F, local_set: &LocalSet)
    where
        F: Future<Output = V> + 'static,
    {
        let task = self.tasks.spawn_local_on(task, local_set);
        self.insert(key, task);
    }

    /// Runs a closure in the blocking pool, under a key.
    ///
    /// # Panics
    /// Where [`task::spawn_blocking`](crate::task::spawn_blocking) does.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// for n in [3_u64, 5] {
    ///     map.spawn_blocking(n, move || (1..=n).product::<u64>());
    /// }
    /// while let Some((n, factorial)) = map.join_next().await {
    ///     assert_eq!(factorial.unwrap(), if n == 3 { 6 } else { 120 });
    /// }
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, key: K, call: F)
    where
        F: FnOnce() -> V + Send + 'static,
        V: Send,
    {
        let task = self.tasks.spawn_blocking(call);
        self.insert(key, task);
    }

    /// Runs a closure in the blocking pool of a runtime, under a key.
    ///
    /// # Panics
    /// If the pool has no thread, and the system refuses to start one.
    ///
    /// # Examples
    /// ```
    /// let runtime = henge::runtime::Builder::new_current_thread().build()?;
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn_blocking_on("/", || std::fs::metadata("/"), runtime.handle());
    /// let (path, metadata) = runtime.block_on(map.join_next()).unwrap();
    /// assert!(path == "/" && metadata??.is_dir());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, key: K, call: F, handle: &Handle)
    where
        F: FnOnce() -> V + Send + 'static,
        V: Send,
    {
        let task = self.tasks.spawn_blocking_on(call, handle);
        self.insert(key, task);
    }

    fn insert(&mut self, key: K, task: AbortHandle) {
        let hash = self.hashes.hasher().hash_one(&key);
        let id = task.id();
        let hasher = self.hashes.hasher();
        let entry = self.members.entry(
            hash,
            |member| member.key == key,
            |member| hasher.hash_one(&member.key),
        );
        let replaced = match entry {
            Entry::Occupied(mut occupied) => {
                Some(std::mem::replace(occupied.get_mut(), Member { key, task }))
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Member { key, task });
                None
            }
        };
        if let Some(Member { task, .. }) = &replaced {
            task.abort();
            self.hashes.remove(&task.id());
        }
        // It has the id of no other: a task keeps its own until it was joined.
        self.hashes.insert(id, hash);
    }

    /// Waits until a task of the map is done, takes it out and yields its key and its result;
    /// `None` if the map is empty.
    ///
    /// # Errors
    /// In the result: that of a task which panicked or was cancelled.
    ///
    /// # Cancel safety
    /// If it is dropped in `select!`, no task of the map has been taken out.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, receiver) = henge::sync::oneshot::channel();
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn("waits", async { receiver.await.unwrap() });
    /// map.spawn("quick", async { 1 });
    /// assert_eq!(map.join_next().await.unwrap().0, "quick");
    ///
    /// sender.send(2).unwrap();
    /// let (key, result) = map.join_next().await.unwrap();
    /// assert_eq!((key, result.unwrap()), ("waits", 2));
    /// assert!(map.join_next().await.is_none());
    /// # }
    /// ```
    pub async fn join_next(&mut self) -> Option<(K, Result<V, JoinError>)> {
        loop {
            let done = self.tasks.join_next_with_id().await?;
            if let Some(member) = self.remove(done) {
                return Some(member);
            }
        }
    }

    /// Takes a task out that is done; `None` if there is none.
    ///
    /// # Errors
    /// As for [`join_next`](Self::join_next).
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn("quick", async { 1 });
    /// assert!(map.try_join_next().is_none(), "it has not run yet");
    /// henge::task::yield_now().await;
    /// let (key, result) = map.try_join_next().unwrap();
    /// assert_eq!((key, result.unwrap()), ("quick", 1));
    /// # }
    /// ```
    pub fn try_join_next(&mut self) -> Option<(K, Result<V, JoinError>)> {
        loop {
            let done = self.tasks.try_join_next_with_id()?;
            if let Some(member) = self.remove(done) {
                return Some(member);
            }
        }
    }

    /// `None` for a task whose place was taken.
    fn remove(&mut self, done: Result<(Id, V), JoinError>) -> Option<(K, Result<V, JoinError>)> {
        let id = done.as_ref().map_or_else(JoinError::id, |(id, _value)| *id);
        let hash = self.hashes.remove(&id)?;
        let found = self.members.find_entry(hash, |member| member.task.id() == id);
        let (member, _vacant) = found.ok()?.remove();
        Some((member.key, done.map(|(_id, value)| value)))
    }

    /// Aborts all tasks and waits until they are gone. The map is empty then. Closures of the
    /// blocking pool that have started run to their end, and are waited for.
    ///
    /// # Cancel safety
    /// Dropped half-way it leaves tasks that are aborted in the map.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    ///
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let connection = Rc::new("open");
    /// let mut map = henge::task::JoinMap::new();
    /// let used = Rc::clone(&connection);
    /// map.spawn("reader", async move {
    ///     let _used = used;
    ///     std::future::pending::<()>().await
    /// });
    /// map.shutdown().await;
    /// assert_eq!(Rc::strong_count(&connection), 1, "the task is gone, and what it had");
    /// # }
    /// ```
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Aborts the task of a key; it is joined as cancelled, unless it was done before. False if
    /// there is none.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn(String::from("stuck"), std::future::pending::<()>());
    /// assert!(map.abort("stuck"));
    /// assert!(!map.abort("other"));
    /// # }
    /// ```
    pub fn abort<Q>(&mut self, key: &Q) -> bool
    where
        Q: ?Sized + Hash + Eq,
        K: Borrow<Q>,
    {
        let found = self.find(key);
        if let Some(member) = found {
            member.task.abort();
        }
        found.is_some()
    }

    /// Aborts the tasks whose keys `predicate` picks.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// for n in 0..10 {
    ///     map.spawn(n, std::future::pending::<()>());
    /// }
    /// map.abort_matching(|n| n % 2 == 0);
    /// for _ in 0..5 {
    ///     let (n, result) = map.join_next().await.unwrap();
    ///     assert!(n % 2 == 0 && result.unwrap_err().is_cancelled());
    /// }
    /// assert_eq!(map.len(), 5);
    /// # }
    /// ```
    pub fn abort_matching(&mut self, mut predicate: impl FnMut(&K) -> bool) {
        for member in &self.members {
            if predicate(&member.key) {
                member.task.abort();
            }
        }
    }

    /// Whether a task of this key can be joined.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// for host in ["a", "b", "a"] {
    ///     // To spawn it again would abort the one that runs.
    ///     if !map.contains_key(host) {
    ///         map.spawn(host, std::future::pending::<()>());
    ///     }
    /// }
    /// assert_eq!(map.len(), 2);
    /// # }
    /// ```
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: ?Sized + Hash + Eq,
        K: Borrow<Q>,
    {
        self.find(key).is_some()
    }

    /// Whether the task of this id can be joined.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, receiver) = henge::sync::oneshot::channel();
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn("worker", async { sender.send(henge::task::id()).unwrap() });
    /// let worker = receiver.await.unwrap();
    /// assert!(map.contains_task(&worker));
    /// map.join_next().await;
    /// assert!(!map.contains_task(&worker));
    /// # }
    /// ```
    pub fn contains_task(&self, task: &Id) -> bool {
        self.hashes.contains_key(task)
    }

    fn find<Q>(&self, key: &Q) -> Option<&Member<K>>
    where
        Q: ?Sized + Hash + Eq,
        K: Borrow<Q>,
    {
        let hash = self.hashes.hasher().hash_one(key);
        self.members.find(hash, |member| member.key.borrow() == key)
    }

    /// Makes room for `additional` more tasks.
    ///
    /// # Panics
    /// If that is more than fits in memory by any means: `isize::MAX` bytes.
    ///
    /// # Examples
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut map = henge::task::JoinMap::new();
    /// map.spawn("first", async {});
    /// map.reserve(99);
    /// assert!(map.capacity() >= 100);
    /// # }
    /// ```
    pub fn reserve(&mut self, additional: usize) {
        let hasher = self.hashes.hasher();
        self.members.reserve(additional, |member| hasher.hash_one(&member.key));
        self.hashes.reserve(additional);
    }

    /// Gives memory back that is not needed.
    ///
    /// # Examples
    /// ```
    /// let mut map: henge::task::JoinMap<u64, ()> = henge::task::JoinMap::with_capacity(1_000);
    /// map.shrink_to_fit();
    /// assert_eq!(map.capacity(), 0);
    /// ```
    pub fn shrink_to_fit(&mut self) {
        self.shrink_to(0);
    }

    /// Gives memory back, but keeps room for `min_capacity` tasks.
    ///
    /// # Examples
    /// ```
    /// let mut map: henge::task::JoinMap<u64, ()> = henge::task::JoinMap::with_capacity(1_000);
    /// map.shrink_to(10);
    /// assert!((10..1_000).contains(&map.capacity()));
    /// ```
    pub fn shrink_to(&mut self, min_capacity: usize) {
        let hasher = self.hashes.hasher();
        self.members.shrink_to(min_capacity, |member| hasher.hash_one(&member.key));
        self.hashes.shrink_to(min_capacity);
    }
}

/// Tasks by their keys.
impl<K: fmt::Debug, V, S> fmt::Debug for JoinMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.members.iter().map(|member| (&member.key, member.task.id()));
        f.debug_map().entries(members).finish()
    }
}

impl<K, V> Default for JoinMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
