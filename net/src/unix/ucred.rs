//! Who is at the other end of a socket.

use std::io;
use std::os::fd::AsFd;

use henge_driver::sys::unix as sys;

/// The number of a user.
#[expect(non_camel_case_types, reason = "the system's name, and tokio's")]
pub type uid_t = u32;
/// The number of a group.
#[expect(non_camel_case_types, reason = "the system's name, and tokio's")]
pub type gid_t = u32;
/// The number of a process.
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
