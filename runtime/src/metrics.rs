//! What a runtime does, in numbers.
//!
//! [`RuntimeMetrics`] has tokio's names where tokio has one, and [`RuntimeMetrics::shard`] what
//! only a shard has. The numbers are written by the shards, once per turn, without any lock;
//! whoever reads them disturbs nobody.
//!
//! | I want to know | look at |
//! |---|---|
//! | whether a shard is overloaded | [`busy`] against [`parked`], [`queued`] |
//! | which task keeps a shard busy | [`Builder::detect_stalls`] |
//! | how long polls take | [`Builder::enable_metrics_poll_time_histogram`] |
//! | what the kernel is asked | [`enters`], [`completions`] |
//! | whether receives find memory | [`buffer_bytes`], [`buffers_found_empty`] |
//! | whether stealing evens out the load | [`steals`], [`searches`], [`overflows`] |
//! | whether a shard comes to what others ask | [`lane_depth`], [`wakes_sent`], [`wakes_saved`] |
//! | whether the blocking pool is large enough | [`blocking_queue_depth`] |
//!
//! [`busy`]: ShardMetrics::busy
//! [`parked`]: ShardMetrics::parked
//! [`queued`]: ShardMetrics::queued
//! [`enters`]: ShardMetrics::enters
//! [`completions`]: ShardMetrics::completions
//! [`buffer_bytes`]: ShardMetrics::buffer_bytes
//! [`buffers_found_empty`]: ShardMetrics::buffers_found_empty
//! [`steals`]: ShardMetrics::steals
//! [`searches`]: ShardMetrics::searches
//! [`overflows`]: ShardMetrics::overflows
//! [`lane_depth`]: ShardMetrics::lane_depth
//! [`wakes_sent`]: ShardMetrics::wakes_sent
//! [`wakes_saved`]: ShardMetrics::wakes_saved
//! [`blocking_queue_depth`]: RuntimeMetrics::blocking_queue_depth
//! [`Builder::detect_stalls`]: crate::runtime::Builder::detect_stalls
//! [`Builder::enable_metrics_poll_time_histogram`]:
//!     crate::runtime::Builder::enable_metrics_poll_time_histogram

use crate::runtime::Handle;

pub use crate::runtime::{RuntimeMetrics, ShardMetrics};

/// The numbers of the runtime that this is called in, as text in the format that Prometheus reads;
/// the same as [`RuntimeMetrics::prometheus`].
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// A page for Prometheus to fetch, at any path:
/// ```
/// use henge::io::{AsyncReadExt, AsyncWriteExt};
/// use henge::net::TcpListener;
///
/// async fn serve(listener: TcpListener) -> std::io::Result<()> {
///     loop {
///         let (mut stream, _) = listener.accept().await?;
///         henge::spawn(async move {
///             let mut request = [0; 1024];
///             stream.read(&mut request).await?;
///             let body = henge::metrics::prometheus();
///             let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n";
///             let length = format!("Content-Length: {}\r\n\r\n", body.len());
///             stream.write_all([head, &length, &body].concat().as_bytes()).await?;
///             stream.shutdown().await
///         });
///     }
/// }
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let listener = TcpListener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// # henge::spawn(serve(listener));
/// # let mut client = henge::net::TcpStream::connect(address).await?;
/// # client.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").await?;
/// # let mut answer = String::new();
/// # client.read_to_string(&mut answer).await?;
/// # assert!(answer.contains("henge_shard_enters_total{shard=\"0\"}"), "{answer}");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn prometheus() -> String {
    Handle::current().metrics().prometheus()
}
