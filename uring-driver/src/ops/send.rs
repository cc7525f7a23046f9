//! Send all of a buffer, however many rounds that takes.

use std::io::{self, IoSlice};
use std::marker::Send as Sendable;
use std::time::Duration;

use crate::buf::IoBuf;
use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::home::{AtHome, Here, InPlace, Resident};
use crate::operation::{Next, Operation};
use crate::sqe::{Sqe, Timespec};
use crate::sys::abi;

/// A buffer on its way: the bytes before `at` have been sent.
#[derive(Debug)]
struct Transfer<B> {
    buffer: B,
    at: usize,
}

/// What a completion has made of a transfer.
enum Step {
    /// It is over.
    Ended(io::Result<()>),
    /// The rest can be sent.
    Rest,
}

impl<B: IoBuf> Transfer<B> {
    #[inline]
    fn left(&self) -> usize {
        self.buffer.bytes_init().saturating_sub(self.at)
    }

    #[inline]
    fn entry(&self, socket: &Fd) -> Sqe {
        let left = self.left().min(abi::MOST_BYTES) as u32;
        let from = self.buffer.stable_ptr().wrapping_add(self.at);
        Sqe::send(socket, from, left, abi::MSG_WAITALL)
    }

    /// An entry that sends what the socket has room for. What is sent at once is never as much as
    /// the kernel would cut off.
    #[inline]
    fn advance(&mut self, cqe: Cqe) -> Step {
        match cqe.into_result() {
            Ok(n) => {
                self.at += n as usize;
                match (self.left(), n) {
                    (0, _) => Step::Ended(Ok(())),
                    (_, 0) => Step::Ended(Err(io::ErrorKind::WriteZero.into())),
                    _ => Step::Rest,
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Step::Rest,
            Err(error) => Step::Ended(Err(error)),
        }
    }
}

/// Who sends. Called at home, outside of every borrow.
pub trait SendSink<B>: Sendable + 'static {
    /// The socket; the sink keeps it open.
    fn socket(&self) -> &Fd;

    /// The kernel has taken a part. Whether to go on with the rest.
    fn goes_on(&mut self) -> bool;

    /// It is over: all bytes before `at` have been sent. The last call.
    fn sent(&mut self, result: io::Result<()>, buffer: B, at: usize);
}

/// Sends a buffer, in order and whole, unless it fails or is cancelled.
#[derive(Debug)]
pub struct Send<B, S> {
    transfer: Option<Transfer<B>>,
    sink: S,
}

impl<B: IoBuf, S: SendSink<B>> Send<B, S> {
    /// Sends what is initialised of `buffer` from its byte `at` on.
    pub fn new(buffer: B, at: usize, sink: S) -> Send<B, S> {
        Send { transfer: Some(Transfer { buffer, at }), sink }
    }
}

// SAFETY: the entry points to bytes of the buffer behind `at`, which are initialised (at most
// `bytes_init` of them); the buffer is owned by the operation until the last completion, and
// where its bytes lie does not change (the contract of `IoBuf`).
unsafe impl<B: IoBuf, S: SendSink<B>> Operation for Send<B, S> {
    type Output = ();
    const AT_ONCE: bool = true;

    fn prepare(&mut self) -> Sqe {
        match &self.transfer {
            Some(transfer) => transfer.entry(self.sink.socket()),
            None => unreachable!("prepared again only while it has its buffer"),
        }
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        let Some(transfer) = &mut self.transfer else { return Next::Done(()) };
        let result = match transfer.advance(cqe) {
            Step::Rest if self.sink.goes_on() => return Next::Again,
            Step::Rest => Ok(()),
            Step::Ended(result) => result,
        };
        if let Some(Transfer { buffer, at }) = self.transfer.take() {
            self.sink.sent(result, buffer, at);
        }
        Next::Done(())
    }

    fn unsent(&self) -> u64 {
        self.transfer.as_ref().map_or(0, |transfer| transfer.left() as u64)
    }
}

/// A state that sends bytes of its own by [`SendInPlace`]. Called at home.
pub trait SendsInPlace: Resident<Operation = SendInPlace> {
    /// The socket, which is open for as long as the state lives.
    fn socket(shared: &Self::Shared) -> &Fd;

    /// The kernel has taken a part. Whether to go on with the rest.
    fn goes_on(home: &AtHome<'_, Self>) -> bool;

    /// It is over: all has been sent.
    fn sent(home: &AtHome<'_, Self>, bytes: Vec<u8>);

    /// It is over, by an error or because it was not to go on: all before `at` has been sent.
    fn cut_short(home: &AtHome<'_, Self>, why: io::Result<()>, bytes: Vec<u8>, at: usize);
}

impl<T: SendsInPlace> Here<'_, T> {
    /// Has bytes sent with the next enter, by an entry that the kernel answers only if it has not
    /// sent all of them: then [`Resident::not_sent_quietly`] is called. Says how many were taken,
    /// so that no more than `most` are under way. None were, and they have to be sent in another
    /// way, if what is under way is the kernel's already, or nothing can be begun now.
    ///
    /// For bytes that nothing else is sent before or after, until they have been: see
    /// [`sends_quietly`](Here::sends_quietly).
    #[inline]
    pub fn send_quietly(&self, bytes: &[u8], most: usize) -> Option<usize> {
        self.send_filled_quietly(bytes.len(), most, |letter, n| {
            letter.extend_from_slice(&bytes[..n]);
        })
    }

    /// As [`send_quietly`](Here::send_quietly), of several pieces, `total` bytes long.
    #[inline]
    pub fn send_all_quietly(
        &self,
        pieces: &[IoSlice<'_>],
        total: usize,
        most: usize,
    ) -> Option<usize> {
        self.send_filled_quietly(total, most, |letter, mut n| {
            for piece in pieces {
                let part = n.min(piece.len());
                letter.extend_from_slice(&piece[..part]);
                n -= part;
            }
        })
    }

    #[inline]
    fn send_filled_quietly(
        &self,
        len: usize,
        most: usize,
        fill: impl FnOnce(&mut Vec<u8>, usize),
    ) -> Option<usize> {
        let socket = T::socket(self.shared()).number();
        // SAFETY: the descriptor is one of what is shared, which the place owns.
        unsafe { self.write_letter(socket, len, most, fill) }
    }
}

/// As [`Send`], in the place of the state whose bytes these are.
#[derive(Debug)]
pub struct SendInPlace {
    transfer: Transfer<Vec<u8>>,
    result: io::Result<()>,
    limit: Option<Timespec>,
}

impl SendInPlace {
    /// Sends `bytes` from the one at `at` on.
    #[inline]
    pub fn new(bytes: Vec<u8>, at: usize) -> SendInPlace {
        SendInPlace { transfer: Transfer { buffer: bytes, at }, result: Ok(()), limit: None }
    }

    /// Gives up when the peer has taken nothing for so long.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> SendInPlace {
        self.limit = Some(Timespec::from(patience));
        self
    }
}

// SAFETY: as for `Send`, with a vector that nobody else has until `ended`.
unsafe impl<T: SendsInPlace> InPlace<T> for SendInPlace {
    const AT_ONCE: bool = true;

    #[inline]
    fn prepare(&mut self, shared: &T::Shared) -> Sqe {
        self.transfer.entry(T::socket(shared))
    }

    #[inline]
    fn complete(&mut self, home: &AtHome<'_, T>, cqe: Cqe) -> Next<()> {
        match self.transfer.advance(cqe) {
            Step::Rest if T::goes_on(home) => return Next::Again,
            Step::Rest => {}
            Step::Ended(result) => self.result = result,
        }
        Next::Done(())
    }

    #[inline]
    fn ended(self, home: &AtHome<'_, T>) {
        let Transfer { buffer, at } = self.transfer;
        match self.result {
            Ok(()) if at == buffer.len() => T::sent(home, buffer),
            result => T::cut_short(home, result, buffer, at),
        }
    }

    fn time_limit(&self) -> Option<&Timespec> {
        self.limit.as_ref()
    }

    fn unsent(&self) -> u64 {
        self.transfer.left() as u64
    }
}
