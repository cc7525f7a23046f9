//! Sockets of the Unix family: their names, and who is at the other end.
//!
//! As in [`socket`](super::socket), nothing here waits.

use std::ffi::OsStr;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

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
    with_std(fd, UnixDatagram::local_addr)
}

/// The name of the other end.
pub fn peer_addr(fd: impl AsFd) -> io::Result<SocketAddr> {
    with_std(fd, UnixDatagram::peer_addr)
}

/// Lends the descriptor to std, to ask for a name. A path may fill its place to the last byte,
/// without a zero behind it; such a name only std itself can make one of std's of.
fn with_std<R>(fd: impl AsFd, ask: impl FnOnce(&UnixDatagram) -> R) -> R {
    let raw = fd.as_fd().as_raw_fd();
    // SAFETY: the descriptor is open, because the borrow keeps its owner alive; `ManuallyDrop`
    // keeps std from closing it. Names are asked for in the same way of sockets of all kinds.
    let socket = ManuallyDrop::new(unsafe { UnixDatagram::from_raw_fd(raw) });
    ask(&socket)
}

/// A name in the kernel's form.
pub fn address(name: &SocketAddr) -> io::Result<Address> {
    if let Some(path) = name.as_pathname() {
        return SockAddr::unix(path).map(Address);
    }
    let hidden = name.as_abstract_name().map_or(Vec::new(), |name| [&[0], name].concat());
    SockAddr::unix(OsStr::from_bytes(&hidden)).map(Address)
}

/// A name out of the kernel's form. A path that is too long for std (it fills its place, without a
/// zero behind it) is no name: better than nothing of what came with it.
pub fn name(address: &Address) -> io::Result<SocketAddr> {
    let Address(name) = address;
    if let Some(path) = name.as_pathname() {
        return SocketAddr::from_pathname(path).or_else(|_too_long| SocketAddr::from_pathname(""));
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
    use super::{address, local_addr, name, peer_addr, peer_credentials, stream_pair};
    use crate::sys::datagram;
    use std::os::fd::{AsRawFd as _, OwnedFd};
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::path::PathBuf;

    /// A datagram socket whose path has no zero behind it.
    fn with_longest_path() -> (OwnedFd, PathBuf) {
        let socket = datagram::unix().unwrap();
        // SAFETY: plain numbers, for which zero is valid.
        let mut raw: libc::sockaddr_un = unsafe { std::mem::zeroed() };
        raw.sun_family = libc::AF_UNIX as libc::sa_family_t;
        let mut path = std::env::temp_dir().into_os_string().into_encoded_bytes();
        path.extend(format!("/henge-{}-", std::process::id()).bytes());
        path.resize(raw.sun_path.len(), b'x');
        for (to, byte) in raw.sun_path.iter_mut().zip(&path) {
            *to = *byte as libc::c_char;
        }
        let len = size_of_val(&raw) as libc::socklen_t;
        // SAFETY: the name is of this length, and is read only.
        let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const raw).cast(), len) };
        assert_eq!(bound, 0, "{}", std::io::Error::last_os_error());
        (socket, PathBuf::from(String::from_utf8(path).unwrap()))
    }

    #[test]
    fn a_path_may_fill_its_place() {
        let (socket, path) = with_longest_path();
        assert_eq!(local_addr(&socket).unwrap().as_pathname(), Some(&*path));
        let other = datagram::unix_pair().unwrap().0;
        let unnamed = peer_addr(&other).unwrap();
        assert!(unnamed.is_unnamed());
        let hidden = format!("henge-{}-longest", std::process::id());
        let other = SocketAddr::from_abstract_name(hidden).unwrap();
        let reader = UnixDatagram::bind_addr(&other).unwrap();
        datagram::send_to_now(&socket, b"hello", &address(&other).unwrap()).unwrap();
        let mut room = [0; 8];
        let (n, from) = datagram::recv_from_now(&reader, &mut room, false).unwrap();
        assert_eq!(&room[..n], b"hello");
        assert!(name(&from).unwrap().is_unnamed(), "what std cannot say is not said");
        std::fs::remove_file(path).unwrap();
    }

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
