//! The tailer, across everything that happens to a log.

#[path = "../14_tail.rs"]
mod tail;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use henge::time::timeout;

/// What `cargo run` runs.
const _: fn() -> std::io::Result<()> = tail::main;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

async fn next(tail: &mut tail::Tail) -> String {
    let line = timeout(Duration::from_secs(60), tail.line()).await.expect("a line").unwrap();
    String::from_utf8(line).unwrap()
}

#[henge::test]
async fn no_line_is_lost_when_it_grows_or_rotates() {
    let folder = std::env::temp_dir().join(format!("henge-tail-{}", std::process::id()));
    let folder = Folder(folder);
    fs::create_dir(&folder.0).unwrap();
    let path = folder.0.join("log");
    let mut tail = tail::Tail::new(&path);
    let nothing = timeout(Duration::from_millis(20), tail.line()).await;
    assert!(nothing.is_err(), "there is no log yet");

    let open = || OpenOptions::new().create(true).append(true).open(&path).unwrap();
    let mut log = open();
    writeln!(log, "one\ntwo").unwrap();
    assert_eq!((next(&mut tail).await, next(&mut tail).await), ("one".into(), "two".into()));

    // A line in two parts, and a caller that leaves in between.
    write!(log, "th").unwrap();
    assert!(timeout(Duration::from_millis(250), tail.line()).await.is_err());
    writeln!(log, "ree").unwrap();
    assert_eq!(next(&mut tail).await, "three");

    // Rotated, while the old file has lines that were not read, and one without an end.
    for turn in 0..3 {
        write!(log, "old {turn}\nlast {turn}").unwrap();
        fs::rename(&path, folder.0.join(format!("log.{turn}"))).unwrap();
        log = open();
        writeln!(log, "new {turn}").unwrap();
        for line in ["old", "last", "new"] {
            assert_eq!(next(&mut tail).await, format!("{line} {turn}"));
        }
    }

    // Emptied, and written again: less than there was, so that it shows whenever it is looked at.
    log.set_len(0).unwrap();
    assert!(timeout(Duration::from_millis(250), tail.line()).await.is_err());
    writeln!(log, "4th").unwrap();
    assert_eq!(next(&mut tail).await, "4th");
}
