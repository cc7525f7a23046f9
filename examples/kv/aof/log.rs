//! A shard's log: one task that writes what the journal holds, for all connections at once.
//!
//! While one write and sync are under way, others record. The next round takes all of that: the
//! slower the disk, the more shares a sync (group commit).

use std::cell::{Cell, RefCell};
use std::io;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use henge::fs::File;
use henge::sync::local::Notify;
use henge::task::JoinHandle;
use henge::time::{Instant, sleep, timeout};

use super::Fsync;
use super::files::{self, Folder};
use super::rewrite::rewrite;
use crate::notice::notice;
use crate::store::{Error, Store};

/// How long a write that failed waits before it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How old what was not synced may become.
const SECOND: Duration = Duration::from_secs(1);
/// How much may wait to be written, where answers do not wait for the disk.
const BACKLOG: u64 = 64 << 20;
/// Files are rewritten when they are twice as large as the last base, and larger than this.
const WORTH_IT: u64 = 64 << 20;

/// Which of a shard's files is being written.
#[derive(Debug)]
pub struct Increment {
    /// Open to be written.
    pub file: File,
    /// Its number.
    pub number: u64,
    /// How much it holds.
    pub length: u64,
}

/// What connections see of a shard's log.
#[derive(Debug)]
pub struct Log {
    fsync: Fsync,
    folder: Folder,
    epoch: u64,
    shard: usize,
    /// How far the journal has been written; with `always`, how far it is on the disk.
    reached: Cell<u64>,
    /// There is something to write, or the end has come.
    work: Notify,
    /// `reached` has moved.
    progress: Notify,
    /// No answer leaves any more.
    closed: Cell<bool>,
}

impl Log {
    /// The log of a shard, whose files these are.
    pub fn new(fsync: Fsync, folder: Folder, epoch: u64, shard: usize) -> Log {
        Log {
            fsync,
            folder,
            epoch,
            shard,
            reached: Cell::new(0),
            work: Notify::new(),
            progress: Notify::new(),
            closed: Cell::new(false),
        }
    }

    /// There is something to write.
    pub fn wake(&self) {
        self.work.notify_one();
    }

    /// Whether an answer may leave that was made when the journal's end was here.
    fn has_settled(&self, end: u64) -> bool {
        let reached = self.reached.get();
        !self.closed.get()
            && match self.fsync {
                Fsync::Always => reached >= end,
                Fsync::EverySecond | Fsync::No => end - reached <= BACKLOG,
            }
    }

    /// Waits until an answer may leave that was made when the journal's end was here.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it is as if it had not been called.
    pub async fn settle(&self, end: u64) {
        while !self.has_settled(end) {
            self.progress.notified().await;
        }
    }

    /// Writes what is left and makes it last; no answer leaves any more. [`write`](Log::write) ends
    /// then.
    pub fn close(&self) {
        self.closed.set(true);
        self.work.notify_one();
    }

    fn moved(&self, to: u64) {
        self.reached.set(to);
        self.progress.notify_waiters();
    }

    /// Writes what the store's journal holds, until the log is closed.
    ///
    /// # Errors
    ///
    /// If what was written cannot be made to last: nobody knows then what is on the disk. A write
    /// that fails, for want of room perhaps, is tried again; meanwhile changes are refused.
    ///
    /// # Cancel safety
    ///
    /// Dropped, what was not written is lost.
    pub async fn write(self: &Rc<Self>, store: &RefCell<Store>, to: Increment) -> io::Result<()> {
        let mut to = to;
        let mut spare = Vec::new();
        // Since when something has been written and not synced.
        let mut unsynced: Option<Instant> = None;
        let mut rewriting = Rewriting::default();
        loop {
            rewriting.prepare(self, store, &to).await?;
            // From here to the first await nothing else runs: what is taken goes to this increment,
            // what is recorded later to the next, and the snapshot lies between the two.
            let (bytes, end, switch) = {
                let mut store = store.borrow_mut();
                let next = rewriting.next.take();
                let switch = next.map(|next| (next, store.snapshot()));
                let Some(journal) = store.journal() else { return Ok(()) };
                if switch.is_some() {
                    journal.starts_anew();
                }
                (journal.take(mem::take(&mut spare)), journal.end(), switch)
            };
            let has_bytes = !bytes.is_empty();
            spare = self.append(store, &mut to, bytes).await?;
            if has_bytes {
                unsynced.get_or_insert_with(Instant::now);
            }
            let due = match self.fsync {
                Fsync::Always => has_bytes,
                Fsync::EverySecond => unsynced.is_some_and(|since| since.elapsed() >= SECOND),
                Fsync::No => false,
            };
            let closing = self.closed.get() && !has_bytes;
            // What a base is to replace has to last until it is there.
            if due || switch.is_some() || closing {
                to.file.sync_data().await?;
                unsynced = None;
            }
            self.moved(end);
            if let Some((next, snapshot)) = switch {
                to = next;
                let (log, number) = (Rc::clone(self), to.number);
                rewriting.task = Some(henge::spawn(async move {
                    rewrite(&log.folder, log.epoch, log.shard, number, snapshot).await
                }));
            }
            if closing {
                return Ok(());
            }
            if !has_bytes {
                let second = match self.fsync {
                    Fsync::EverySecond => unsynced.map(|since| since + SECOND),
                    Fsync::Always | Fsync::No => None,
                };
                match second {
                    Some(at) => {
                        let left = at.saturating_duration_since(Instant::now());
                        // Too late is what it waits for.
                        _ = timeout(left, self.work.notified()).await;
                    }
                    None => self.work.notified().await,
                }
            }
        }
    }

    /// Writes to the end of the increment, as often as it takes. The buffer, empty.
    async fn append(
        &self,
        store: &RefCell<Store>,
        to: &mut Increment,
        mut bytes: Vec<u8>,
    ) -> io::Result<Vec<u8>> {
        const KEEP: usize = 1 << 20;
        let length = bytes.len() as u64;
        if length == 0 {
            return Ok(bytes);
        }
        let mut failed = false;
        loop {
            // At the same place each time: what a try that failed has left there is written over.
            let (written, buffer) = to.file.write_all_at(bytes, to.length).await;
            bytes = buffer;
            let Err(error) = written else { break };
            if self.closed.get() {
                return Err(error);
            }
            if !mem::replace(&mut failed, true) {
                notice(format_args!(
                    "shard {}: cannot write its append-only file: {error}",
                    self.shard
                ));
                let text = format!("MISCONF Errors writing to the AOF file: {error}");
                self.refuse(store, Some(Error(text.into())));
            }
            sleep(AGAIN).await;
        }
        if failed {
            notice(format_args!("shard {}: its append-only file is written again", self.shard));
            self.refuse(store, None);
        }
        to.length += length;
        bytes.clear();
        bytes.shrink_to(KEEP);
        Ok(bytes)
    }

    fn refuse(&self, store: &RefCell<Store>, why: Option<Error>) {
        if let Some(journal) = store.borrow_mut().journal() {
            journal.refuse(why);
        }
    }
}

/// A rewrite, from the wish to the base.
#[derive(Debug, Default)]
struct Rewriting {
    wanted: bool,
    /// Made, and to be written to from the next round on.
    next: Option<Increment>,
    task: Option<JoinHandle<io::Result<u64>>>,
    /// How large the last base was.
    base: u64,
}

impl Rewriting {
    /// Starts the next increment, if the files are to be rewritten and are not already.
    async fn prepare(
        &mut self,
        log: &Log,
        store: &RefCell<Store>,
        to: &Increment,
    ) -> io::Result<()> {
        if let Some(task) = self.task.take_if(|task| task.is_finished()) {
            match task.await.map_err(io::Error::other).flatten() {
                Ok(size) => self.base = size,
                // Nothing is lost: the files that there were are the data. The next one may work.
                Err(error) => notice(format_args!("shard {}: cannot rewrite: {error}", log.shard)),
            }
        }
        let asked = store.borrow_mut().journal().is_some_and(|journal| journal.takes_rewrite());
        self.wanted |= asked || to.length > WORTH_IT.max(2 * self.base);
        if self.wanted && self.task.is_none() && !log.closed.get() {
            let number = to.number + 1;
            let name = files::increment(log.epoch, log.shard, number);
            let file = log.folder.create(&name).await?;
            self.next = Some(Increment { file, number, length: 0 });
            self.wanted = false;
        }
        Ok(())
    }
}
