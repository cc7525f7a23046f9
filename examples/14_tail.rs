//! `tail -F`: the lines of a log as they are written, across its rotation.
//!
//! `cargo run -p henge-examples --example 14_tail -- LOG`
//!
//! At the end of the file it looks, ten times a second, at what the name stands for now. Another
//! file there means that the log was rotated: what is left of the old one is read first. A file
//! that is shorter than what was read has been emptied, and is read from its begin.

#![allow(clippy::print_stdout, reason = "it has lines to show")]

use std::io::{self, ErrorKind, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use henge::fs::{self, File};
use henge::io::{AsyncBufReadExt, AsyncSeekExt, BufReader};
use henge::time::sleep;

const PAUSE: Duration = Duration::from_millis(100);

#[henge::main(flavor = "current_thread")]
pub(crate) async fn main() -> io::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("usage: 14_tail LOG"));
    };
    let mut tail = Tail::new(path);
    loop {
        let line = tail.line().await?;
        println!("{}", String::from_utf8_lossy(&line));
    }
}

/// Follows the file of a name.
pub(crate) struct Tail {
    path: PathBuf,
    log: Option<Log>,
    /// The begin of a line whose end has not been written.
    line: Vec<u8>,
}

struct Log {
    reader: BufReader<File>,
    /// Device and inode, which tell files apart whatever their names are.
    id: (u64, u64),
    /// The name stands for another file by now.
    rotated: bool,
}

impl Tail {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Tail {
        Tail { path: path.into(), log: None, line: Vec::new() }
    }

    /// The next line, without its end. Waits for a file that is not there yet.
    ///
    /// All that it knows stands in `self`, so a caller may leave it at any await, in a `select!`
    /// for example, and come back.
    pub(crate) async fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let Some(log) = &mut self.log else {
                match Log::open(&self.path).await {
                    Ok(log) => self.log = Some(log),
                    Err(error) if error.kind() == ErrorKind::NotFound => sleep(PAUSE).await,
                    Err(error) => return Err(error),
                }
                continue;
            };
            log.reader.read_until(b'\n', &mut self.line).await?;
            if self.line.pop_if(|end| *end == b'\n').is_some() {
                return Ok(std::mem::take(&mut self.line));
            }
            if log.rotated {
                // It was read to its end after that, so this is the end.
                self.log = None;
                if !self.line.is_empty() {
                    return Ok(std::mem::take(&mut self.line));
                }
                continue;
            }
            // Who writes may have the old file open for a moment longer, so wait before it is
            // read for the last time.
            sleep(PAUSE).await;
            log.look(&self.path, &mut self.line).await?;
        }
    }
}

impl Log {
    async fn open(path: &PathBuf) -> io::Result<Log> {
        let file = File::open(path).await?;
        let metadata = file.metadata().await?;
        let id = (metadata.dev(), metadata.ino());
        Ok(Log { reader: BufReader::new(file), id, rotated: false })
    }

    /// Looks what the name stands for.
    async fn look(&mut self, path: &PathBuf, line: &mut Vec<u8>) -> io::Result<()> {
        // All of it was read, so the reader holds nothing and its position is the file's.
        let read = self.reader.stream_position().await?;
        match fs::metadata(path).await {
            Ok(now) if (now.dev(), now.ino()) != self.id => self.rotated = true,
            Ok(now) if now.len() < read => {
                self.reader.seek(SeekFrom::Start(0)).await?;
                line.clear();
            }
            Ok(_) => {}
            // In the middle of a rotation.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
