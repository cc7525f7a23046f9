//! Asking at once what a descriptor is ready for.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, RawFd};

/// The events by which entries of the ring, and [`now`], speak of readiness.
pub mod events {
    /// There is something to read.
    ///
    /// ```
    /// # use henge_driver::{Driver, Fd, Sqe, Next, Operation, Cqe, ops::events, submit};
    /// # use std::{io::Write, net::Shutdown, os::fd::OwnedFd, os::unix::net::UnixStream};
    /// # struct Poll(Fd, u32);
    /// # // SAFETY: the entry points to no memory; the descriptor is the operation's.
    /// # unsafe impl Operation for Poll {
    /// #     type Output = std::io::Result<u32>;
    /// #     fn prepare(&mut self) -> Sqe { Sqe::poll_add(&self.0, self.1) }
    /// #     fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
    /// #         Next::Done(cqe.into_result())
    /// #     }
    /// # }
    /// let (a, mut b) = UnixStream::pair()?;
    /// b.write_all(b"hello")?;
    /// let poll = Poll(Fd::from(OwnedFd::from(a)), events::IN);
    /// let there = Driver::new()?.block_on(submit(poll))??;
    /// assert_eq!(there, events::IN);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const IN: u32 = libc::POLLIN as u32;
    /// Something out of the ordinary: urgent data, for example.
    ///
    /// ```
    /// # use henge_driver::{Driver, Fd, Sqe, Next, Operation, Cqe, ops::events, submit};
    /// # use std::{io::Write, net::Shutdown, os::fd::OwnedFd, os::unix::net::UnixStream};
    /// # struct Poll(Fd, u32);
    /// # // SAFETY: the entry points to no memory; the descriptor is the operation's.
    /// # unsafe impl Operation for Poll {
    /// #     type Output = std::io::Result<u32>;
    /// #     fn prepare(&mut self) -> Sqe { Sqe::poll_add(&self.0, self.1) }
    /// #     fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
    /// #         Next::Done(cqe.into_result())
    /// #     }
    /// # }
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let client = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// let (a, _) = listener.accept()?;
    /// socket2::SockRef::from(&client).send_out_of_band(b"!")?;
    /// let poll = Poll(Fd::from(OwnedFd::from(a)), events::PRI);
    /// let there = Driver::new()?.block_on(submit(poll))??;
    /// assert_eq!(there & events::PRI, events::PRI);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const PRI: u32 = libc::POLLPRI as u32;
    /// There is room to write.
    ///
    /// ```
    /// # use henge_driver::{Driver, Fd, Sqe, Next, Operation, Cqe, ops::events, submit};
    /// # use std::{io::Write, net::Shutdown, os::fd::OwnedFd, os::unix::net::UnixStream};
    /// # struct Poll(Fd, u32);
    /// # // SAFETY: the entry points to no memory; the descriptor is the operation's.
    /// # unsafe impl Operation for Poll {
    /// #     type Output = std::io::Result<u32>;
    /// #     fn prepare(&mut self) -> Sqe { Sqe::poll_add(&self.0, self.1) }
    /// #     fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
    /// #         Next::Done(cqe.into_result())
    /// #     }
    /// # }
    /// let (a, _b) = UnixStream::pair()?;
    /// let poll = Poll(Fd::from(OwnedFd::from(a)), events::IN | events::OUT);
    /// let there = Driver::new()?.block_on(submit(poll))??;
    /// assert_eq!(there, events::OUT); // nothing to read, and room to write
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const OUT: u32 = libc::POLLOUT as u32;
    /// The peer has ended its direction.
    ///
    /// ```
    /// # use henge_driver::{Driver, Fd, Sqe, Next, Operation, Cqe, ops::events, submit};
    /// # use std::{io::Write, net::Shutdown, os::fd::OwnedFd, os::unix::net::UnixStream};
    /// # struct Poll(Fd, u32);
    /// # // SAFETY: the entry points to no memory; the descriptor is the operation's.
    /// # unsafe impl Operation for Poll {
    /// #     type Output = std::io::Result<u32>;
    /// #     fn prepare(&mut self) -> Sqe { Sqe::poll_add(&self.0, self.1) }
    /// #     fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
    /// #         Next::Done(cqe.into_result())
    /// #     }
    /// # }
    /// let (a, b) = UnixStream::pair()?;
    /// b.shutdown(Shutdown::Write)?;
    /// let poll = Poll(Fd::from(OwnedFd::from(a)), events::RDHUP);
    /// let there = Driver::new()?.block_on(submit(poll))??;
    /// assert_eq!(there, events::RDHUP); // and `a` may still send
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const RDHUP: u32 = libc::POLLRDHUP as u32;
    /// An error waits to be told; reported unasked.
    ///
    /// ```
    /// # use henge_driver::{Driver, Fd, Sqe, Next, Operation, Cqe, ops::events, submit};
    /// # use std::{io::Write, net::Shutdown, os::fd::OwnedFd, os::unix::net::UnixStream};
    /// # struct Poll(Fd, u32);
    /// # // SAFETY: the entry points to no memory; the descriptor is the operation's.
    /// # unsafe impl Operation for Poll {
    /// #     type Output = std::io::Result<u32>;
    /// #     fn prepare(&mut self) -> Sqe { Sqe::poll_add(&self.0, self.1) }
    /// #     fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
    /// #         Next::Done(cqe.into_result())
    /// #     }
    /// # }
    /// let (reader, a) = std::io::pipe()?;
    /// drop(reader);
    /// let poll = Poll(Fd::from(OwnedFd::from(a)), 0);
    /// let there = Driver::new()?.block_on(submit(poll))??;
    /// assert_eq!(there & events::ERR, events::ERR); // writing would fail
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const ERR: u32 = libc::POLLERR as u32;
    /// Both directions have ended; reported unasked.
    ///
    /// ```
    /// # use henge_driver::{Driver, Fd, Sqe, Next, Operation, Cqe, ops::events, submit};
    /// # use std::{io::Write, net::Shutdown, os::fd::OwnedFd, os::unix::net::UnixStream};
    /// # struct Poll(Fd, u32);
    /// # // SAFETY: the entry points to no memory; the descriptor is the operation's.
    /// # unsafe impl Operation for Poll {
    /// #     type Output = std::io::Result<u32>;
    /// #     fn prepare(&mut self) -> Sqe { Sqe::poll_add(&self.0, self.1) }
    /// #     fn complete(&mut self, cqe: Cqe) -> Next<Self::Output> {
    /// #         Next::Done(cqe.into_result())
    /// #     }
    /// # }
    /// let (a, b) = UnixStream::pair()?;
    /// drop(b);
    /// let poll = Poll(Fd::from(OwnedFd::from(a)), 0);
    /// let there = Driver::new()?.block_on(submit(poll))??;
    /// assert_eq!(there & events::HUP, events::HUP);
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
