//! The threads of a runtime: how many there are in the pool, what all are called, and hooks.

use std::sync::Arc;
use std::time::Duration;

use super::Builder;

impl Builder {
    /// How many threads the pool for blocking work may have, 512 by default. They are started when
    /// they are needed.
    ///
    /// # Panics
    /// If `threads` is 0.
    ///
    /// # Examples
    /// ```
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// let runtime = builder.max_blocking_threads(1).build()?;
    /// let thread = || std::thread::current().id();
    /// let (one, other) = (runtime.spawn_blocking(thread), runtime.spawn_blocking(thread));
    /// assert_eq!(runtime.block_on(one)?, runtime.block_on(other)?, "one after the other");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn max_blocking_threads(&mut self, threads: usize) -> &mut Builder {
        assert!(threads > 0, "Max blocking threads cannot be set to 0");
        self.max_blocking_threads = threads;
        self
    }

    /// How long an idle thread of the blocking pool is kept, 10 s by default.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let mut builder = henge::runtime::Builder::new_current_thread();
    /// let runtime = builder.thread_keep_alive(Duration::from_millis(1)).build()?;
    /// assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 6 * 7))?, 42);
    /// while runtime.metrics().num_blocking_threads() > 0 {
    ///     std::thread::yield_now(); // not for long
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn thread_keep_alive(&mut self, idle: Duration) -> &mut Builder {
        self.keep_alive = idle;
        self
    }

    /// What the runtime is called, for whoever asks its [`Handle`](crate::runtime::Handle).
    ///
    /// # Panics
    /// If `name` is empty.
    ///
    /// # Examples
    /// ```
    /// use henge::runtime::{Builder, Handle};
    ///
    /// let runtime = Builder::new_current_thread().name("background").build()?;
    /// // For a log, say.
    /// let name = runtime.block_on(async { Handle::current().name().map(String::from) });
    /// assert_eq!(name.as_deref(), Some("background"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn name(&mut self, name: impl Into<String>) -> &mut Builder {
        let name = name.into();
        assert!(!name.trim().is_empty(), "runtime name shouldn't be empty");
        self.name = Some(name);
        self
    }

    /// The name of all threads of this runtime. By default a shard's is `henge-` and its number.
    ///
    /// # Examples
    /// ```
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(2).thread_name("crawler").build()?;
    /// let name = || std::thread::current().name().map(String::from);
    /// assert_eq!(runtime.run(move || async move { name() }).as_deref(), Some("crawler"));
    /// assert_eq!(runtime.block_on(runtime.spawn_blocking(name))?.as_deref(), Some("crawler"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Builder {
        let name = name.into();
        self.thread_name_fn(move || name.clone())
    }

    /// Names the threads of this runtime: called once for each.
    ///
    /// # Examples
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let count = AtomicUsize::new(0);
    /// let runtime = henge::runtime::Builder::new_multi_thread()
    ///     .worker_threads(2)
    ///     .thread_name_fn(move || format!("app-{}", count.fetch_add(1, Ordering::Relaxed)))
    ///     .build()?;
    /// let name = runtime.run(|| async { std::thread::current().name().map(String::from) });
    /// assert!(name.is_some_and(|name| name.starts_with("app-")));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn thread_name_fn<F>(&mut self, name: F) -> &mut Builder
    where
        F: Fn() -> String + Send + Sync + 'static,
    {
        self.namer = Some(Arc::new(name));
        self
    }

    /// The stack of each thread of this runtime, in bytes; 8 MiB by default. Untouched pages cost
    /// nothing.
    ///
    /// # Examples
    /// ```
    /// // More than the default has room for.
    /// fn hungry() -> u8 {
    ///     let scratch = std::hint::black_box([42; 10 << 20]);
    ///     scratch[scratch.len() / 2]
    /// }
    ///
    /// let mut builder = henge::runtime::Builder::new_multi_thread();
    /// let runtime = builder.worker_threads(1).thread_stack_size(64 << 20).build()?;
    /// assert_eq!(runtime.run(|| async { hungry() }), 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Builder {
        self.stack_bytes = bytes;
        self
    }

    /// Called by each thread of this runtime when it starts: shards and the blocking pool. If it
    /// panics on a shard, [`build`](Builder::build) fails; a thread of the pool goes on.
    ///
    /// # Examples
    /// ```
    /// use std::cell::RefCell;
    ///
    /// thread_local! {
    ///     static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// }
    ///
    /// let runtime = henge::runtime::Builder::new_multi_thread()
    ///     .worker_threads(2)
    ///     .on_thread_start(|| SCRATCH.with_borrow_mut(|bytes| bytes.reserve(4096)))
    ///     .build()?;
    /// assert!(runtime.run(|| async { SCRATCH.with_borrow(Vec::capacity) }) >= 4096);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_thread_start<F: Fn() + Send + Sync + 'static>(&mut self, hook: F) -> &mut Builder {
        self.hooks.start = Some(Arc::new(hook));
        self
    }

    /// Called by each thread of this runtime before it ends: shards and the blocking pool.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    ///
    /// let (tell, told) = mpsc::channel();
    /// let runtime = henge::runtime::Builder::new_multi_thread()
    ///     .worker_threads(2)
    ///     .on_thread_stop(move || drop(tell.send(std::thread::current().id())))
    ///     .build()?;
    /// drop(runtime); // which waits for its threads
    /// assert_eq!(told.try_iter().count(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_thread_stop<F: Fn() + Send + Sync + 'static>(&mut self, hook: F) -> &mut Builder {
        self.hooks.stop = Some(Arc::new(hook));
        self
    }

    /// Called by a shard that has nothing to do, before it sleeps. What it wakes runs first.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use henge::sync::oneshot;
    ///
    /// let (tell, told) = mpsc::channel();
    /// let (answer, receive) = oneshot::channel();
    /// // Another thread that waits until this one has nothing to do.
    /// let waiting = henge::thread::spawn(move || told.recv().map(|()| answer.send("it rests")))?;
    /// let runtime = henge::runtime::Builder::new_current_thread()
    ///     .on_thread_park(move || drop(tell.send(())))
    ///     .build()?;
    /// assert_eq!(runtime.block_on(receive).ok(), Some("it rests"));
    /// # assert!(waiting.join().is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_thread_park<F: Fn() + Send + Sync + 'static>(&mut self, hook: F) -> &mut Builder {
        self.hooks.park = Some(Arc::new(hook));
        self
    }

    /// Called by a shard after it has slept.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use std::time::Duration;
    ///
    /// let asleep = Arc::new(AtomicBool::new(false));
    /// let (parked, unparked) = (Arc::clone(&asleep), Arc::clone(&asleep));
    /// let runtime = henge::runtime::Builder::new_current_thread()
    ///     .on_thread_park(move || parked.store(true, Ordering::Relaxed))
    ///     .on_thread_unpark(move || unparked.store(false, Ordering::Relaxed))
    ///     .build()?;
    /// runtime.block_on(async { henge::time::sleep(Duration::from_millis(5)).await });
    /// assert!(!asleep.load(Ordering::Relaxed), "who sleeps runs no tasks");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_thread_unpark<F: Fn() + Send + Sync + 'static>(&mut self, hook: F) -> &mut Builder {
        self.hooks.unpark = Some(Arc::new(hook));
        self
    }
}
