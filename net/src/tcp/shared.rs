//! A listener that every shard is to have one of.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use super::listener::TcpListener;

/// A listener, for each shard to have one of; see [`TcpListener::for_each_shard`].
///
/// It keeps the listener it was made of until a shard has asked for one: what connects meanwhile
/// waits in the kernel.
///
/// # Examples
///
/// ```
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let listener = henge_net::TcpListener::bind("127.0.0.1:0").await?;
/// let shared: henge_net::tcp::SharedListener = listener.for_each_shard()?;
/// println!("listening on {}", shared.local_addr()?);
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedListener {
    address: SocketAddr,
    /// What it was made of, for the shard that asks first.
    first: Arc<Mutex<Option<TcpListener>>>,
}

impl SharedListener {
    pub(super) fn new(first: TcpListener, address: SocketAddr) -> SharedListener {
        SharedListener { address, first: Arc::new(Mutex::new(Some(first))) }
    }

    /// A listener for the shard that calls it, with an accept queue of its own. The first to call
    /// gets the one that was shared, whichever shard has bound it.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if this shard has its listener already, or belongs to another runtime; and what
    /// the kernel answers.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let shared = henge_net::TcpListener::bind("127.0.0.1:0").await?.for_each_shard()?;
    /// let listener = shared.listen()?;
    /// assert_eq!(listener.local_addr()?, shared.local_addr()?);
    /// assert_eq!(shared.listen().unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn listen(&self) -> io::Result<TcpListener> {
        let mut first = self.first();
        match &mut *first {
            Some(listener) => listener.hand_to_this_shard()?,
            None => return TcpListener::open(self.address),
        }
        first.take().ok_or_else(|| io::ErrorKind::AddrInUse.into())
    }

    /// The address that all of them listen at, with its real port.
    ///
    /// # Errors
    ///
    /// None at present: a `Result`, as [`TcpListener::local_addr`] is.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// # driver.block_on(async {
    /// let shared = henge_net::TcpListener::bind("127.0.0.1:0").await?.for_each_shard()?;
    /// assert_ne!(shared.local_addr()?.port(), 0);
    /// # std::io::Result::Ok(())
    /// # })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    fn first(&self) -> MutexGuard<'_, Option<TcpListener>> {
        // Nothing panics while it is held.
        self.first.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl fmt::Debug for SharedListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedListener").field("address", &self.address).finish_non_exhaustive()
    }
}
