//! What a regular file has taken, on its way: a job of the pool writes it, batch by batch.
//!
//! What is taken while a batch is being written gathers and is the next batch, so that many small
//! writes are one large one. There is at most one job a file, and it takes so much at most that
//! others have their turn at the pool's threads.
//!
//! ```text
//!          begin                      push: gathers, or waits for room
//! closed ─────────► open ◄─────────────────────────────────────────────┐
//!   ▲                │ fetch (the job): all that has gathered ──► it writes that
//!   │                                                                  │
//!   └──────── ends: nothing has gathered ◄─────────────────────────────┘
//!   └──────── close: a write has failed, or the job never ran; what has gathered is dropped
//! ```
//!
//! Bytes that are pushed before the job closes are in what it fetches next, or are dropped with an
//! error that the file's next write or flush tells: both sides hold the lock. Whatever is on its
//! way is in the list of `crate::unwritten`, each batch as one entry, which is made before the
//! first of its bytes is taken, and leaves when the batch is in the file, and closed here, if the
//! file is gone and it was the last.

use std::io::{self, IoSlice};
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use henge_driver::Fd;
use henge_driver::offload::Job;
use henge_driver::sys::file::{blocking, now};

use crate::call::promise;
use crate::loom::sync::Mutex;
use crate::unwritten::{FileId, Taken};
use crate::waiters::lock;

/// What a job takes at most.
const MOST: usize = if cfg!(henge_loom) { 4 } else { 8 << 20 };

/// Up to so many bytes gather.
pub(super) const MOST_GATHERED: usize = 256 << 10;

/// A regular file, as far as writes are concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    id: FileId,
    /// Two writes may become one; nothing where nobody has asked.
    merges: Option<bool>,
}

impl Target {
    /// Nothing of what is no regular file.
    pub(super) fn of(fd: &Fd) -> Option<Target> {
        let file = now::regular(fd)?;
        Some(Target { id: file.into(), merges: file.on_block_device.then_some(true) })
    }
}

/// What a file has taken and its job has not fetched.
#[derive(Debug)]
pub(super) struct WriteBehind {
    target: Target,
    gathered: Mutex<Gathered>,
}

#[derive(Debug, Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// While there are bytes.
    taken: Option<Taken>,
    /// A job will fetch them.
    open: bool,
    /// What the job may take beside.
    left: usize,
    /// See [`Target`].
    merges: bool,
    /// Who waits for room.
    waiter: Option<Waker>,
}

enum Pushed {
    Taken,
    /// There will be room.
    Full,
    /// This job takes no more.
    Over,
}

impl WriteBehind {
    pub(super) fn new(target: Target) -> Arc<WriteBehind> {
        let merges = target.merges.unwrap_or(false);
        let gathered = Mutex::new(Gathered { merges, ..Gathered::default() });
        Arc::new(WriteBehind { target, gathered })
    }

    /// The memory of a batch from before. While no job is under way.
    pub(super) fn spare(&self) -> Vec<u8> {
        mem::take(&mut lock(&self.gathered).bytes)
    }

    /// Starts a job that writes these bytes. While no other is under way.
    pub(super) fn begin(
        self: &Arc<WriteBehind>,
        fd: &Arc<Fd>,
        bytes: Vec<u8>,
    ) -> io::Result<Job<io::Result<()>>> {
        self.open(bytes);
        let writes = Writes { fd: Some(Arc::clone(fd)), behind: Arc::clone(self) };
        promise(move || writes.run())
    }

    fn open(&self, bytes: Vec<u8>) {
        let taken = Taken::new(self.target.id);
        let mut gathered = lock(&self.gathered);
        gathered.left = MOST.saturating_sub(bytes.len());
        gathered.bytes = bytes;
        gathered.taken = Some(taken);
        gathered.open = true;
    }

    /// Takes `len` bytes of these pieces, as soon as no more than `most` have gathered with them.
    /// False if the job takes no more, and is to be waited for.
    pub(super) fn poll_push(
        &self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
        len: usize,
        most: usize,
    ) -> Poll<bool> {
        let mut pushed = self.push(pieces, len, most, &mut None);
        if matches!(pushed, Pushed::Full) {
            // A waker is cloned and dropped where nobody holds the lock.
            let mut waker = Some(cx.waker().clone());
            pushed = self.push(pieces, len, most, &mut waker);
        }
        match pushed {
            Pushed::Taken => Poll::Ready(true),
            Pushed::Full => Poll::Pending,
            Pushed::Over => Poll::Ready(false),
        }
    }

    /// Where there will be room, `waker` is who is woken then; the one from before comes back.
    fn push(
        &self,
        pieces: &[IoSlice<'_>],
        mut len: usize,
        most: usize,
        waker: &mut Option<Waker>,
    ) -> Pushed {
        let mut gathered = lock(&self.gathered);
        let gathered = &mut *gathered;
        // What is large as it is would only be copied to memory that is not in a cache.
        if !gathered.open || !gathered.merges || len > most || gathered.left < len {
            return Pushed::Over;
        }
        if gathered.bytes.len() + len > most {
            if waker.is_some() {
                mem::swap(&mut gathered.waiter, waker);
            }
            return Pushed::Full;
        }
        if gathered.bytes.try_reserve(len).is_err() {
            return Pushed::Over;
        }
        if gathered.taken.is_none() {
            gathered.taken = Some(Taken::new(self.target.id));
        }
        gathered.left -= len;
        for piece in pieces {
            let n = piece.len().min(len);
            gathered.bytes.extend_from_slice(&piece[..n]);
            len -= n;
        }
        Pushed::Taken
    }

    /// The next batch, for the job. `None` where it was closed.
    fn fetch(&self, batch: &mut Vec<u8>) -> Option<Taken> {
        batch.clear();
        let (taken, waiter) = {
            let mut gathered = lock(&self.gathered);
            mem::swap(&mut gathered.bytes, batch);
            (gathered.taken.take(), gathered.waiter.take())
        };
        wake(waiter);
        taken
    }

    /// Writes batch by batch, until nothing has gathered meanwhile or a write fails. What remains
    /// to be dropped is the entry of the last one.
    fn drain(
        &self,
        mut write: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> (io::Result<()>, Option<Taken>) {
        let mut batch = Vec::new();
        loop {
            let taken = self.fetch(&mut batch);
            let result = write(&batch);
            if result.is_err() {
                self.close();
            } else if !self.ends(&mut batch) {
                continue;
            }
            return (result, taken);
        }
    }

    /// The job ends here if nothing has gathered.
    fn ends(&self, batch: &mut Vec<u8>) -> bool {
        let mut gathered = lock(&self.gathered);
        if gathered.taken.is_some() {
            return false;
        }
        gathered.open = false;
        if gathered.bytes.capacity() < batch.capacity() {
            batch.clear();
            mem::swap(&mut gathered.bytes, batch);
        }
        true
    }

    /// No job will fetch what has gathered.
    fn close(&self) {
        let (taken, waiter) = {
            let mut gathered = lock(&self.gathered);
            gathered.open = false;
            gathered.bytes.clear();
            (gathered.taken.take(), gathered.waiter.take())
        };
        drop(taken);
        wake(waiter);
    }

    /// Asks the file system, if it has to be asked: on the pool's thread, for it may wait.
    fn learn(&self, fd: &Fd) {
        if self.target.merges.is_none() && !lock(&self.gathered).merges {
            let merges = now::keeps_bytes(fd);
            lock(&self.gathered).merges = merges;
        }
    }
}

fn wake(waiter: Option<Waker>) {
    if let Some(waiter) = waiter {
        waiter.wake();
    }
}

/// The job. Dropped before its end, as a job is that never runs, it closes.
struct Writes {
    /// Until the end.
    fd: Option<Arc<Fd>>,
    behind: Arc<WriteBehind>,
}

impl Writes {
    fn run(mut self) -> io::Result<()> {
        let Some(fd) = &self.fd else { return Ok(()) };
        self.behind.learn(fd);
        let (result, taken) = self.behind.drain(|batch| blocking::write_all(fd, batch));
        // Who looks finds the file as it is when nobody writes to it: it may be a program.
        self.fd = None;
        drop(taken);
        result
    }
}

impl Drop for Writes {
    fn drop(&mut self) {
        if self.fd.is_some() {
            self.behind.close();
        }
    }
}

#[cfg(all(test, henge_loom))]
mod models {
    use std::future::poll_fn;

    use henge_driver::sys::file::now::Regular;

    use super::*;
    use crate::unwritten::Moment;

    /// The most that gathers.
    const ROOM: usize = 2;

    fn behind() -> Arc<WriteBehind> {
        let file = Regular { device: 1, number: 2, on_block_device: true };
        WriteBehind::new(Target { id: file.into(), merges: Some(true) })
    }

    /// Takes a byte; whether the job took it.
    fn follow(behind: &WriteBehind, byte: u8) -> bool {
        let bytes = [byte];
        let pieces = [IoSlice::new(&bytes)];
        loom::future::block_on(poll_fn(|cx| behind.poll_push(cx, &pieces, 1, ROOM)))
    }

    /// Three bytes behind the first: either the job writes them, in their order, or it is over and
    /// has taken none of those that come.
    #[test]
    fn loom_what_the_job_has_taken_is_written() {
        loom::model(|| {
            let behind = behind();
            behind.open(vec![0]);
            let job = Arc::clone(&behind);
            let writes = loom::thread::spawn(move || {
                let mut written = Vec::new();
                let (result, taken) = job.drain(|batch| {
                    written.extend_from_slice(batch);
                    Ok(())
                });
                drop(taken);
                result.map(|()| written)
            });
            let taken = (1..=3).take_while(|byte| follow(&behind, *byte)).count();
            let written = writes.join().unwrap().unwrap();
            assert_eq!(written, (0..=taken as u8).collect::<Vec<_>>());
            assert!(Moment::now().is_none(), "nothing is under way");
        });
    }

    /// Who waits for room is woken by a job that fails, and nothing stays under way.
    #[test]
    fn loom_a_job_that_fails_lets_go_of_everybody() {
        loom::model(|| {
            let behind = behind();
            behind.open(vec![0]);
            let job = Arc::clone(&behind);
            let writes = loom::thread::spawn(move || {
                job.drain(|_| Err(io::ErrorKind::StorageFull.into())).0.is_err()
            });
            let taken = (1..=4).take_while(|byte| follow(&behind, *byte)).count();
            assert!(taken <= 1 + ROOM, "what it fetched, and what there is room for");
            assert!(writes.join().unwrap());
            assert!(!follow(&behind, 5));
            assert!(Moment::now().is_none(), "nothing is under way");
        });
    }
}
