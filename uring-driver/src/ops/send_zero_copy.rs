//! Send a buffer without a copy, and hear when the kernel has let go of it.
//!
//! Each entry completes twice: with a result, when the socket has the bytes, and with a
//! notification, when nobody looks at the memory any more, which for TCP is when the peer has
//! acknowledged them. The buffer is the operation's until then; whose turn it is to send is not.
//!
//! ```text
//!   sending ──result──▶ over: `sent` ──notification──▶ `released`
//!      ▲  │                  └─ none to come ──────────────▲
//!      └──┘ a refusal of what was asked for
//! ```

use std::io;

use crate::buf::{self, IoBuf};
use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{Next, Operation};
use crate::sqe::Sqe;
use crate::sys::abi;

/// A notification's result: the kernel has copied the bytes after all.
const COPIED: u32 = 1 << 31;

/// Who sends without a copy. Called at home, outside of every borrow.
pub trait ZeroCopySink<B>: Send + 'static {
    /// The socket, which is kept open until [`sent`](ZeroCopySink::sent).
    fn socket(&self) -> &Fd;

    /// It is over: all bytes before `rest` have been sent. Others may send now. The kernel leaves a
    /// rest only where it has been cancelled, or interrupted.
    fn sent(&mut self, result: io::Result<()>, rest: &[u8]);

    /// The kernel has let go of the buffer, of which it had made a copy if `copied`. The last call.
    fn released(&mut self, buffer: B, copied: bool);
}

/// What the kernel is asked for; it is told that it was too much by an error, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Without a copy, and the notification tells whether there was one (kernel 6.2).
    Reported,
    /// Without a copy.
    Unreported,
    /// As usual: a socket that cannot do otherwise.
    Copied,
}

/// Sends a buffer, whole unless it fails or is cancelled.
#[derive(Debug)]
pub struct SendZeroCopy<B, S> {
    buffer: Option<B>,
    at: usize,
    way: Way,
    /// The sink has been told of the end.
    over: bool,
    copied: bool,
    sink: S,
}

impl<B: IoBuf, S: ZeroCopySink<B>> SendZeroCopy<B, S> {
    /// Sends what is initialised of `buffer`.
    pub fn new(buffer: B, sink: S) -> SendZeroCopy<B, S> {
        let way = Way::Reported;
        SendZeroCopy { buffer: Some(buffer), at: 0, way, over: false, copied: false, sink }
    }

    fn left(&self) -> usize {
        self.buffer.as_ref().map_or(0, |buffer| buffer.bytes_init().saturating_sub(self.at))
    }

    fn end(&mut self, result: io::Result<()>) {
        self.over = true;
        let rest = self.buffer.as_ref().map_or(&[][..], |buffer| &buf::bytes(buffer)[self.at..]);
        self.sink.sent(result, rest);
    }

    fn result(&mut self, cqe: Cqe) {
        match cqe.into_result() {
            Ok(n) => {
                self.at += n as usize;
                let none = n == 0 && self.left() > 0;
                self.end(if none { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) });
            }
            Err(error) => match (error.raw_os_error(), self.way) {
                (Some(abi::EINTR), _) => {}
                (Some(abi::EINVAL), Way::Reported) => self.way = Way::Unreported,
                (Some(abi::EINVAL | abi::EOPNOTSUPP), Way::Reported | Way::Unreported) => {
                    self.way = Way::Copied;
                    self.copied = true;
                }
                _ => self.end(Err(error)),
            },
        }
    }
}

// SAFETY: the entry points to bytes of `buffer` behind `at`, which are initialised (at most
// `bytes_init` of them); the buffer is owned by the operation until the last completion, which is
// the notification where one is announced, and where its bytes lie does not change (the contract of
// `IoBuf`). The sink keeps the socket open until the result, after which the kernel needs none.
unsafe impl<B: IoBuf, S: ZeroCopySink<B>> Operation for SendZeroCopy<B, S> {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        let left = self.left().min(abi::MOST_BYTES) as u32;
        let Some(buffer) = &self.buffer else {
            unreachable!("prepared again only while it has its buffer");
        };
        let (socket, flags) = (self.sink.socket(), abi::MSG_WAITALL);
        let from = buffer.stable_ptr().wrapping_add(self.at);
        match self.way {
            Way::Reported => Sqe::send_zero_copy(socket, from, left, flags).with_usage_report(),
            Way::Unreported => Sqe::send_zero_copy(socket, from, left, flags),
            Way::Copied => Sqe::send(socket, from, left, flags),
        }
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        if cqe.is_notification() {
            self.copied |= cqe.result().cast_unsigned() & COPIED != 0;
        } else {
            self.result(cqe);
        }
        if cqe.has_more() {
            return Next::Held;
        }
        if !self.over {
            return Next::Again;
        }
        if let Some(buffer) = self.buffer.take() {
            self.sink.released(buffer, self.copied);
        }
        Next::Done(())
    }

    fn unsent(&self) -> u64 {
        if self.over { 0 } else { self.left() as u64 }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::sync::mpsc;

    use super::*;

    const MORE: u32 = 1 << 1;
    const NOTIFICATION: u32 = 1 << 3;

    #[derive(Debug, PartialEq, Eq)]
    enum Told {
        Sent(Result<(), i32>, Vec<u8>),
        Released(bool),
    }

    struct Sink(Fd, mpsc::Sender<Told>);

    impl ZeroCopySink<&'static [u8]> for Sink {
        fn socket(&self) -> &Fd {
            &self.0
        }

        fn sent(&mut self, result: io::Result<()>, rest: &[u8]) {
            let result = result.map_err(|error| error.raw_os_error().unwrap());
            self.1.send(Told::Sent(result, rest.to_vec())).unwrap();
        }

        fn released(&mut self, _buffer: &'static [u8], copied: bool) {
            self.1.send(Told::Released(copied)).unwrap();
        }
    }

    fn send(bytes: &'static [u8]) -> (SendZeroCopy<&'static [u8], Sink>, mpsc::Receiver<Told>) {
        let socket = Fd::from(OwnedFd::from(std::fs::File::open("/dev/null").unwrap()));
        let (told, hears) = mpsc::channel();
        (SendZeroCopy::new(bytes, Sink(socket, told)), hears)
    }

    #[test]
    fn the_turn_is_over_with_the_result_and_the_buffer_comes_with_the_notification() {
        let (mut send, hears) = send(b"hello");
        assert_eq!(send.complete(Cqe::new(5, MORE)), Next::Held);
        assert_eq!(hears.try_recv(), Ok(Told::Sent(Ok(()), vec![])));
        assert!(hears.try_recv().is_err());
        assert_eq!(send.unsent(), 0);
        let copied = COPIED.cast_signed();
        assert_eq!(send.complete(Cqe::new(copied, NOTIFICATION)), Next::Done(()));
        assert_eq!(hears.try_recv(), Ok(Told::Released(true)));
    }

    #[test]
    fn what_is_left_is_told_with_the_result() {
        let (mut send, hears) = send(b"hello");
        assert_eq!(send.complete(Cqe::new(-abi::EINTR, MORE)), Next::Held);
        assert_eq!(send.complete(Cqe::new(0, NOTIFICATION)), Next::Again);
        assert_eq!(send.unsent(), 5);
        assert!(hears.try_recv().is_err());
        assert_eq!(send.complete(Cqe::new(2, MORE)), Next::Held);
        assert_eq!(hears.try_recv(), Ok(Told::Sent(Ok(()), b"llo".to_vec())));
        assert_eq!(send.complete(Cqe::new(0, NOTIFICATION)), Next::Done(()));
        assert_eq!(hears.try_recv(), Ok(Told::Released(false)));
    }

    #[test]
    fn a_kernel_or_a_socket_that_refuses_is_asked_for_less() {
        let (mut send, hears) = send(b"hello");
        assert_eq!(send.complete(Cqe::new(-abi::EINVAL, 0)), Next::Again);
        assert_eq!(send.way, Way::Unreported);
        assert_eq!(send.complete(Cqe::new(-abi::EOPNOTSUPP, MORE)), Next::Held);
        assert_eq!(send.complete(Cqe::new(0, NOTIFICATION)), Next::Again);
        assert_eq!(send.way, Way::Copied);
        assert_eq!(send.complete(Cqe::new(-abi::ECANCELED, 0)), Next::Done(()));
        assert_eq!(hears.try_recv(), Ok(Told::Sent(Err(abi::ECANCELED), b"hello".to_vec())));
        assert_eq!(hears.try_recv(), Ok(Told::Released(true)));
    }
}
