//! Handing a live connection to another shard.

use std::future::Future;

use henge_net::{TcpStream, UnixStream};

use crate::executor::JoinHandle;
use crate::shard_id::ShardId;
use crate::spawn::spawn_on;

/// What can be handed to another shard while it is in use: a connection.
pub trait IntoShard: Sized + Send + 'static {
    /// Prepares it to be used elsewhere, so that its first use there need not wait for this shard.
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
