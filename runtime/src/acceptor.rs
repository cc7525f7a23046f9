//! One shard accepts, and each connection goes to the shard that has the least to do.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use henge_net::{TcpListener, TcpStream};

use crate::into_shard::IntoShard;
use crate::runtime::Handle;
use crate::shard_id::ShardId;

/// Accepts connections and places each on the shard that has the least to do.
///
/// By default every shard accepts for itself from an address that all of them share, and the kernel
/// spreads the connections by a hash, which is cheapest and even where connections are many and
/// alike. Where they are few, or long, or a few of them are heavy, chance puts too many on one
/// shard; this counts them.
///
/// What a shard has to do is how many of this acceptor's connections are open there, and how many
/// of its tasks wait for their turn. With equals the shards take turns.
///
/// # Examples
/// ```
/// use henge::io::{AsyncReadExt, AsyncWriteExt};
/// use henge::net::{TcpListener, TcpStream};
/// use henge::shard::Acceptor;
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() -> std::io::Result<()> {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let address = listener.local_addr()?;
///     henge::spawn(async move {
///         let echo = |mut stream: TcpStream, _peer| async move {
///             let mut buf = vec![0; 4096];
///             while let Ok(n @ 1..) = stream.read(&mut buf).await {
///                 if stream.write_all(&buf[..n]).await.is_err() {
///                     break;
///                 }
///             }
///         };
///         Acceptor::new(listener).serve(echo).await
///     });
///     let (mut client, mut answer) = (TcpStream::connect(address).await?, [0; 5]);
///     client.write_all(b"hello").await?;
///     client.read_exact(&mut answer).await?;
///     assert_eq!(&answer, b"hello");
///     Ok(())
/// }
/// ```
pub struct Acceptor {
    listener: TcpListener,
    runtime: Handle,
    /// How many connections are open on each shard.
    open: Arc<[AtomicUsize]>,
    /// How many were placed.
    placed: AtomicUsize,
}

impl Acceptor {
    /// Places connections of `listener` on the shards of this runtime.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// use henge::net::TcpListener;
    /// use henge::shard::{Acceptor, ShardId};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> std::io::Result<()> {
    ///     let acceptor = Acceptor::new(TcpListener::bind("127.0.0.1:0").await?);
    ///     assert_eq!([0, 1].map(|shard| acceptor.open(ShardId::new(shard))), [0, 0]);
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn new(listener: TcpListener) -> Acceptor {
        let runtime = Handle::current();
        let open = (0..runtime.shared().shards()).map(|_| AtomicUsize::new(0)).collect();
        Acceptor { listener, runtime, open, placed: AtomicUsize::new(0) }
    }

    /// Accepts for ever. `serve` makes the task of each connection, on the shard that it is placed
    /// on.
    ///
    /// # Errors
    /// Of [`TcpListener::accept`]. Connections that were placed go on, and this may be called
    /// again.
    ///
    /// # Cancel safety
    /// No connection is lost: what was accepted and not placed is found by the next accept.
    ///
    /// # Examples
    /// ```
    /// use henge::io::{AsyncReadExt, AsyncWriteExt};
    /// use henge::net::{TcpListener, TcpStream};
    /// use henge::shard::{self, Acceptor};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> std::io::Result<()> {
    ///     let acceptor = Acceptor::new(TcpListener::bind("127.0.0.1:0").await?);
    ///     let address = acceptor.listener().local_addr()?;
    ///     let client = async {
    ///         let mut stream = TcpStream::connect(address).await?;
    ///         stream.read_u8().await
    ///     };
    ///     henge::select! {
    ///         ended = acceptor.serve(|mut stream, _peer| async move {
    ///             // The shard that has the least to do.
    ///             drop(stream.write_u8(shard::current().index() as u8).await);
    ///         }) => { ended?; }
    ///         shard = client => assert!(usize::from(shard?) < shard::count()),
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub async fn serve<M, F>(&self, serve: M) -> io::Result<Infallible>
    where
        M: Fn(TcpStream, SocketAddr) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + 'static,
    {
        loop {
            let (stream, peer) = self.listener.accept().await?;
            let shard = self.least();
            let (serve, open) = (serve.clone(), Open::new(Arc::clone(&self.open), shard));
            drop(stream.into_shard(ShardId::new(shard), move |stream| async move {
                let _open = open;
                serve(stream, peer).await;
            }));
        }
    }

    /// The listener.
    ///
    /// # Examples
    /// ```
    /// use henge::net::TcpListener;
    /// use henge::shard::Acceptor;
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> std::io::Result<()> {
    ///     let acceptor = Acceptor::new(TcpListener::bind("127.0.0.1:0").await?);
    ///     // Port 0 was a request for any that is free.
    ///     assert_ne!(acceptor.listener().local_addr()?.port(), 0);
    ///     Ok(())
    /// }
    /// ```
    pub fn listener(&self) -> &TcpListener {
        &self.listener
    }

    /// How many connections are open on a shard; none if there is no such shard.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use henge::io::{AsyncReadExt, AsyncWriteExt};
    /// use henge::net::{TcpListener, TcpStream};
    /// use henge::shard::{self, Acceptor, ShardId};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> std::io::Result<()> {
    ///     let acceptor = Arc::new(Acceptor::new(TcpListener::bind("127.0.0.1:0").await?));
    ///     let mut client = TcpStream::connect(acceptor.listener().local_addr()?).await?;
    ///     let accepting = Arc::clone(&acceptor);
    ///     henge::spawn(async move {
    ///         let served = accepting.serve(|mut stream, _peer| async move {
    ///             drop(stream.write_u8(1).await);
    ///             drop(stream.read_u8().await); // until the client has gone
    ///         });
    ///         served.await
    ///     });
    ///
    ///     client.read_u8().await?;
    ///     let open = (0..shard::count()).map(|shard| acceptor.open(ShardId::new(shard)));
    ///     assert_eq!(open.sum::<usize>(), 1);
    ///     Ok(())
    /// }
    /// ```
    pub fn open(&self, shard: ShardId) -> usize {
        self.open.get(shard.index()).map_or(0, |open| open.load(Ordering::Relaxed))
    }

    /// The shard that has the least to do.
    fn least(&self) -> usize {
        let seats = self.runtime.shared().seats();
        let load = |shard: usize| {
            let waiting = seats.get(shard).map_or(0, |seat| seat.load().0 as usize);
            self.open(ShardId::new(shard)) + waiting
        };
        let shards = self.open.len();
        let first = self.placed.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..shards).map(|next| (first.wrapping_add(next)) % shards);
        in_turn.min_by_key(|shard| load(*shard)).unwrap_or(0)
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor")
            .field("listener", &self.listener)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

/// A connection that is open on a shard, until this is dropped.
struct Open {
    open: Arc<[AtomicUsize]>,
    shard: usize,
}

impl Open {
    fn new(open: Arc<[AtomicUsize]>, shard: usize) -> Open {
        open[shard].fetch_add(1, Ordering::Relaxed);
        Open { open, shard }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.open[self.shard].fetch_sub(1, Ordering::Relaxed);
    }
}
