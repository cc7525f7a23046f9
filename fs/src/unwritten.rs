//! What files have taken to write it, and is not in them yet.
//!
//! Bytes that a write through tokio's traits cannot put into the kernel's memory at once are
//! *taken*: a thread of the blocking pool writes them, and the caller goes on. To open a file or to
//! ask for its length needs no thread, so it would overtake them. Therefore each write of a regular
//! file is in a list of the process until it has ended, and whoever looks at a file waits for those
//! that he finds there of the same file: not for others, which may be slow, nor for what is taken
//! while he waits, unless it joins one that he has found and that has not begun yet.
//!
//! ```text
//! a file:    Taken::new ────── the pool writes ──────► drop: out of the list, then wakes
//! a look:    Moment::now ─ nothing under way: what it sees is true
//!              └ else: whose file is it? ─ none of it, and none has ended since: likewise
//!                       └ waits for what is under way to it, and looks again
//! ```
//!
//! A write ends without its file being polled, whatever becomes of the file and of the thread that
//! it was taken on: that is why it is in the pool, and why waiting for it cannot lock up. What has
//! no length and may wait for somebody for ever, as a pipe, is written by the ring and never here.
//!
//! *Orderings.* Writes are counted when they begin and when they have ended, before anybody can
//! know of the one and after the bytes are there. Whoever looks reads the second counter first,
//! with Acquire: so he knows of the beginning of all whose end he has counted, and if the counters
//! are equal there is none that he knows of and that has not ended.

use std::future::poll_fn;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use henge_driver::Fd;
use henge_driver::sys::file::Metadata;
use henge_driver::sys::file::now::{self, Regular};

use crate::call::c_path;
use crate::loom::sync::{AtomicBool, AtomicUsize, Mutex};
use crate::waiters::{Waiters, lock};

/// Files share a list if their numbers leave the same rest. Numbers of one device are mostly
/// consecutive.
const LISTS: usize = if cfg!(henge_loom) { 1 } else { 256 };

type List = Mutex<Vec<Arc<Write>>>;

/// All that is under way.
struct Ledger {
    /// How many writes have begun, and have ended: all that a look asks where none is under way.
    begun: AtomicUsize,
    ended: AtomicUsize,
    lists: [List; LISTS],
}

#[cfg(not(henge_loom))]
static LEDGER: Ledger = Ledger {
    begun: AtomicUsize::new(0),
    ended: AtomicUsize::new(0),
    lists: [const { Mutex::new(Vec::new()) }; LISTS],
};

#[cfg(henge_loom)]
loom::lazy_static! {
    static ref LEDGER: Ledger = Ledger {
        begun: AtomicUsize::new(0),
        ended: AtomicUsize::new(0),
        lists: std::array::from_fn(|_| Mutex::new(Vec::new())),
    };
}

/// A regular file: its device, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    /// Of an open file; nothing of what is no regular one.
    pub(crate) fn of(fd: &Fd) -> Option<FileId> {
        now::regular(fd).map(FileId::from)
    }

    fn known(metadata: &Metadata) -> Option<FileId> {
        let id = FileId { device: metadata.dev(), number: metadata.ino() };
        metadata.is_file().then_some(id)
    }

    fn list(self) -> &'static List {
        &LEDGER.lists[self.number as usize % LISTS]
    }
}

impl From<Regular> for FileId {
    fn from(file: Regular) -> FileId {
        FileId { device: file.device, number: file.number }
    }
}

/// One write under way.
#[derive(Debug)]
pub(crate) struct Write {
    file: FileId,
    ended: AtomicBool,
    waiters: Waiters,
}

impl Write {
    fn poll_end(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Acquire, here and below: the bytes are in the file.
        if !self.ended.load(Ordering::Acquire) {
            self.waiters.add(cx.waker());
            // Either the end comes after this, and finds the waker; or its wake-up came before the
            // waker and gave back the lock that `add` took, so that this sees it.
            if !self.ended.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }
}

/// Bytes that a file has taken: whoever brings them into it has this until then.
#[derive(Debug)]
pub(crate) struct Taken(Arc<Write>);

impl Taken {
    pub(crate) fn new(file: FileId) -> Taken {
        let write = Write { file, ended: AtomicBool::new(false), waiters: Waiters::default() };
        let write = Arc::new(write);
        lock(file.list()).push(Arc::clone(&write));
        // Whoever knows of the write has this before him.
        LEDGER.begun.fetch_add(1, Ordering::Relaxed);
        Taken(write)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Taken(write) = self;
        // Release: whoever counts it finds the bytes in the file. Before it leaves the list, so
        // that whoever misses it there counts it.
        LEDGER.ended.fetch_add(1, Ordering::Release);
        {
            let mut list = lock(write.file.list());
            let at = list.iter().position(|one| Arc::ptr_eq(one, write));
            list.swap_remove(at.expect("it stays until here"));
        }
        // Whoever has waited for it finds them too.
        write.ended.store(true, Ordering::Release);
        write.waiters.wake_all();
    }
}

/// The writes of one file that were under way at a look.
#[must_use = "it is to be waited for"]
pub(crate) struct Before(Vec<Arc<Write>>);

impl Before {
    fn of(file: FileId) -> Option<Before> {
        let list = lock(file.list());
        let writes: Vec<_> = list.iter().filter(|one| one.file == file).cloned().collect();
        (!writes.is_empty()).then_some(Before(writes))
    }

    /// Waits until they have ended.
    pub(crate) async fn ended(self) {
        for write in &self.0 {
            poll_fn(|cx| write.poll_end(cx)).await;
        }
    }
}

/// A moment at which something was under way: so many writes had ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(usize);

impl Moment {
    /// Nothing if nothing is under way.
    #[inline]
    pub(crate) fn now() -> Option<Moment> {
        // Acquire, and before the other: see above.
        let ended = LEDGER.ended.load(Ordering::Acquire);
        (LEDGER.begun.load(Ordering::Relaxed) != ended).then_some(Moment(ended))
    }

    /// What was found out since then may have changed, as soon as this is ready, by what was under
    /// way then.
    pub(crate) async fn outdates(self, known: &Metadata) -> bool {
        match FileId::known(known) {
            Some(file) => self.outdates_of(file).await,
            None => false,
        }
    }

    async fn outdates_of(self, file: FileId) -> bool {
        match Before::of(file) {
            Some(before) => before.ended().await,
            // One of those that have ended may have been of this file.
            None => return LEDGER.ended.load(Ordering::Acquire) != self.0,
        }
        true
    }
}

/// Waits for what is under way to the file of this name, before it is emptied, or read by the pool.
///
/// Looks at no device for it: a name by which the file was opened to be written is in memory.
pub(crate) async fn settle_name(path: &Path) {
    if Moment::now().is_none() {
        return;
    }
    let Ok(path) = c_path(path) else { return };
    // Whatever is wrong with it shows in what is done next.
    let Ok(Some(fd)) = now::open(None, &path, now::path_flags(true)) else { return };
    if let Some(before) = before_of(&fd) {
        drop(fd);
        before.ended().await;
    }
}

/// What is under way to an open file.
#[inline]
pub(crate) fn before_of(fd: &Fd) -> Option<Before> {
    Moment::now().and_then(|_| FileId::of(fd)).and_then(Before::of)
}

#[cfg(all(test, henge_loom))]
mod models {
    use super::*;

    const FILE: FileId = FileId { device: 1, number: 2 };
    const OTHER: FileId = FileId { device: 1, number: 3 };

    /// A file, and a pool that writes to it.
    struct Written(Arc<AtomicUsize>);

    impl Written {
        fn take() -> (Written, loom::thread::JoinHandle<()>) {
            let length = Arc::new(AtomicUsize::new(0));
            let (taken, file) = (Taken::new(FILE), Arc::clone(&length));
            let writes = loom::thread::spawn(move || {
                file.store(8, Ordering::Relaxed);
                drop(taken);
            });
            (Written(length), writes)
        }

        /// As `facts` asks for the length.
        async fn look(&self) -> usize {
            let begun = Moment::now();
            let length = self.0.load(Ordering::Relaxed);
            match begun {
                Some(begun) if begun.outdates_of(FILE).await => self.0.load(Ordering::Relaxed),
                _ => length,
            }
        }

        /// As `open` does before anybody reads.
        async fn open(&self) -> usize {
            if let Some(before) = Moment::now().and_then(|_| Before::of(FILE)) {
                before.ended().await;
            }
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn loom_who_looks_finds_what_was_taken_before() {
        loom::model(|| {
            let (file, writes) = Written::take();
            assert_eq!(loom::future::block_on(file.look()), 8);
            writes.join().unwrap();
            assert!(Moment::now().is_none());
        });
    }

    #[test]
    fn loom_who_opens_finds_what_was_taken_before() {
        loom::model(|| {
            let (file, writes) = Written::take();
            assert_eq!(loom::future::block_on(file.open()), 8);
            writes.join().unwrap();
        });
    }

    /// While another write begins and ends, which must not hide this one.
    #[test]
    fn loom_another_write_hides_nothing() {
        loom::model(|| {
            let (file, writes) = Written::take();
            let other = loom::thread::spawn(|| drop(Taken::new(OTHER)));
            assert_eq!(loom::future::block_on(file.look()), 8);
            writes.join().unwrap();
            other.join().unwrap();
        });
    }

    /// Two wait for the same one.
    #[test]
    fn loom_all_who_wait_are_woken() {
        loom::model(|| {
            let (file, writes) = Written::take();
            let file = Arc::new(file);
            let same = Arc::clone(&file);
            let other =
                loom::thread::spawn(move || loom::future::block_on(async { same.open().await }));
            assert_eq!(loom::future::block_on(file.open()), 8);
            assert_eq!(other.join().unwrap(), 8);
            writes.join().unwrap();
        });
    }
}
