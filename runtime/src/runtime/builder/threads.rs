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
    #[track_caller]
    pub fn max_blocking_threads(&mut self, threads: usize) -> &mut Builder {
        assert!(threads > 0, "Max blocking threads cannot be set to 0");
        self.max_blocking_threads = threads;
        self
    }

    /// How long an idle thread of the blocking pool is kept, 10 s by default.
    pub fn thread_keep_alive(&mut self, idle: Duration) -> &mut Builder {
        self.keep_alive = idle;
        self
    }

    /// What the runtime is called, for whoever asks its [`Handle`](crate::runtime::Handle).
    ///
    /// # Panics
    /// If `name` is empty.
    #[track_caller]
    pub fn name(&mut self, name: impl Into<String>) -> &mut Builder {
        let name = name.into();
        assert!(!name.trim().is_empty(), "runtime name shouldn't be empty");
        self.name = Some(name);
        self
    }

    /// The name of all threads of this runtime. By default a shard's is `henge-` and its number.
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
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Builder {
        self.stack_bytes = bytes;
        self
    }

    /// Called by each thread of this runtime when it starts: shards and the blocking pool.
    pub fn on_thread_start<F: Fn() + Send + Sync + 'static>(&mut self, hook: F) -> &mut Builder {
        self.hooks.start = Some(Arc::new(hook));
        self
    }

    /// Called by each thread of this runtime before it ends: shards and the blocking pool.
    pub fn on_thread_stop<F: Fn() + Send + Sync + 'static>(&mut self, hook: F) -> &mut Builder {
        self.hooks.stop = Some(Arc::new(hook));
        self
    }

    /// Called by a shard that has nothing to do, before it sleeps. What it wakes runs first.
    pub fn on_thread_park<F: Fn() + Send + Sync + 'static>(&mut self, hook: F) -> &mut Builder {
        self.hooks.park = Some(Arc::new(hook));
        self
    }

    /// Called by a shard after it has slept.
    pub fn on_thread_unpark<F: Fn() + Send + Sync + 'static>(&mut self, hook: F) -> &mut Builder {
        self.hooks.unpark = Some(Arc::new(hook));
        self
    }
}
