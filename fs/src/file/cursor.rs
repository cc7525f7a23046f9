//! A file's own position, and what is under way there: at most one transfer at a time.
//!
//! ```text
//!             poll_read: not in memory            poll_write: not at once
//!   Reading ◄────────────────────────── Idle ──────────────────► Writing, Storing
//!      │                                │  ▲                                │
//!      │                     start_seek ▼  │ poll_complete                  │
//!      │                    Sought, Seeking                                 │
//!      └────────────────────────────────►  ◄────────────────────────────────┘
//!                 the operation ends: its bytes, its error or nothing is kept
//! ```
//!
//! What is read is kept until somebody wants it, so a read whose future is dropped loses nothing.
//! What is written has been taken from the caller when `poll_write` returns, and is written even
//! if the file is dropped; its error shows in the next call. Both are tokio's rules.
//!
//! A thread of the pool writes to regular files, which ends without a turn of this thread, so that
//! whoever looks at the file may wait for it (`crate::unwritten`); what is written meanwhile
//! gathers (`super::write_behind`). The ring writes to what may have to wait for somebody, and
//! would keep a thread.
//!
//! Methods that take `&self` wait for what is under way too, several of them at a time perhaps,
//! while an operation wakes one waker only. They give it [`Waiters`], which wakes them all. No
//! waker is cloned or dropped under the lock: whoever polls takes the operation out meanwhile.

use std::future::Future;
use std::io::{self, IoSlice, SeekFrom};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use henge_driver::buf::{IoBuf, Slice};
use henge_driver::offload::Job;
use henge_driver::sys::file::{blocking, now};
use henge_driver::{Fd, Op, ops, submit_now};
use tokio::io::ReadBuf;

use super::write_behind::{MOST_GATHERED, Target, WriteBehind};
use crate::call::start;
use crate::loom::sync::Mutex;
use crate::waiters::{Waiters, lock};

/// What was read and nobody has taken.
#[derive(Debug, Default)]
pub(super) struct Unread {
    bytes: Vec<u8>,
    at: usize,
}

impl Unread {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Moves as much as there is room for.
    pub(super) fn hand_out(&mut self, to: &mut ReadBuf<'_>) {
        let n = self.len().min(to.remaining());
        to.put_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        if self.at == self.bytes.len() {
            self.at = 0;
            self.bytes.clear();
        }
    }

    /// Forgets it. Returns how far the file's position is ahead of the reader's.
    pub(super) fn discard(&mut self) -> i64 {
        let n = self.len();
        self.at = 0;
        self.bytes.clear();
        // A buffer is at most `isize::MAX` bytes long.
        n as i64
    }
}

#[derive(Debug)]
pub(super) enum State {
    Idle,
    Reading(Op<ops::ReadAt<Slice<Vec<u8>>>>),
    /// To what is no regular file.
    Writing(Op<ops::WriteAll<Vec<u8>>>),
    /// To a regular file.
    Storing(Job<io::Result<()>>),
    /// The file's position has been moved; nobody has asked for the result yet.
    Sought(io::Result<u64>),
    /// As `Sought`, once the pool has done it.
    Seeking(Job<io::Result<u64>>),
    /// Somebody polls it at this moment, and wakes the waiters when he has.
    Lent,
}

/// What was under way, and has ended.
#[derive(Debug)]
pub(super) enum Ended {
    Nothing,
    /// The bytes are among the unread ones.
    Read(io::Result<()>),
    Write(io::Result<()>),
    Seek(io::Result<u64>),
}

#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) state: State,
    pub(super) unread: Unread,
    pub(super) write_error: Option<io::ErrorKind>,
    /// Where the last seek went.
    pub(super) sought: u64,
    waiters: Option<Arc<Waiters>>,
    /// Somebody has found the state lent.
    looked: bool,
    /// What goes to the pool, once somebody has asked whether that is where it goes: `Some(None)`
    /// if it is no regular file.
    behind: Option<Option<Arc<WriteBehind>>>,
}

impl Cursor {
    pub(super) fn new() -> Cursor {
        Cursor {
            state: State::Idle,
            unread: Unread::default(),
            write_error: None,
            sought: 0,
            waiters: None,
            looked: false,
            behind: None,
        }
    }

    /// Starts to read at most `most` bytes.
    pub(super) fn read(
        &mut self,
        fd: &Arc<Fd>,
        most: usize,
        cx: &mut Context<'_>,
    ) -> io::Result<()> {
        let mut bytes = self.buffer();
        bytes.try_reserve(most)?;
        let read = ops::ReadAt::new(Arc::clone(fd), bytes.slice(..most), u64::MAX);
        self.state = State::Reading(submit_now(read, cx)?);
        Ok(())
    }

    /// An empty buffer, if nothing is unread; with its memory from before.
    fn buffer(&mut self) -> Vec<u8> {
        mem::take(&mut self.unread.bytes)
    }

    /// As `buffer`, to write from.
    pub(super) fn write_buffer(&mut self) -> Vec<u8> {
        let bytes = self.buffer();
        match &self.behind {
            Some(Some(behind)) if bytes.capacity() == 0 => behind.spare(),
            _ => bytes,
        }
    }

    /// Keeps the memory of a buffer that is no longer needed.
    pub(super) fn keep_buffer(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.unread = Unread { bytes, at: 0 };
    }

    /// Starts to write these bytes.
    pub(super) fn write(&mut self, fd: &Arc<Fd>, bytes: Vec<u8>) -> io::Result<()> {
        let behind = self.behind.get_or_insert_with(|| Some(WriteBehind::new(Target::of(fd)?)));
        self.state = match behind {
            Some(behind) => State::Storing(behind.begin(fd, bytes)?),
            None => {
                let write = ops::WriteAll::new(Arc::clone(fd), bytes, u64::MAX);
                // Nobody waits for it yet.
                let mut cx = Context::from_waker(Waker::noop());
                State::Writing(submit_now(write, &mut cx)?)
            }
        };
        Ok(())
    }

    /// Where bytes are on their way, to be followed by `len` of these, and no more than `most` of
    /// them gather: takes them as soon as there is room. False if what is under way has to end.
    pub(super) fn poll_follow(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
        len: usize,
        most: usize,
    ) -> Poll<bool> {
        match (&self.state, &self.behind) {
            (State::Storing(_), Some(Some(behind))) => {
                behind.poll_push(cx, pieces, len, most.min(MOST_GATHERED))
            }
            _ => Poll::Ready(false),
        }
    }

    /// Moves the file's position, from where the reader believes it to be.
    pub(super) fn seek(&mut self, fd: &Arc<Fd>, mut to: SeekFrom) -> io::Result<()> {
        let ahead = self.unread.discard();
        if ahead > 0
            && let SeekFrom::Current(offset) = &mut to
        {
            match offset.checked_sub(ahead) {
                Some(sum) => *offset = sum,
                None => {
                    blocking::seek(fd, SeekFrom::Current(-ahead))?;
                }
            }
        }
        // The end is known at once where the length is.
        let at_once =
            now::seek(fd, to).or_else(|| now::stat(fd).is_some().then(|| blocking::seek(fd, to)));
        self.state = match at_once {
            Some(result) => State::Sought(result),
            None => {
                let fd = Arc::clone(fd);
                State::Seeking(start(move || blocking::seek(&fd, to))?)
            }
        };
        Ok(())
    }

    /// Puts the file's position where the reader believes it to be.
    pub(super) fn step_back(&mut self, fd: &Fd) -> io::Result<()> {
        match self.unread.discard() {
            0 => Ok(()),
            ahead => blocking::seek(fd, SeekFrom::Current(-ahead)).map(drop),
        }
    }

    /// Nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Bytes are on their way to a regular file.
    pub(super) fn is_storing(&self) -> bool {
        matches!(self.state, State::Storing(_))
    }

    /// The position has been moved at once, and nobody knows yet where to.
    pub(super) fn has_sought(&self) -> bool {
        matches!(self.state, State::Sought(_))
    }

    /// Waits for what is under way.
    #[inline]
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        if self.is_idle() {
            return Poll::Ready(Ended::Nothing);
        }
        self.state.poll(cx).map(|brought| self.keep(brought))
    }

    /// Keeps what an operation brought besides its result.
    fn keep(&mut self, ended: Brought) -> Ended {
        match ended {
            Brought::Read(result, bytes) => {
                self.unread = Unread { bytes, at: 0 };
                Ended::Read(result.map(drop))
            }
            Brought::Write(result, bytes) => {
                if let Some(bytes) = bytes {
                    self.keep_buffer(bytes);
                }
                Ended::Write(result)
            }
            Brought::Seek(result) => {
                if let Ok(place) = &result {
                    self.sought = *place;
                }
                Ended::Seek(result)
            }
        }
    }

    /// As `poll_end`, where it is enough that it ended: an error of a write is kept for later.
    fn keep_error(&mut self, brought: Brought) {
        if let Ended::Write(Err(error)) = self.keep(brought) {
            self.write_error = Some(error.kind());
        }
    }
}

enum Brought {
    Read(io::Result<usize>, Vec<u8>),
    Write(io::Result<()>, Option<Vec<u8>>),
    Seek(io::Result<u64>),
}

impl State {
    /// Polls what is under way, until it has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Brought> {
        let brought = match self {
            State::Reading(read) => {
                let (result, part) = ready!(Pin::new(read).poll(cx));
                Brought::Read(result, part.into_inner())
            }
            State::Writing(write) => {
                let (result, bytes) = ready!(Pin::new(write).poll(cx));
                Brought::Write(result, Some(bytes))
            }
            State::Storing(job) => {
                let result = ready!(Pin::new(job).poll(cx));
                Brought::Write(result.map_err(io::Error::from).and_then(|result| result), None)
            }
            State::Sought(_) => {
                let State::Sought(result) = mem::replace(self, State::Idle) else {
                    unreachable!("matched just now");
                };
                Brought::Seek(result)
            }
            State::Seeking(job) => {
                let result = ready!(Pin::new(job).poll(cx));
                Brought::Seek(result.map_err(io::Error::from).and_then(|result| result))
            }
            // Nothing is under way, or somebody else asks for it.
            State::Idle | State::Lent => return Poll::Pending,
        };
        *self = State::Idle;
        Poll::Ready(brought)
    }
}

/// What is under way, taken out of the cursor to be polled; it goes back whatever happens.
struct Borrowed<'a> {
    cursor: &'a Mutex<Cursor>,
    waiters: &'a Waiters,
    state: State,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let looked = {
            let mut cursor = lock(self.cursor);
            cursor.state = mem::replace(&mut self.state, State::Lent);
            mem::take(&mut cursor.looked)
        };
        if looked {
            // It may have ended since it was polled, and have woken nobody but this poll's task,
            // which may be given up before it is polled again.
            self.waiters.wake_all();
        }
    }
}

/// Waits through a shared reference until nothing is under way; an error of a write is kept for
/// the next call that can tell it.
pub(super) fn poll_idle(cursor: &Mutex<Cursor>, cx: &mut Context<'_>) -> Poll<()> {
    let waiters = {
        let mut cursor = lock(cursor);
        if cursor.is_idle() {
            return Poll::Ready(());
        }
        Arc::clone(cursor.waiters.get_or_insert_default())
    };
    waiters.add(cx.waker());
    let state = {
        let mut cursor = lock(cursor);
        match cursor.state {
            State::Idle => return Poll::Ready(()),
            // Whoever has it wakes the waiters when it has ended, or gives it back.
            State::Lent => {
                cursor.looked = true;
                return Poll::Pending;
            }
            _ => mem::replace(&mut cursor.state, State::Lent),
        }
    };
    let mut borrowed = Borrowed { cursor, waiters: &waiters, state };
    let waker = Waker::from(Arc::clone(&waiters));
    let brought = ready!(borrowed.state.poll(&mut Context::from_waker(&waker)));
    {
        let mut cursor = lock(cursor);
        cursor.state = State::Idle;
        cursor.looked = false;
        cursor.keep_error(brought);
    }
    // There is nothing in it to go back.
    mem::forget(borrowed);
    // Others may have looked while it was lent.
    waiters.wake_all();
    Poll::Ready(())
}

/// As [`poll_idle`], with the cursor to oneself: whatever came of it, but an error of a write.
pub(super) fn poll_flush(cursor: &mut Cursor, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    if let Some(error) = cursor.write_error.take() {
        return Poll::Ready(Err(error.into()));
    }
    match ready!(cursor.poll_end(cx)) {
        Ended::Write(result) => Poll::Ready(result),
        Ended::Nothing | Ended::Read(_) | Ended::Seek(_) => Poll::Ready(Ok(())),
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_finds_it_lent_is_told_when_it_is_back() {
        let cursor = Mutex::new(Cursor::new());
        let waiters = Arc::<Waiters>::default();
        lock(&cursor).waiters = Some(Arc::clone(&waiters));
        for looks in [true, false] {
            // As in the poll of another one, which finds that it has not ended.
            lock(&cursor).state = State::Lent;
            let borrowed =
                Borrowed { cursor: &cursor, waiters: &waiters, state: State::Sought(Ok(7)) };
            let count = Arc::new(Count::default());
            let waker = Waker::from(Arc::clone(&count));
            let mut cx = Context::from_waker(&waker);
            if looks {
                assert!(poll_idle(&cursor, &mut cx).is_pending());
            }
            drop(borrowed);
            assert_eq!(count.0.load(Ordering::Relaxed), usize::from(looks));
            assert!(poll_idle(&cursor, &mut cx).is_ready());
            assert_eq!(lock(&cursor).sought, 7);
        }
    }
}
