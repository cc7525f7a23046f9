//! A listening socket of the Unix family.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::task::{Context, Poll, ready};

use henge_driver::Fd;
use henge_driver::sys::{socket, unix};

use super::addr::SocketAddr;
use super::incoming::Incoming;
use super::stream::UnixStream;
use crate::addr::OfSocket as _;
use crate::descriptor::descriptor;
use crate::stream::listener::Listener;

/// A listening socket of the Unix family.
///
/// It is fed by a multishot accept. Accepted connections are in the listener's own queue until
/// [`accept`](UnixListener::accept) takes them, so a dropped future loses none. While nobody waits
/// in `accept` nothing is accepted: connections wait in the kernel's backlog.
///
/// A path is bound once: shards that accept from it share the listener by an `Arc`.
///
/// # Examples
///
/// ```
/// # use henge_net::{UnixListener, UnixStream};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// # let path = std::env::temp_dir().join(format!("henge-listener-{}", std::process::id()));
/// # let _ = std::fs::remove_file(&path);
/// let listener = UnixListener::bind(&path)?;
/// let client = UnixStream::connect(&path).await?;
/// let (server, _peer) = listener.accept().await?;
/// assert_eq!(server.peer_cred()?, client.peer_cred()?); // this process, both
/// # std::fs::remove_file(&path)?;
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixListener {
    core: Listener,
}

impl UnixListener {
    pub(super) fn new(fd: Fd) -> UnixListener {
        UnixListener { core: Listener::new(fd) }
    }

    /// Listens at `path`, which must not exist yet, and which stays when the listener is gone.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if there is something at `path`; `InvalidInput` if it is too long for a socket's
    /// name; what the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixListener, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-bind-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let listener = UnixListener::bind(&path)?;
    /// let client = UnixStream::connect(&path).await?;
    /// let (_server, peer) = listener.accept().await?;
    /// assert!(peer.is_unnamed());
    /// # drop(client);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        UnixListener::bind_addr(&SocketAddr::from_path(path.as_ref())?)
    }

    /// Listens under this name, which may be an abstract one.
    ///
    /// # Errors
    ///
    /// As [`bind`](UnixListener::bind).
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixListener, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use std::os::linux::net::SocketAddrExt;
    /// use std::os::unix::net::SocketAddr;
    ///
    /// let name = format!("henge-bind-{}", std::process::id());
    /// let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?.into())?;
    /// let client = UnixStream::connect_addr(&listener.local_addr()?).await?;
    /// # drop(client);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<UnixListener> {
        let socket = Fd::from(unix::stream()?);
        unix::bind(&socket, addr.as_std())?;
        socket::listen(&socket, socket::BACKLOG)?;
        Ok(UnixListener::new(socket))
    }

    /// Takes over a listener of std's. Whether it is non-blocking does not matter.
    ///
    /// The socket may have other descriptors, in other processes too: it goes on listening for them
    /// when this one is dropped. If there are none, it listens until the driver's next turn.
    ///
    /// # Errors
    ///
    /// None today; tokio's signature.
    ///
    /// # Examples
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("henge-from-std-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let std = std::os::unix::net::UnixListener::bind(&path)?;
    /// let listener = henge_net::UnixListener::from_std(std)?;
    /// # drop(listener);
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_std(listener: std::os::unix::net::UnixListener) -> io::Result<UnixListener> {
        Ok(UnixListener { core: Listener::shared(Fd::from(OwnedFd::from(listener))) })
    }

    /// Gives the socket to std, non-blocking as tokio does. Connections that were accepted already
    /// and that nobody took are closed.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("henge-into-std-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let listener = henge_net::UnixListener::bind(&path)?;
    /// let std = listener.into_std()?;
    /// assert!(std.local_addr()?.as_pathname().is_some());
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_std(self) -> io::Result<std::os::unix::net::UnixListener> {
        Ok(self.core.into_fd()?.into())
    }

    /// The name that it listens under.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("henge-local-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let listener = henge_net::UnixListener::bind(&path)?;
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path));
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        SocketAddr::of(self.core.fd())
    }

    /// The error that the socket has noted since the last call (`SO_ERROR`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("henge-error-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let listener = henge_net::UnixListener::bind(&path)?;
    /// assert!(listener.take_error()?.is_none());
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        socket::take_error(self.core.fd())
    }

    /// Waits for a connection, and says who it is from.
    ///
    /// # Errors
    ///
    /// What the kernel answers: that this process may open no more files, for example.
    ///
    /// # Cancel safety
    ///
    /// A connection is either returned or still in the listener's queue.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixListener, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-accept-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let listener = UnixListener::bind(&path)?;
    /// let client = UnixStream::connect(&path).await?;
    /// let (server, _peer) = listener.accept().await?;
    /// assert_eq!(server.local_addr()?.as_pathname(), Some(&*path));
    /// # drop(client);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        named(self.core.accept().await?)
    }

    /// As [`accept`](UnixListener::accept); only the task that called last is woken.
    ///
    /// # Errors
    ///
    /// As [`accept`](UnixListener::accept).
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixListener, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-poll-accept-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// let listener = UnixListener::bind(&path)?;
    /// let client = UnixStream::connect(&path).await?;
    /// let (_server, _peer) = std::future::poll_fn(|cx| listener.poll_accept(cx)).await?;
    /// # drop(client);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let fd = ready!(self.core.poll_accept(cx))?;
        Poll::Ready(named(fd))
    }

    /// The connections as a stream, without an end.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{UnixListener, UnixStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("henge-incoming-{}", std::process::id()));
    /// # let _ = std::fs::remove_file(&path);
    /// use futures_core::Stream;
    ///
    /// let listener = UnixListener::bind(&path)?;
    /// let client = UnixStream::connect(&path).await?;
    /// let mut incoming = std::pin::pin!(listener.incoming());
    /// let next = std::future::poll_fn(|cx| incoming.as_mut().poll_next(cx)).await;
    /// let _server: UnixStream = next.expect("it has no end")?;
    /// # drop(client);
    /// # std::fs::remove_file(&path)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming::new(self.core.incoming())
    }
}

fn named(fd: Fd) -> io::Result<(UnixStream, SocketAddr)> {
    let peer = SocketAddr::of_peer(&fd)?;
    Ok((UnixStream::new(fd), peer))
}

descriptor!(UnixListener, |listener| listener.core.fd(), std::os::unix::net::UnixListener);
