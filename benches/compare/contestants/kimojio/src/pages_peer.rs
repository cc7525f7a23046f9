//! A page, in kimojio's words.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use contestant::files::{O_DIRECT, PAGE};
use kimojio::{OwnedFd, operations};

/// A file and a buffer, some part of which begins where a device likes it.
pub struct Page {
    file: OwnedFd,
    buf: Vec<u8>,
}

impl Page {
    fn with_flags(path: &Path, flags: i32) -> Page {
        match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Ok(file) => Page { file: file.into(), buf: vec![0; 2 * PAGE] },
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn open(path: &Path) -> Page {
        Page::with_flags(path, 0)
    }

    pub async fn open_direct(path: &Path) -> Page {
        Page::with_flags(path, O_DIRECT)
    }

    pub async fn read(&mut self, place: u64) {
        let begin = self.buf.as_ptr().align_offset(PAGE);
        let part = &mut self.buf[begin..begin + PAGE];
        match operations::pread(&self.file, part, place).await {
            Ok(PAGE) => {}
            other => panic!("{other:?}"),
        }
    }
}
