//! Names of sockets of the Unix family.

use std::fmt;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use henge_driver::Fd;
use henge_driver::sys::socket::Address;
use henge_driver::sys::unix as sys;

use crate::addr::OfSocket;

/// The name of a socket of the Unix family: a path, an abstract name, or none.
///
/// It is std's [`SocketAddr`](std::os::unix::net::SocketAddr), and converts to and from it.
///
/// # Examples
///
/// ```
/// use henge_net::unix::SocketAddr;
///
/// let named = std::os::unix::net::SocketAddr::from_pathname("/run/server")?;
/// let named = SocketAddr::from(named);
/// assert_eq!(named.as_pathname(), Some(std::path::Path::new("/run/server")));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct SocketAddr(std::os::unix::net::SocketAddr);

impl SocketAddr {
    /// The name of a path; one that begins with a zero byte is an abstract name, as in tokio.
    pub(super) fn from_path(path: &Path) -> io::Result<SocketAddr> {
        let name = match path.as_os_str().as_bytes().split_first() {
            Some((0, hidden)) => std::os::unix::net::SocketAddr::from_abstract_name(hidden),
            _ => std::os::unix::net::SocketAddr::from_pathname(path),
        };
        name.map(SocketAddr)
    }

    pub(super) fn as_std(&self) -> &std::os::unix::net::SocketAddr {
        &self.0
    }

    /// Whether the socket has no name.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// let (a, _b) = henge_net::UnixStream::pair()?;
    /// assert!(a.local_addr()?.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_unnamed(&self) -> bool {
        self.0.is_unnamed()
    }

    /// The path, if the name is one.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::os::unix::net::SocketAddr;
    ///
    /// let named: henge_net::unix::SocketAddr = SocketAddr::from_pathname("/run/server")?.into();
    /// assert!(named.as_pathname().is_some());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn as_pathname(&self) -> Option<&Path> {
        self.0.as_pathname()
    }

    /// The abstract name, without the zero byte before it, if the name is one.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::os::linux::net::SocketAddrExt;
    /// use std::os::unix::net::SocketAddr;
    ///
    /// let named: henge_net::unix::SocketAddr = SocketAddr::from_abstract_name("server")?.into();
    /// assert_eq!(named.as_abstract_name(), Some(&b"server"[..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn as_abstract_name(&self) -> Option<&[u8]> {
        self.0.as_abstract_name()
    }
}

impl OfSocket for SocketAddr {
    fn of(socket: &Fd) -> io::Result<SocketAddr> {
        sys::local_addr(socket).map(SocketAddr)
    }

    fn of_peer(socket: &Fd) -> io::Result<SocketAddr> {
        sys::peer_addr(socket).map(SocketAddr)
    }

    fn from_kernel(address: Address) -> io::Result<SocketAddr> {
        sys::name(&address).map(SocketAddr)
    }
}

impl fmt::Debug for SocketAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<std::os::unix::net::SocketAddr> for SocketAddr {
    fn from(name: std::os::unix::net::SocketAddr) -> SocketAddr {
        SocketAddr(name)
    }
}

impl From<SocketAddr> for std::os::unix::net::SocketAddr {
    fn from(name: SocketAddr) -> std::os::unix::net::SocketAddr {
        name.0
    }
}
