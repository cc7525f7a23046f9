//! A thread-per-core io_uring runtime for Linux, with tokio's names and semantics.
//!
//! A runtime is a number of *shards*: threads, pinned to a core each, each with its own ring, its
//! own tasks and its own timers. A task stays on the shard that it was spawned on, need not be
//! `Send`, and shares nothing with other shards that it is not given. Programs come from tokio by
//! changing `tokio::` to `henge::`; what is built on tokio's I/O *traits* works unchanged.
//!
//! ```no_run
//! use henge::runtime::Runtime;
//!
//! fn main() -> std::io::Result<()> {
//!     let runtime = Runtime::new()?; // a shard per CPU
//!     runtime.run_each(|| async {
//!         // This runs on every shard, and what it spawns stays there.
//!         let here = henge::shard::current();
//!         let task = henge::spawn(async move { println!("hello from shard {here}") });
//!         task.await.map_err(std::io::Error::other)
//!     })
//! }
//! ```
//!
//! | I want | look at |
//! |---|---|
//! | a program, or a test | [`#[henge::main]`](main), [`#[henge::test]`](macro@test) |
//! | a server on all cores | [`run_each`], and in it [`net::TcpListener`] and [`spawn`] |
//! | lines, or all there is, from a stream | [`io::AsyncBufReadExt`], [`io::AsyncReadExt`] |
//! | to bound something in time | [`time::timeout`] |
//! | the first of several | [`select!`], [`task::JoinSet`] |
//! | to tell many, on all shards | [`sync::broadcast`], [`sync::watch`] |
//! | to shut down gracefully | [`signal`], [`sync::CancellationToken`], [`task::TaskTracker`] |
//! | to call what blocks or computes for long | [`task::spawn_blocking`], [`blocking::Limit`] |
//! | one of something on every shard | [`mesh::Sharded`] |
//! | connections placed by load | [`shard::Acceptor`] |
//! | work that idle shards take | [`steal::spawn`] |
//!
//! `examples/11_chat.rs` in the repository is a chat server of these: rooms, time-outs, and an end
//! that waits for everybody. The guide, which begins with `docs/guide/01-thinking-in-shards.md`,
//! is for those who know tokio; `docs/guide/porting-from-tokio.md` lists what differs.
//!
//! | module | what it has |
//! |---|---|
//! | [`runtime`] | making a runtime, running on it, ending it, seeing what it does |
//! | [`task`] | tasks, their handles, blocking work |
//! | [`blocking`] | bounds on blocking work |
//! | [`shard`] | which shards there are, and where this runs |
//! | [`mesh`] | calls and channels between shards, services that have a part on each |
//! | [`steal`] | tasks that idle shards may take |
//! | [`sync`] | channels, semaphores, notifications |
//! | [`time`] | sleeping, time-outs, intervals, a clock that tests can stop |
//! | [`net`], [`fs`] | sockets and files |
//! | [`future`] | methods of all futures |
//! | [`io`] | tokio's I/O traits and utilities |
//! | [`metrics`] | what a runtime does, in numbers |
//! | [`process`], [`signal`] | child processes, signals of this one |
//! | [`thread`] | threads beside the shards |
//! | [`driver`] | the ring underneath, for operations of your own |

#![deny(unsafe_code)]

mod acceptor;
pub mod blocking;
mod capabilities;
mod executor;
pub mod future;
mod histogram;
mod into_shard;
pub mod io;
mod loom;
pub mod mesh;
pub mod metrics;
#[allow(unsafe_code, reason = "instructions that are hints")]
mod prefetch;
pub mod process;
mod queue;
mod run_each;
pub mod runtime;
mod select;
mod shard_id;
pub mod signal;
mod spawn;
pub mod steal;
mod stealing;
pub mod sync;
pub mod task;
pub mod thread;
pub mod time;

pub use capabilities::capabilities;
pub use run_each::run_each;
pub use spawn::spawn_on;
pub use task::spawn;

#[doc(inline)]
pub use henge_driver as driver;
#[doc(inline)]
pub use henge_fs as fs;
pub use henge_macros::{main, test};
#[doc(inline)]
pub use henge_net as net;
pub use tokio::{join, pin, try_join};

#[doc(hidden)]
pub use select::private as __private;

/// The shards of the current runtime.
pub mod shard {
    pub use crate::acceptor::Acceptor;
    pub use crate::into_shard::IntoShard;
    pub use crate::mesh::{broadcast, map_reduce};
    pub use crate::runtime::{ShardId, count, current, try_current};
}
