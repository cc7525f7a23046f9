//! Tokio's traits: reading, writing and seeking at the file's own position.

use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use henge_driver::coop;
use henge_driver::sys::file::now;
use tokio::io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};

use super::File;
use super::cursor::{Ended, poll_flush};
use crate::attempts;

/// The file's own position, as the system calls and the ring write it.
const HERE: u64 = u64::MAX;

/// Spends a unit of the task's budget, for what is about to be done without waiting.
fn spend(cx: &mut Context<'_>) -> Poll<()> {
    coop::poll_proceed(cx).map(|spent| spent.made_progress())
}

impl AsyncRead for File {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match ready!(self.cursor().poll_end(cx)) {
                Ended::Read(result) => {
                    self.cursor().unread.hand_out(to);
                    return Poll::Ready(result);
                }
                Ended::Write(Err(error)) => self.cursor().write_error = Some(error.kind()),
                Ended::Write(Ok(())) | Ended::Seek(_) => {}
                Ended::Nothing => break,
            }
        }
        ready!(spend(cx));
        let file = self.get_mut();
        if file.cursor().unread.len() > 0 || to.remaining() == 0 {
            file.cursor().unread.hand_out(to);
            return Poll::Ready(Ok(()));
        }
        let most = to.remaining().min(file.max_buf_size);
        let at_once = most.min(attempts::MOST);
        let read = || now::read(&file.fd, to.initialize_unfilled_to(at_once), HERE);
        if let Some(n) = file.attempts.read(&file.fd, read) {
            to.advance(n);
            return Poll::Ready(Ok(()));
        }
        let (fd, cursor) = file.parts();
        cursor.read(fd, most, cx)?;
        Poll::Pending
    }
}

impl File {
    /// Takes bytes of these pieces to be written at the position.
    fn poll_take(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(error) = self.cursor().write_error.take() {
            return Poll::Ready(Err(error.into()));
        }
        let len = pieces.iter().fold(0_usize, |sum, piece| sum.saturating_add(piece.len()));
        let len = len.min(self.max_buf_size);
        if len > 0 && self.cursor().is_storing() {
            let spent = ready!(coop::poll_proceed(cx));
            let most = self.max_buf_size;
            if ready!(self.cursor().poll_follow(cx, pieces, len, most)) {
                spent.made_progress();
                return Poll::Ready(Ok(len));
            }
        }
        loop {
            match ready!(self.cursor().poll_end(cx)) {
                Ended::Write(result) => result?,
                Ended::Read(_) | Ended::Seek(_) => {}
                Ended::Nothing => break,
            }
        }
        ready!(spend(cx));
        let (fd, cursor) = self.parts();
        cursor.step_back(fd)?;
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        // One piece is written to memory from where it is, as far as that goes without waiting.
        let alone = pieces.iter().find(|piece| !piece.is_empty()).filter(|p| p.len() >= len);
        if let Some(n) = alone.and_then(|piece| self.write_now(&piece[..len])) {
            return Poll::Ready(Ok(n));
        }
        let mut bytes = self.cursor().write_buffer();
        bytes.try_reserve(len)?;
        for piece in pieces {
            let n = piece.len().min(len - bytes.len());
            bytes.extend_from_slice(&piece[..n]);
        }
        if alone.is_none()
            && let Some(n) = self.write_now(&bytes)
        {
            self.cursor().keep_buffer(bytes);
            return Poll::Ready(Ok(n));
        }
        let (fd, cursor) = self.parts();
        cursor.write(fd, bytes)?;
        Poll::Ready(Ok(len))
    }

    /// Writes to memory at once, as far as that goes without waiting.
    fn write_now(&self, bytes: &[u8]) -> Option<usize> {
        let write = || now::write(&self.fd, &bytes[..bytes.len().min(attempts::MOST)], HERE);
        self.attempts.write(&self.fd, write).filter(|n| *n > 0)
    }
}

impl AsyncWrite for File {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_take(cx, &[IoSlice::new(from)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_take(cx, from)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_flush(self.cursor(), cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl AsyncSeek for File {
    /// Fails if something is under way at the position: call `poll_complete` before, as the
    /// `seek` of tokio's `AsyncSeekExt` does.
    fn start_seek(self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        let file = self.get_mut();
        if !file.cursor().is_idle() {
            let text = "other file operation is pending, call poll_complete before start_seek";
            return Err(io::Error::other(text));
        }
        let (fd, cursor) = file.parts();
        cursor.seek(fd, to)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        if self.cursor().has_sought() {
            ready!(spend(cx));
        }
        loop {
            match ready!(self.cursor().poll_end(cx)) {
                Ended::Seek(result) => return Poll::Ready(result),
                Ended::Write(Err(error)) => self.cursor().write_error = Some(error.kind()),
                Ended::Write(Ok(())) | Ended::Read(_) => {}
                Ended::Nothing => return Poll::Ready(Ok(self.cursor().sought)),
            }
        }
    }
}
