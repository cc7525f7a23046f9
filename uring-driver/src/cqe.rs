//! Completions as the kernel posts them.

use std::io;

use crate::sys::abi;

const F_BUFFER: u32 = 1 << 0;
const F_MORE: u32 = 1 << 1;
const F_SOCK_NONEMPTY: u32 = 1 << 2;
const F_NOTIF: u32 = 1 << 3;
const F_BUF_MORE: u32 = 1 << 4;
const BUFFER_SHIFT: u32 = 16;

/// One completion: what an operation's `complete` is called with.
///
/// ```
/// use henge_driver::Cqe;
///
/// let end_of_stream = Cqe::new(0, 0);
/// assert_eq!(end_of_stream.into_result()?, 0);
/// assert!(!end_of_stream.has_more());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cqe {
    result: i32,
    flags: u32,
}

impl Cqe {
    /// A completion with this result and these flags (`IORING_CQE_F_*`), as a kernel posts it;
    /// for tests of operations.
    ///
    /// ```
    /// use henge_driver::Cqe;
    ///
    /// const ECONNRESET: i32 = 104;
    ///
    /// let reset = Cqe::new(-ECONNRESET, 0);
    /// assert_eq!(reset.into_result().unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    /// ```
    pub const fn new(result: i32, flags: u32) -> Cqe {
        Cqe { result, flags }
    }

    /// The number as it came: negative is an errno.
    ///
    /// ```
    /// use henge_driver::Cqe;
    ///
    /// const ETIME: i32 = 62;
    ///
    /// // Of a time-out it says that all is well.
    /// assert_eq!(Cqe::new(-ETIME, 0).result(), -ETIME);
    /// ```
    #[inline]
    pub const fn result(self) -> i32 {
        self.result
    }

    /// The number as a result.
    ///
    /// # Errors
    ///
    /// The errno that the kernel answered.
    ///
    /// ```
    /// use henge_driver::Cqe;
    ///
    /// const EPIPE: i32 = 32;
    ///
    /// assert_eq!(Cqe::new(512, 0).into_result().ok(), Some(512));
    /// let error = Cqe::new(-EPIPE, 0).into_result().unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    /// ```
    #[inline]
    pub fn into_result(self) -> io::Result<u32> {
        if self.result < 0 {
            Err(io::Error::from_raw_os_error(-self.result))
        } else {
            Ok(self.result.cast_unsigned())
        }
    }

    /// A signal came, or a cancel, before anything was done. Some operations answer with a number
    /// that the kernel has for itself, and makes `EINTR` of where a system call ends.
    pub(crate) const fn is_interrupted(self) -> bool {
        const ERESTARTSYS: i32 = 512;
        const ERESTART_RESTARTBLOCK: i32 = 516;
        self.result == -abi::EINTR
            || (self.result <= -ERESTARTSYS && self.result >= -ERESTART_RESTARTBLOCK)
    }

    /// The flags as they came (`IORING_CQE_F_*`).
    ///
    /// ```
    /// use henge_driver::Cqe;
    ///
    /// const IORING_CQE_F_MORE: u32 = 1 << 1;
    ///
    /// assert_eq!(Cqe::new(5, IORING_CQE_F_MORE).flags() & IORING_CQE_F_MORE, IORING_CQE_F_MORE);
    /// ```
    #[inline]
    pub const fn flags(self) -> u32 {
        self.flags
    }

    /// More completions of the same entry will come. Without it the kernel has finished, on
    /// success too.
    ///
    /// ```
    /// use henge_driver::Cqe;
    ///
    /// const IORING_CQE_F_MORE: u32 = 1 << 1;
    ///
    /// assert!(Cqe::new(5, IORING_CQE_F_MORE).has_more());
    /// assert!(!Cqe::new(5, 0).has_more(), "the kernel has finished, though nothing failed");
    /// ```
    #[inline]
    pub const fn has_more(self) -> bool {
        self.flags & F_MORE != 0
    }

    /// The buffer that the kernel took from the entry's buffer group.
    ///
    /// ```
    /// use henge_driver::Cqe;
    ///
    /// const IORING_CQE_F_BUFFER: u32 = 1 << 0;
    ///
    /// let received = Cqe::new(512, 7 << 16 | IORING_CQE_F_BUFFER);
    /// assert_eq!((received.buffer_id(), received.result()), (Some(7), 512));
    /// assert_eq!(Cqe::new(512, 0).buffer_id(), None);
    /// ```
    #[inline]
    pub const fn buffer_id(self) -> Option<u16> {
        if self.flags & F_BUFFER != 0 { Some((self.flags >> BUFFER_SHIFT) as u16) } else { None }
    }

    /// The kernel keeps the buffer and will put more into it (incremental buffers).
    ///
    /// ```
    /// use henge_driver::Cqe;
    ///
    /// const IORING_CQE_F_BUFFER: u32 = 1 << 0;
    /// const IORING_CQE_F_BUF_MORE: u32 = 1 << 4;
    ///
    /// let received = Cqe::new(512, 7 << 16 | IORING_CQE_F_BUFFER | IORING_CQE_F_BUF_MORE);
    /// assert!(received.buffer_more(), "buffer 7 is not ours yet, but for these 512 bytes");
    /// ```
    #[inline]
    pub const fn buffer_more(self) -> bool {
        self.flags & F_BUF_MORE != 0
    }

    /// The socket held more than was taken.
    ///
    /// ```
    /// use henge_driver::Cqe;
    ///
    /// const IORING_CQE_F_SOCK_NONEMPTY: u32 = 1 << 2;
    ///
    /// let received = Cqe::new(512, IORING_CQE_F_SOCK_NONEMPTY);
    /// assert!(received.socket_nonempty(), "another receive is worth it");
    /// ```
    #[inline]
    pub const fn socket_nonempty(self) -> bool {
        self.flags & F_SOCK_NONEMPTY != 0
    }

    /// The second completion of a zero-copy send: the kernel has let go of the memory.
    ///
    /// ```
    /// use henge_driver::Cqe;
    ///
    /// const IORING_CQE_F_MORE: u32 = 1 << 1;
    /// const IORING_CQE_F_NOTIF: u32 = 1 << 3;
    ///
    /// let [sent, released] = [Cqe::new(5, IORING_CQE_F_MORE), Cqe::new(0, IORING_CQE_F_NOTIF)];
    /// assert!(!sent.is_notification() && sent.has_more());
    /// assert!(released.is_notification());
    /// ```
    #[inline]
    pub const fn is_notification(self) -> bool {
        self.flags & F_NOTIF != 0
    }
}

#[cfg(test)]
mod tests {
    use super::Cqe;

    #[test]
    fn flags_are_told_apart() {
        let cqe = Cqe::new(5, (7 << 16) | 1 | 2);
        assert_eq!(cqe.buffer_id(), Some(7));
        assert!(cqe.has_more());
        assert!(!cqe.buffer_more());
        assert!(!cqe.is_notification());
        assert_eq!(Cqe::new(5, 7 << 16).buffer_id(), None);
        assert!(Cqe::new(0, 16).buffer_more());
        assert!(Cqe::new(0, 8).is_notification());
        assert!(Cqe::new(0, 4).socket_nonempty());
    }

    #[test]
    fn an_interruption_has_several_names() {
        for errno in [4, 512, 513, 514, 516] {
            assert!(Cqe::new(-errno, 0).is_interrupted());
        }
        for result in [0, 4, 512, -1, -125, -511, -517] {
            assert!(!Cqe::new(result, 0).is_interrupted());
        }
    }

    #[test]
    fn a_negative_result_is_an_errno() {
        assert_eq!(Cqe::new(-32, 0).into_result().unwrap_err().raw_os_error(), Some(32));
    }
}
