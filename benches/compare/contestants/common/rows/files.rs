//! Whole programs' worth of files, in tokio's words, which are henge's too.

use contestant::files;
use contestant::{Meter, Row};

use crate::peer::{self, AsyncWriteExt, fs};

fn must<T>(result: std::io::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// Ten thousand small files read, one after the other.
pub fn small_files() -> Row {
    peer::run(|| async {
        let tree = files::tree();
        let meter = Meter::start();
        let mut bytes = 0;
        for file in files::tree_files(&tree) {
            bytes += must(fs::read(file).await).len();
        }
        assert!(bytes > 10_000_000);
        meter.stop((files::FOLDERS * files::FILES) as u64)
    })
}

/// The tree walked, and everything in it asked for its length.
pub fn walk() -> Row {
    peer::run(|| async {
        let tree = files::tree();
        let meter = Meter::start();
        let (mut count, mut bytes) = (0, 0);
        let mut folders = vec![tree];
        while let Some(folder) = folders.pop() {
            let mut entries = must(fs::read_dir(folder).await);
            while let Some(entry) = must(entries.next_entry().await) {
                let metadata = must(entry.metadata().await);
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
    })
}

/// Records of 512 bytes appended to a log, each on the device before the next.
pub fn append() -> Row {
    const RECORDS: u64 = 300;
    peer::run(|| async {
        let path = files::scratch();
        let mut log = must(fs::OpenOptions::new().append(true).create(true).open(path).await);
        let meter = Meter::start();
        for _ in 0..RECORDS {
            must(log.write_all(&[7; 512]).await);
            must(log.flush().await);
            must(log.sync_data().await);
        }
        meter.stop(RECORDS)
    })
}

/// The table of 256 MiB copied.
pub fn copy() -> Row {
    peer::run(|| async {
        let (table, to) = (files::table(), files::scratch());
        let meter = Meter::start();
        must(fs::copy(table, to).await);
        meter.stop(256)
    })
}
