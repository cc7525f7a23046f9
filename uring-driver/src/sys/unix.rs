//! Sockets of the Unix family: their names, and who is at the other end.
//!
//! As in [`socket`](super::socket), nothing here waits.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::SocketAddr;

use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use super::socket::Address;

/// Makes a stream socket, CLOEXEC and blocking, as [`tcp`](super::socket::tcp) does.
pub fn stream() -> io::Result<OwnedFd> {
    Ok(Socket::new(Domain::UNIX, Type::STREAM, None)?.into())
}

/// Makes two stream sockets that are connected to each other.
pub fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (a, b) = Socket::pair(Domain::UNIX, Type::STREAM, None)?;
    Ok((a.into(), b.into()))
}

/// Gives the socket a name. A path must not exist yet.
pub fn bind(fd: impl AsFd, name: &SocketAddr) -> io::Result<()> {
    SockRef::from(&fd).bind(&address(name)?.0)
}

/// The name of this end.
pub fn local_addr(fd: impl AsFd) -> io::Result<SocketAddr> {
    name(&Address(SockRef::from(&fd).local_addr()?))
}

/// The name of the other end.
pub fn peer_addr(fd: impl AsFd) -> io::Result<SocketAddr> {
    name(&Address(SockRef::from(&fd).peer_addr()?))
}

/// A name in the kernel's form.
pub fn address(name: &SocketAddr) -> io::Result<Address> {
    if let Some(path) = name.as_pathname() {
        return SockAddr::unix(path).map(Address);
    }
    let hidden = name.as_abstract_name().map_or(Vec::new(), |name| [&[0], name].concat());
    SockAddr::unix(OsStr::from_bytes(&hidden)).map(Address)
}

/// A name out of the kernel's form.
pub fn name(address: &Address) -> io::Result<SocketAddr> {
    let Address(name) = address;
    if let Some(path) = name.as_pathname() {
        return SocketAddr::from_pathname(path);
    }
    if let Some(hidden) = name.as_abstract_namespace() {
        return SocketAddr::from_abstract_name(hidden);
    }
    // The sender of a datagram without a name: the kernel leaves not even a family.
    if name.is_unnamed() || address.is_empty() {
        return SocketAddr::from_pathname("");
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket is not of the Unix family"))
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The process; zero where this namespace has no number for it.
    pub pid: i32,
}

/// Who called `connect`, or `listen`, at the other end (`SO_PEERCRED`).
pub fn peer_credentials(fd: impl AsFd) -> io::Result<Credentials> {
    let mut found = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    let (raw, level) = (fd.as_fd().as_raw_fd(), libc::SOL_SOCKET);
    let into = (&raw mut found).cast();
    // SAFETY: the kernel writes at most `len` bytes to `found`, which has as many, and the length
    // to `len`; any bytes are a valid `ucred`.
    match unsafe { libc::getsockopt(raw, level, libc::SO_PEERCRED, into, &raw mut len) } {
        0 => Ok(Credentials { uid: found.uid, gid: found.gid, pid: found.pid }),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::{address, name, peer_credentials, stream_pair};
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;

    #[test]
    fn names_survive_the_kernels_form() {
        let path = SocketAddr::from_pathname("/tmp/name").unwrap();
        assert_eq!(name(&address(&path).unwrap()).unwrap().as_pathname(), path.as_pathname());
        let hidden = SocketAddr::from_abstract_name(b"a\0b").unwrap();
        let back = name(&address(&hidden).unwrap()).unwrap();
        assert_eq!(back.as_abstract_name(), Some(&b"a\0b"[..]));
    }

    #[test]
    fn the_other_end_of_a_pair_is_this_process() {
        let (a, _b) = stream_pair().unwrap();
        assert_eq!(peer_credentials(&a).unwrap().pid.cast_unsigned(), std::process::id());
    }
}
