//! The files that the file rows are about: made by whoever is first, in a folder that the harness
//! takes away when all is measured.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The bytes of a page, and of a random read.
pub const PAGE: usize = 4096;

/// The bytes of a long read.
pub const LONG: usize = 1 << 20;

/// The flag of `open` for transfers past the kernel's cache.
pub const O_DIRECT: i32 =
    if cfg!(any(target_arch = "arm", target_arch = "aarch64")) { 0x1_0000 } else { 0x4000 };

/// The pages of the [table](table).
const PAGES: u64 = 64 << 10;

/// Cached reads are from so many of the first pages.
pub const CACHED: u64 = 16 << 10;

/// So many pages are read from the device, by all tasks together.
pub const DIRECT_READS: u64 = 16_000;

/// Folders in the [tree](tree), and files in each of them.
pub const FOLDERS: usize = 100;
/// See [`FOLDERS`].
pub const FILES: usize = 100;

/// Where everything is. The temporary folder should be on a device, not in memory.
pub fn folder() -> PathBuf {
    std::env::temp_dir().join("henge-compare-files")
}

fn must<T>(result: std::io::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("files to measure with: {error}"),
    }
}

/// Makes what is to be at a path under another name, so that an end in the middle leaves nothing.
fn make(name: &str, fill: impl FnOnce(&Path)) -> PathBuf {
    let path = folder().join(name);
    if !path.exists() {
        let unfinished = folder().join("unfinished");
        drop(fs::remove_dir_all(&unfinished));
        drop(fs::remove_file(&unfinished));
        must(fs::create_dir_all(folder()));
        fill(&unfinished);
        must(fs::rename(unfinished, &path));
    }
    path
}

/// A file of 256 MiB, none of it zeros.
pub fn table() -> PathBuf {
    make("table", |path| {
        let mut file = must(File::create(path));
        let piece: Vec<u8> = (0..1_u32 << 20).map(|n| (n % 251 + 1) as u8).collect();
        for _ in 0..PAGES as usize * PAGE / piece.len() {
            must(file.write_all(&piece));
        }
        must(file.sync_all());
    })
}

/// Folders with files of 1 to 2 KiB, in memory once this has looked at them.
pub fn tree() -> PathBuf {
    let root = make("tree", |path| {
        for folder in 0..FOLDERS {
            let folder = path.join(folder.to_string());
            must(fs::create_dir_all(&folder));
            for file in 0..FILES {
                must(fs::write(folder.join(file.to_string()), vec![b'x'; 1_000 + 10 * file]));
            }
        }
    });
    for file in tree_files(&root) {
        must(fs::read(file));
    }
    root
}

/// The files of the tree.
pub fn tree_files(root: &Path) -> impl Iterator<Item = PathBuf> {
    (0..FOLDERS * FILES).map(|n| root.join(format!("{}/{}", n / FILES, n % FILES)))
}

/// A file of so many bytes, in memory.
pub fn served(bytes: u64) -> PathBuf {
    let path = make(&format!("served-{bytes}"), |path| {
        must(fs::write(path, vec![b'x'; bytes as usize]));
    });
    must(fs::read(&path));
    path
}

/// A name that nothing has yet.
pub fn scratch() -> PathBuf {
    let path = folder().join("scratch");
    must(fs::create_dir_all(folder()));
    drop(fs::remove_file(&path));
    path
}

/// Places of pages of the table in a random order, the same for everybody.
pub struct Places {
    state: u64,
    pages: u64,
}

impl Places {
    /// Among those that are in memory.
    pub fn cached(seed: u64) -> Places {
        Places { state: 0x9e37_79b9_7f4a_7c15 ^ (seed + 1), pages: CACHED }
    }

    /// Among all.
    pub fn all(seed: u64) -> Places {
        Places { pages: PAGES, ..Places::cached(seed) }
    }
}

impl Iterator for Places {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        Some(self.state % self.pages * PAGE as u64)
    }
}
