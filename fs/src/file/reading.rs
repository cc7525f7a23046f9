//! Reads at places, as futures by hand: a buffer is moved into the operation and out of it, and not
//! from one future into the next, which costs as much as everything else that is done for a page
//! that is in memory.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use henge_driver::buf::IoBufMut;
use henge_driver::coop;
use henge_driver::sys::file::now;
use henge_driver::{Op, ops, submit_now};

use super::{File, LAST, beyond};
use crate::attempts;

/// One read.
pub(crate) struct ReadAt<'a, B: IoBufMut> {
    file: &'a File,
    offset: u64,
    stage: Stage<B>,
}

enum Stage<B: IoBufMut> {
    /// There is nothing to be asked.
    Known(io::Result<usize>, B),
    Fresh(B),
    InFlight(Op<ops::ReadAt<B>>),
    Over,
}

// Nothing in it is pinned: the buffer is moved into its operation.
impl<B: IoBufMut> Unpin for ReadAt<'_, B> {}

impl<'a, B: IoBufMut> ReadAt<'a, B> {
    pub(crate) fn new(file: &'a File, buf: B, offset: u64) -> ReadAt<'a, B> {
        let fits = offset <= LAST;
        let stage = if fits { Stage::Fresh(buf) } else { Stage::Known(Err(beyond()), buf) };
        ReadAt { file, offset, stage }
    }

    /// A read whose result is known without a look at the file.
    pub(crate) fn known(file: &'a File, result: io::Result<usize>, buf: B) -> ReadAt<'a, B> {
        ReadAt { file, offset: 0, stage: Stage::Known(result, buf) }
    }
}

impl<B: IoBufMut> Future for ReadAt<'_, B> {
    type Output = (io::Result<usize>, B);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match &mut this.stage {
            Stage::InFlight(op) => {
                let output = ready!(Pin::new(op).poll(cx));
                this.stage = Stage::Over;
                return Poll::Ready(output);
            }
            Stage::Fresh(buf) if buf.bytes_total() <= attempts::MOST => {
                ready!(coop::poll_proceed(cx).map(|spent| spent.made_progress()));
                let read = || now::read_into(&this.file.fd, buf, this.offset);
                if let Some(n) = this.file.attempts.read(&this.file.fd, read)
                    && let Stage::Fresh(buf) = std::mem::replace(&mut this.stage, Stage::Over)
                {
                    return Poll::Ready((Ok(n), buf));
                }
            }
            Stage::Fresh(_) | Stage::Known(..) | Stage::Over => {}
        }
        match std::mem::replace(&mut this.stage, Stage::Over) {
            Stage::Known(result, buf) => Poll::Ready((result, buf)),
            Stage::Fresh(buf) => {
                let read = ops::ReadAt::new(Arc::clone(&this.file.fd), buf, this.offset);
                match submit_now(read, cx) {
                    Ok(op) => this.stage = Stage::InFlight(op),
                    Err(error) => panic!("{error}"),
                }
                Poll::Pending
            }
            Stage::InFlight(_) | Stage::Over => panic!("a read was polled after it had finished"),
        }
    }
}

/// Reads until a buffer is full. Nearly always one read does it; what is left otherwise is another
/// future.
pub(crate) struct ReadExactAt<'a, B: IoBufMut> {
    first: ReadAt<'a, B>,
    total: usize,
    /// A part of so many bytes is the end of the file.
    block: usize,
    rest: Option<Rest<'a, B>>,
}

type Rest<'a, B> = Pin<Box<dyn Future<Output = (io::Result<()>, B)> + Send + 'a>>;

impl<'a, B: IoBufMut> ReadExactAt<'a, B> {
    /// What comes is a multiple of `block` bytes, except at the end of the file.
    pub(crate) fn new(file: &'a File, buf: B, offset: u64, block: usize) -> ReadExactAt<'a, B> {
        let total = buf.bytes_total();
        let first = match total {
            0 => ReadAt::known(file, Ok(0), buf),
            _ => ReadAt::new(file, buf, offset),
        };
        ReadExactAt { first, total, block, rest: None }
    }

    /// A read that is refused without a look at the file.
    pub(crate) fn refused(file: &'a File, error: io::Error, buf: B) -> ReadExactAt<'a, B> {
        ReadExactAt { first: ReadAt::known(file, Err(error), buf), total: 0, block: 1, rest: None }
    }
}

impl<B: IoBufMut> Future for ReadExactAt<'_, B> {
    type Output = (io::Result<()>, B);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.rest.is_none() {
            let (result, buf) = ready!(Pin::new(&mut this.first).poll(cx));
            match result {
                Ok(n) if n == this.total => return Poll::Ready((Ok(()), buf)),
                Ok(n) => {
                    let (file, offset) = (this.first.file, this.first.offset);
                    let rest = read_rest(file, buf, offset, (n, this.total), this.block);
                    this.rest = Some(Box::pin(rest));
                }
                Err(error) => return Poll::Ready((Err(error), buf)),
            }
        }
        match &mut this.rest {
            Some(rest) => rest.as_mut().poll(cx),
            None => unreachable!("made above"),
        }
    }
}

/// Reads on after the last read has brought the number of bytes that are `done` to this one.
async fn read_rest<B: IoBufMut>(
    file: &File,
    mut buf: B,
    offset: u64,
    (mut done, total): (usize, usize),
    block: usize,
) -> (io::Result<()>, B) {
    let mut last = done;
    while done < total {
        // A part of a block is the end, as nothing at all is.
        if last == 0 || done % block != 0 {
            return (Err(io::ErrorKind::UnexpectedEof.into()), buf);
        }
        let Some(at) = offset.checked_add(done as u64) else {
            return (Err(beyond()), buf);
        };
        let (result, part) = ReadAt::new(file, buf.slice(done..total), at).await;
        buf = part.into_inner();
        match result {
            Ok(n) => last = n,
            Err(error) => return (Err(error), buf),
        }
        done += last;
    }
    (Ok(()), buf)
}
