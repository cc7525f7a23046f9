//! Receive: again and again into the pool's buffers, or once into memory of the caller's; or wait
//! until there is something to receive.

use std::io;

use crate::buf::IoBufMut;
use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::home::{AtHome, InPlace, Resident};
use crate::operation::{Next, Operation};
use crate::pool::Piece;
use crate::sqe::Sqe;
use crate::sys::abi;
use crate::sys::poll::events;

/// A state that receives by [`RecvInPlace`]. Called at home, outside of every borrow.
pub trait ReceivesInPlace: Resident<Operation = RecvInPlace> {
    /// The socket, which is open for as long as the state lives.
    fn socket(shared: &Self::Shared) -> &Fd;

    /// Bytes, at least one; the receive goes on. As [`received`](Self::received), for what nearly
    /// always comes.
    fn came(home: &AtHome<'_, Self>, piece: Piece);

    /// Bytes, none at the end of the stream, or the reason why there were none. Without `more`
    /// the receive has ended.
    fn received(home: &AtHome<'_, Self>, piece: io::Result<Option<Piece>>, more: bool);

    /// A receive would not wait, or the wait was cancelled, which has ended in either case.
    fn readable(home: &AtHome<'_, Self>);
}

/// Receives into the buffers of the driver's pool until it is cancelled or fails, or waits until
/// there is something to receive; in the place of the state that gets what comes.
#[derive(Debug)]
pub struct RecvInPlace(Way);

#[derive(Debug)]
enum Way {
    Pool {
        group: u16,
        /// What the last completion has brought.
        last: io::Result<Option<Piece>>,
    },
    Poll,
}

impl RecvInPlace {
    /// Receives into buffers of `group`, the pool's.
    pub fn new(group: u16) -> RecvInPlace {
        RecvInPlace(Way::Pool { group, last: Ok(None) })
    }

    /// Waits, and takes nothing from the socket: nothing is lost if it is cancelled, or comes late.
    pub fn poll() -> RecvInPlace {
        RecvInPlace(Way::Poll)
    }
}

// SAFETY: the entry points to no memory; the buffers are the pool's, which outlives its ring.
unsafe impl<T: ReceivesInPlace> InPlace<T> for RecvInPlace {
    fn prepare(&mut self, shared: &T::Shared) -> Sqe {
        match self.0 {
            Way::Pool { group, .. } => Sqe::recv_multishot(T::socket(shared), group),
            Way::Poll => Sqe::poll_add(T::socket(shared), events::IN),
        }
    }

    #[inline]
    fn complete(&mut self, home: &AtHome<'_, T>, cqe: Cqe) -> Next<()> {
        if cqe.has_more()
            && let Some(piece) = home.driver().pool().take_part(&cqe)
        {
            T::came(home, piece);
            return Next::More(());
        }
        self.complete_otherwise(home, cqe)
    }

    #[inline]
    fn ended(self, home: &AtHome<'_, T>) {
        match self.0 {
            Way::Pool { last, .. } => T::received(home, last, false),
            Way::Poll => T::readable(home),
        }
    }
}

impl RecvInPlace {
    #[inline(never)]
    fn complete_otherwise<T: ReceivesInPlace>(
        &mut self,
        home: &AtHome<'_, T>,
        cqe: Cqe,
    ) -> Next<()> {
        let Way::Pool { last, .. } = &mut self.0 else { return Next::Done(()) };
        // Taken before anything else: a completion may carry a buffer whatever its result.
        let piece = home.driver().pool().take(&cqe);
        let received = cqe.into_result().map(|_| piece);
        if cqe.has_more() {
            T::received(home, received, true);
            return Next::More(());
        }
        *last = received;
        Next::Done(())
    }
}

/// Who gets what a [`Recv`] has received. Called at home, outside of every borrow.
pub trait RecvSink<B>: Send + 'static {
    /// The socket; the sink keeps it open.
    fn socket(&self) -> &Fd;

    /// How many bytes are in the buffer, none at the end of the stream. The last call.
    fn received(&mut self, result: io::Result<usize>, buffer: B);
}

/// Receives once, into memory of the caller's.
#[derive(Debug)]
pub struct Recv<B, S> {
    buffer: Option<B>,
    sink: S,
}

impl<B: IoBufMut, S: RecvSink<B>> Recv<B, S> {
    /// Receives into `buffer` from its first byte on, as much as it has room for.
    pub fn new(buffer: B, sink: S) -> Recv<B, S> {
        Recv { buffer: Some(buffer), sink }
    }
}

// SAFETY: the entry points to the bytes of `buffer`, which is owned by the operation until the
// last completion; where they lie does not change (the contract of `IoBuf`).
unsafe impl<B: IoBufMut, S: RecvSink<B>> Operation for Recv<B, S> {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        match &mut self.buffer {
            Some(buffer) => {
                let room = buffer.bytes_total().min(abi::MOST_BYTES) as u32;
                Sqe::recv(self.sink.socket(), buffer.stable_mut_ptr(), room, 0)
            }
            None => unreachable!("prepared once, before its completion"),
        }
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        if let Some(mut buffer) = self.buffer.take() {
            let result = cqe.into_result().map(|n| n as usize);
            if let Ok(n) = result {
                // SAFETY: the kernel has written `n` bytes from the first one on, and `n` is at
                // most the `bytes_total` that it was given.
                unsafe { buffer.set_init(n) };
            }
            self.sink.received(result, buffer);
        }
        Next::Done(())
    }
}
