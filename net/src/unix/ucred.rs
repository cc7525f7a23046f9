//! Who is at the other end of a socket.

use std::io;
use std::os::fd::AsFd;

use henge_driver::sys::unix as sys;

/// The number of a user.
///
/// # Examples
///
/// ```
/// use henge_net::unix::uid_t;
///
/// let (a, _b) = henge_net::UnixStream::pair()?;
/// let allowed: [uid_t; 1] = [a.peer_cred()?.uid()]; // this user, and no other
/// let me = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self")?);
/// assert!(allowed.contains(&me));
/// # Ok::<(), std::io::Error>(())
/// ```
#[expect(non_camel_case_types, reason = "the system's name, and tokio's")]
pub type uid_t = u32;
/// The number of a group.
///
/// # Examples
///
/// ```
/// use henge_net::unix::gid_t;
///
/// let (a, _b) = henge_net::UnixStream::pair()?;
/// let group: gid_t = a.peer_cred()?.gid();
/// let mine = std::os::unix::fs::MetadataExt::gid(&std::fs::metadata("/proc/self")?);
/// assert_eq!(group, mine);
/// # Ok::<(), std::io::Error>(())
/// ```
#[expect(non_camel_case_types, reason = "the system's name, and tokio's")]
pub type gid_t = u32;
/// The number of a process.
///
/// # Examples
///
/// ```
/// use henge_net::unix::pid_t;
///
/// let (a, _b) = henge_net::UnixStream::pair()?;
/// let peer: Option<pid_t> = a.peer_cred()?.pid();
/// assert_eq!(peer.map(i32::cast_unsigned), Some(std::process::id()));
/// # Ok::<(), std::io::Error>(())
/// ```
#[expect(non_camel_case_types, reason = "the system's name, and tokio's")]
pub type pid_t = i32;

/// The credentials of a process, as the kernel vouches for them.
///
/// # Examples
///
/// ```
/// # let driver = henge_driver::Driver::new()?;
/// let (a, b) = henge_net::UnixStream::pair()?;
/// assert_eq!(a.peer_cred()?, b.peer_cred()?); // this process, both
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UCred {
    uid: uid_t,
    gid: gid_t,
    pid: Option<pid_t>,
}

impl UCred {
    pub(super) fn of_peer(socket: impl AsFd) -> io::Result<UCred> {
        let found = sys::peer_credentials(socket)?;
        let pid = (found.pid != 0).then_some(found.pid);
        Ok(UCred { uid: found.uid, gid: found.gid, pid })
    }

    /// The user.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// let (a, _b) = henge_net::UnixStream::pair()?;
    /// println!("user {}", a.peer_cred()?.uid());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn uid(&self) -> uid_t {
        self.uid
    }

    /// The group.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// let (a, _b) = henge_net::UnixStream::pair()?;
    /// println!("group {}", a.peer_cred()?.gid());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn gid(&self) -> gid_t {
        self.gid
    }

    /// The process; `None` if this one's namespace has no number for it.
    ///
    /// # Examples
    ///
    /// ```
    /// # let driver = henge_driver::Driver::new()?;
    /// let (a, _b) = henge_net::UnixStream::pair()?;
    /// assert_eq!(a.peer_cred()?.pid(), Some(std::process::id() as i32));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pid(&self) -> Option<pid_t> {
        self.pid
    }
}
