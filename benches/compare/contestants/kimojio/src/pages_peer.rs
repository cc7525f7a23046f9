//! A part of a file, in kimojio's words.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use contestant::files::{O_DIRECT, PAGE};
use kimojio::{OwnedFd, operations};

/// A file and a buffer, some part of which begins where a device likes it.
pub struct Part {
    file: OwnedFd,
    buf: Vec<u8>,
    len: usize,
}

impl Part {
    fn with_flags(path: &Path, flags: i32, len: usize) -> Part {
        match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Ok(file) => Part { file: file.into(), buf: vec![0; PAGE + len], len },
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn open(path: &Path, len: usize) -> Part {
        Part::with_flags(path, 0, len)
    }

    pub async fn open_direct(path: &Path, len: usize) -> Part {
        Part::with_flags(path, O_DIRECT, len)
    }

    pub async fn read(&mut self, place: u64) {
        let begin = self.buf.as_ptr().align_offset(PAGE);
        let part = &mut self.buf[begin..begin + self.len];
        match operations::pread(&self.file, part, place).await {
            Ok(n) if n == self.len => {}
            other => panic!("{other:?}"),
        }
    }
}
