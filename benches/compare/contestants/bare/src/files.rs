//! Files without a runtime: entries of a ring and their completions, plain calls, and `cp`.
//!
//! Who may touch which memory: an entry names one of [`Parts`] or a constant, and a file that is
//! open until the ring is gone. A part is left alone until its entry has completed.

use std::alloc::{Layout, alloc_zeroed};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::process::Command;

use contestant::files::{self, LONG, O_DIRECT, PAGE, Places};
use contestant::{Meter, NamedRow, Row};
use io_uring::squeue::Entry;
use io_uring::types::{Fd, FsyncFlags};
use io_uring::{IoUring, opcode};

pub const ROWS: &[NamedRow] = &[
    ("file-read-1", || reads(1, 40_000, false)),
    ("file-read-32", || reads(32, 40_000, false)),
    ("direct-read-32", || reads(32, files::DIRECT_READS as usize, true)),
    ("file-read-long", long_reads),
    ("direct-stream", direct_stream),
    ("small-files", small_files),
    ("walk-tree", walk),
    ("append-sync", append),
    ("copy", copy),
];

fn must<T>(result: io::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

fn ring() -> IoUring {
    must(IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(64))
}

fn push(ring: &mut IoUring, entry: Entry) {
    // SAFETY: what the entry names stays as it is until its completion, as the head of this file
    // says.
    let pushed = unsafe { ring.submission().push(&entry) };
    assert!(pushed.is_ok(), "the queue has room for all that is under way");
}

/// Memory that begins where a device likes it, in parts, for the rest of the process.
struct Parts {
    first: *mut u8,
    len: usize,
}

impl Parts {
    fn new(count: usize, len: usize) -> Parts {
        let layout = must(Layout::from_size_align(count * len, PAGE).map_err(io::Error::other));
        // SAFETY: the layout has at least a page.
        let first = unsafe { alloc_zeroed(layout) };
        assert!(!first.is_null());
        Parts { first, len }
    }

    fn read(&self, file: &File, slot: usize, place: u64) -> Entry {
        let part = self.first.wrapping_add(slot * self.len);
        let read = opcode::Read::new(Fd(file.as_raw_fd()), part, self.len as u32);
        read.offset(place).build().user_data(slot as u64)
    }
}

fn reads(depth: usize, count: usize, direct: bool) -> Row {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(if direct { O_DIRECT } else { 0 });
    let file = must(options.open(files::table()));
    if !direct {
        drop(must(fs::read(files::table())));
    }
    let places = if direct { Places::all(0) } else { Places::cached(0) };
    by_ring(&file, depth, PAGE, places.take(count))
}

/// Reads of `len` bytes, so many of them under way at a time.
fn by_ring(file: &File, depth: usize, len: usize, mut places: impl Iterator<Item = u64>) -> Row {
    let (mut ring, parts) = (ring(), Parts::new(depth, len));
    let mut free: Vec<usize> = (0..depth).collect();
    let mut done = 0;
    let meter = Meter::start();
    loop {
        while let Some(slot) = free.pop() {
            let Some(place) = places.next() else {
                free.push(slot);
                break;
            };
            push(&mut ring, parts.read(file, slot, place));
        }
        if free.len() == depth {
            return meter.stop(done);
        }
        must(ring.submit_and_wait(1));
        for cqe in ring.completion() {
            assert_eq!(cqe.result(), len as i32);
            free.push(cqe.user_data() as usize);
            done += 1;
        }
    }
}

/// By plain calls.
fn long_reads() -> Row {
    let file = must(File::open(files::table()));
    // Where it begins makes a difference of three to the kernel's copy.
    let mut room = vec![0; LONG + PAGE];
    let begin = room.as_ptr().align_offset(PAGE);
    let buf = &mut room[begin..begin + LONG];
    let places = || (0..files::CACHED * PAGE as u64).step_by(LONG);
    for place in places() {
        must(file.read_exact_at(buf, place));
    }
    let meter = Meter::start();
    let mut count = 0;
    for place in (0..8).flat_map(|_| places()) {
        must(file.read_exact_at(buf, place));
        count += 1;
    }
    meter.stop(count)
}

/// Four long reads are under way at a time.
fn direct_stream() -> Row {
    let table = files::table();
    let bytes = must(fs::metadata(&table)).len();
    let file = must(OpenOptions::new().read(true).custom_flags(O_DIRECT).open(table));
    by_ring(&file, 4, LONG, (0..bytes).step_by(LONG))
}

fn small_files() -> Row {
    let tree = files::tree();
    let meter = Meter::start();
    let bytes: usize = files::tree_files(&tree).map(|file| must(fs::read(file)).len()).sum();
    assert!(bytes > 10_000_000);
    meter.stop((files::FOLDERS * files::FILES) as u64)
}

fn walk() -> Row {
    let mut folders = vec![files::tree()];
    let meter = Meter::start();
    let (mut count, mut bytes) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in must(fs::read_dir(folder)) {
            let entry = must(entry);
            let metadata = must(entry.metadata());
            count += 1;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += metadata.len();
            }
        }
    }
    assert!(bytes > 10_000_000);
    meter.stop(count)
}

fn append() -> Row {
    const RECORDS: u64 = 300;
    static RECORD: [u8; 512] = [7; 512];
    let log = must(OpenOptions::new().append(true).create(true).open(files::scratch()));
    let (mut ring, fd) = (ring(), Fd(log.as_raw_fd()));
    let mut run = |entry: Entry, wanted: i32| {
        push(&mut ring, entry);
        must(ring.submit_and_wait(1));
        assert_eq!(ring.completion().next().map(|cqe| cqe.result()), Some(wanted));
    };
    let meter = Meter::start();
    for _ in 0..RECORDS {
        let write = opcode::Write::new(fd, RECORD.as_ptr(), RECORD.len() as u32);
        run(write.offset(u64::MAX).build(), RECORD.len() as i32);
        run(opcode::Fsync::new(fd).flags(FsyncFlags::DATASYNC).build(), 0);
    }
    meter.stop(RECORDS)
}

/// By the program that everybody uses.
fn copy() -> Row {
    let (table, to) = (files::table(), files::scratch());
    let meter = Meter::start();
    let done = must(Command::new("cp").arg(table).arg(to).status());
    assert!(done.success());
    meter.stop(256)
}
