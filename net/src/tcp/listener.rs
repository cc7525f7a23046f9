//! A listening TCP socket.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use henge_driver::ops::Nop;
use henge_driver::sys::socket;
use henge_driver::{Fd, Membership, Role, current, submit};

use super::incoming::Incoming;
use super::shared::SharedListener;
use super::stream::TcpStream;
use crate::addr::{ToSocketAddrs, none_resolved, resolve};
use crate::descriptor::descriptor;
use crate::stream::listener::Listener;

/// Listens for TCP connections.
///
/// It is fed by a multishot accept. Accepted connections are in the listener's own queue until
/// [`accept`](TcpListener::accept) takes them, so a dropped future loses none. While nobody waits
/// in `accept` nothing is accepted: connections wait in the kernel's backlog.
///
/// # Sharing an address
///
/// Each shard of a runtime may bind the same address once, and gets an accept queue of its own,
/// over which the kernel spreads the connections (`SO_REUSEPORT`). A second bind on the same shard,
/// in another runtime or in another process is refused with `AddrInUse`. Port 0 is a fresh port
/// each time; [`for_each_shard`](TcpListener::for_each_shard) shares one, which is what tests want.
/// A shard's listener that is closed resets the connections in its kernel queue.
///
/// # Examples
///
/// ```
/// use henge_net::{TcpListener, TcpStream};
///
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let client = TcpStream::connect(listener.local_addr()?).await?;
/// let (_server, peer) = listener.accept().await?;
/// assert_eq!(peer, client.local_addr()?);
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpListener {
    core: Listener,
    membership: Option<Membership>,
}

impl TcpListener {
    /// Listens at `addr`; of several addresses, at the first that can be had.
    ///
    /// `SO_REUSEADDR` is set, as tokio does. The backlog is 1,024; [`TcpSocket`] sets another.
    ///
    /// [`TcpSocket`]: crate::TcpSocket
    ///
    /// # Errors
    ///
    /// What the kernel answers to the last address: `AddrInUse` above all.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let listener = henge_net::TcpListener::bind(("127.0.0.1", 0)).await?;
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        let mut failure = None;
        for address in resolve(addr).await? {
            match TcpListener::open_now_or_next_turn(address).await {
                Ok(listener) => return Ok(listener),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(none_resolved))
    }

    /// As [`open`](TcpListener::open); if somebody listens there, once more after a turn. The
    /// listener of std's that was dropped just now goes with it.
    async fn open_now_or_next_turn(address: SocketAddr) -> io::Result<TcpListener> {
        match TcpListener::open(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                submit(Nop::new()).await?;
                TcpListener::open(address)
            }
            opened => opened,
        }
    }

    pub(super) fn open(address: SocketAddr) -> io::Result<TcpListener> {
        let (id, group) = current::with(|driver| (driver.id(), Arc::clone(driver.listen_group())))?;
        let (fd, membership) = group.open(id, address, |role| {
            let fd = socket::tcp(&address)?;
            socket::set_reuse_address(&fd, true)?;
            if role == Role::Joins {
                socket::set_reuse_port(&fd, true)?;
            }
            socket::bind(&fd, &address)?;
            if role == Role::First {
                // Only now: nobody of another process gets in between.
                socket::set_reuse_port(&fd, true)?;
            }
            socket::listen(&fd, socket::BACKLOG)?;
            let got = socket::local_addr(&fd)?;
            Ok((fd, got))
        })?;
        Ok(TcpListener::new(Fd::from(fd), Some(membership)))
    }

    pub(super) fn new(fd: Fd, membership: Option<Membership>) -> TcpListener {
        TcpListener { core: Listener::new(fd), membership }
    }

    /// Waits for a connection, and returns it with the peer's address.
    ///
    /// # Errors
    ///
    /// What the kernel answers, as in tokio: EMFILE, for example, when no descriptor is left. The
    /// listener stays usable, and tries again when this thread has closed one, or after 50 ms.
    ///
    /// # Cancel safety
    ///
    /// A connection is either returned or still in the listener's queue.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let _client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (stream, _peer) = listener.accept().await?;
    /// stream.set_nodelay(true)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        named(self.core.accept().await?)
    }

    /// As [`accept`](TcpListener::accept), for so long at most.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the time is over; as [`accept`](TcpListener::accept).
    ///
    /// # Cancel safety
    ///
    /// A connection is either returned or still in the listener's queue.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// use std::time::Duration;
    ///
    /// let listener = henge_net::TcpListener::bind("127.0.0.1:0").await?;
    /// let none = listener.accept_timeout(Duration::from_millis(1)).await.unwrap_err();
    /// assert_eq!(none.kind(), std::io::ErrorKind::TimedOut);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn accept_timeout(&self, limit: Duration) -> io::Result<(TcpStream, SocketAddr)> {
        named(self.core.accept_timeout(limit).await?)
    }

    /// Polls for a connection. Only the last caller's task is woken.
    ///
    /// # Errors
    ///
    /// As [`accept`](TcpListener::accept).
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let _client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (_stream, _peer) = std::future::poll_fn(|cx| listener.poll_accept(cx)).await?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let fd = ready!(self.core.poll_accept(cx))?;
        Poll::Ready(named(fd))
    }

    /// The connections as a stream, which never ends.
    ///
    /// # Examples
    ///
    /// ```
    /// # use henge_net::{TcpListener, TcpStream};
    /// use futures_core::Stream;
    /// use std::pin::Pin;
    ///
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let _client = TcpStream::connect(listener.local_addr()?).await?;
    /// let mut incoming = listener.incoming();
    /// let next = std::future::poll_fn(|cx| Pin::new(&mut incoming).poll_next(cx)).await;
    /// assert!(next.is_some_and(|stream| stream.is_ok()));
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming::new(self.core.incoming())
    }

    /// Shares it with the other shards of the runtime: each asks what is returned, which may be
    /// cloned and sent, for a listener of its own. This is for port 0; an address with a port is
    /// shared by binding it on each shard.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if [`bind`](TcpListener::bind) has not made it, for then nothing says who
    /// else may have the address.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let shared = henge_net::TcpListener::bind("127.0.0.1:0").await?.for_each_shard()?;
    /// println!("listening on {}", shared.local_addr()?);
    /// let listener = shared.listen()?; // on each shard
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn for_each_shard(self) -> io::Result<SharedListener> {
        if self.membership.is_none() {
            let why = "only a listener that `TcpListener::bind` has made can be shared";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let address = self.local_addr()?;
        Ok(SharedListener::new(self, address))
    }

    /// Takes the place of the shard that has bound it, so that one may listen there again.
    pub(super) fn hand_to_this_shard(&mut self) -> io::Result<()> {
        let (id, group) = current::with(|driver| (driver.id(), Arc::clone(driver.listen_group())))?;
        match &mut self.membership {
            Some(membership) => membership.hand_to(id, &group),
            None => Ok(()),
        }
    }

    /// The address that it listens at.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let listener = henge_net::TcpListener::bind("127.0.0.1:0").await?;
    /// assert!(listener.local_addr()?.ip().is_loopback());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        socket::local_addr(self.core.fd())
    }

    /// How many hops the packets of its connections may take (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let listener = henge_net::TcpListener::bind("127.0.0.1:0").await?;
    /// listener.set_ttl(100)?;
    /// assert_eq!(listener.ttl()?, 100);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn ttl(&self) -> io::Result<u32> {
        socket::ttl(self.core.fd())
    }

    /// Sets [`ttl`](TcpListener::ttl).
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// henge_net::TcpListener::bind("127.0.0.1:0").await?.set_ttl(64)?;
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        socket::set_ttl(self.core.fd(), ttl)
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
    /// let std = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let listener = henge_net::TcpListener::from_std(std)?;
    /// assert!(listener.local_addr()?.ip().is_loopback());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        let core = Listener::shared(Fd::from(OwnedFd::from(listener)));
        Ok(TcpListener { core, membership: None })
    }

    /// Gives the socket to std, non-blocking as tokio does. What is in the listener's own queue is
    /// closed.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let listener = henge_net::TcpListener::bind("127.0.0.1:0").await?;
    /// let std: std::net::TcpListener = listener.into_std()?;
    /// assert!(std.local_addr()?.ip().is_loopback());
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_std(self) -> io::Result<std::net::TcpListener> {
        Ok(self.core.into_fd()?.into())
    }
}

/// The stream of an accepted socket, and who it is.
fn named(fd: Fd) -> io::Result<(TcpStream, SocketAddr)> {
    let peer = socket::accepted_from(&fd)?;
    Ok((TcpStream::new(fd), peer))
}

descriptor!(TcpListener, |listener| listener.core.fd(), std::net::TcpListener);
