//! What can be set about a pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How many threads a pool may have, how long they stay, and what they are called.
///
/// # Examples
///
/// ```
/// use henge_driver::offload::{Config, Pool};
///
/// let pool = Pool::new(Config { max_threads: 4, ..Config::default() });
/// assert_eq!(pool.metrics().threads, 0);
/// ```
#[derive(Clone)]
pub struct Config {
    /// The most threads at a time; at least one is meant.
    pub max_threads: usize,
    /// How long a thread waits for something to do before it ends.
    pub keep_alive: Duration,
    /// The name of the next thread.
    pub thread_name: Arc<dyn Fn() -> String + Send + Sync>,
    /// The size of a thread's stack in bytes; `None` for std's default.
    pub stack_size: Option<usize>,
    /// Called by each thread before its first job.
    pub on_start: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Called by each thread before it ends.
    pub on_stop: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Default for Config {
    /// 512 threads, which end after ten idle seconds.
    fn default() -> Config {
        Config {
            max_threads: 512,
            keep_alive: Duration::from_secs(10),
            thread_name: Arc::new(|| "henge-blocking".to_owned()),
            stack_size: None,
            on_start: None,
            on_stop: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("max_threads", &self.max_threads)
            .field("keep_alive", &self.keep_alive)
            .field("stack_size", &self.stack_size)
            .finish_non_exhaustive()
    }
}
