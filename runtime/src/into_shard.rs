//! Handing a live connection to another shard.

use std::future::Future;

use henge_net::{TcpStream, UnixStream};

use crate::executor::JoinHandle;
use crate::shard_id::ShardId;
use crate::spawn::spawn_on;

/// What can be handed to another shard while it is in use: a connection.
///
/// # Examples
/// ```
/// use henge::net::{TcpListener, TcpStream};
/// use henge::shard::{self, IntoShard, ShardId};
///
/// /// A connection and what is known of it.
/// struct Session {
///     stream: TcpStream,
///     user: String,
/// }
///
/// impl IntoShard for Session {
///     fn let_go(&mut self) {
///         self.stream.let_go();
///     }
/// }
///
/// #[henge::main(worker_threads = 2)]
/// async fn main() -> std::io::Result<()> {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let stream = TcpStream::connect(listener.local_addr()?).await?;
///     let session = Session { stream, user: "ada".to_owned() };
///     let served = session.into_shard(ShardId::new(1), |session| async move {
///         format!("{} on shard {}", session.user, shard::current())
///     });
///     assert_eq!(served.await?, "ada on shard 1");
///     Ok(())
/// }
/// ```
pub trait IntoShard: Sized + Send + 'static {
    /// Prepares it to be used elsewhere, so that its first use there need not wait for this shard.
    ///
    /// # Examples
    /// ```
    /// use henge::mesh;
    /// use henge::net::{TcpListener, TcpStream};
    /// use henge::shard::{IntoShard, ShardId};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> std::io::Result<()> {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let mut stream = TcpStream::connect(listener.local_addr()?).await?;
    ///     let local = stream.local_addr()?;
    ///
    ///     // By another way than `into_shard`: this is what that does first.
    ///     let (sender, port) = mesh::channel(ShardId::new(1), 8);
    ///     stream.let_go();
    ///     assert!(sender.send(stream).await.is_ok());
    ///     let there = henge::spawn_on(port.shard(), move || async move {
    ///         port.open().recv().await.map(|stream: TcpStream| stream.local_addr())
    ///     });
    ///     assert_eq!(there.await?.transpose()?, Some(local));
    ///     Ok(())
    /// }
    /// ```
    fn let_go(&mut self);

    /// Hands it to another shard, where `serve` makes the task that goes on with it.
    ///
    /// Nothing is lost and nothing is overtaken on the way: bytes that were received here and have
    /// not been read are read there, before those that come later, and bytes that were written here
    /// go out before those that are written there.
    ///
    /// # Panics
    /// Outside of a runtime, or if it has no such shard.
    ///
    /// # Examples
    /// ```
    /// use henge::io::{AsyncReadExt, AsyncWriteExt};
    /// use henge::net::{TcpListener, TcpStream};
    /// use henge::shard::{self, IntoShard, ShardId};
    ///
    /// #[henge::main(worker_threads = 2)]
    /// async fn main() -> std::io::Result<()> {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let mut client = TcpStream::connect(listener.local_addr()?).await?;
    ///     let (mut stream, _peer) = listener.accept().await?;
    ///
    ///     // The first byte says which shard has what the client wants.
    ///     client.write_all(&[1, b'h', b'i']).await?;
    ///     let owner = ShardId::new(stream.read_u8().await?.into());
    ///     let served = stream.into_shard(owner, |mut stream| async move {
    ///         let mut rest = [0; 2];
    ///         stream.read_exact(&mut rest).await?;
    ///         stream.write_all(&rest).await?;
    ///         std::io::Result::Ok(shard::current())
    ///     });
    ///     let mut answer = [0; 2];
    ///     client.read_exact(&mut answer).await?;
    ///     assert_eq!(&answer, b"hi");
    ///     assert_eq!(served.await.expect("no panic")?, owner);
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    fn into_shard<M, F>(mut self, shard: ShardId, serve: M) -> JoinHandle<F::Output>
    where
        M: FnOnce(Self) -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        self.let_go();
        spawn_on(shard, move || serve(self))
    }
}

impl IntoShard for TcpStream {
    fn let_go(&mut self) {
        TcpStream::let_go(self);
    }
}

impl IntoShard for UnixStream {
    fn let_go(&mut self) {
        UnixStream::let_go(self);
    }
}
