//! Asking at once what a descriptor is ready for.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, RawFd};

/// The events by which entries of the ring, and [`now`], speak of readiness.
pub mod events {
    /// There is something to read.
    pub const IN: u32 = libc::POLLIN as u32;
    /// Something out of the ordinary: urgent data, for example.
    pub const PRI: u32 = libc::POLLPRI as u32;
    /// There is room to write.
    pub const OUT: u32 = libc::POLLOUT as u32;
    /// The peer has ended its direction.
    pub const RDHUP: u32 = libc::POLLRDHUP as u32;
    /// An error waits to be told; reported unasked.
    pub const ERR: u32 = libc::POLLERR as u32;
    /// Both directions have ended; reported unasked.
    pub const HUP: u32 = libc::POLLHUP as u32;
}

/// Whether there is an open descriptor of this number.
pub fn is_open(number: RawFd) -> bool {
    // SAFETY: the call takes integers only; a number that is not open gives EBADF.
    unsafe { libc::fcntl(number, libc::F_GETFD) >= 0 }
}

/// Which of `events` are there now; errors and hang-ups are told unasked. Never waits.
pub fn now(fd: impl AsFd, events: u32) -> io::Result<u32> {
    let mut asked =
        libc::pollfd { fd: fd.as_fd().as_raw_fd(), events: events as libc::c_short, revents: 0 };
    loop {
        // SAFETY: the pointer is to one `pollfd`, which outlives the call.
        if unsafe { libc::poll(&raw mut asked, 1, 0) } >= 0 {
            return Ok(u32::from(asked.revents.cast_unsigned()));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{events, now};
    use std::io::Write as _;

    #[test]
    fn it_tells_what_is_there() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        assert_eq!(now(&reader, events::IN).unwrap(), 0);
        assert_eq!(now(&writer, events::OUT).unwrap(), events::OUT);
        writer.write_all(b"x").unwrap();
        assert_eq!(now(&reader, events::IN).unwrap(), events::IN);
        drop(writer);
        assert_eq!(now(&reader, events::IN).unwrap(), events::IN | events::HUP);
    }
}
