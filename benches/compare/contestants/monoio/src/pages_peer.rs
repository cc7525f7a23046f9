//! A part of a file, in monoio's words.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use contestant::files::{O_DIRECT, PAGE};
use monoio::buf::IoBufMut;
use monoio::fs::{File, OpenOptions};

/// A file and a buffer, some part of which begins where a device likes it.
pub struct Part {
    file: File,
    buf: Option<Vec<u8>>,
    len: usize,
}

impl Part {
    async fn with_flags(path: &Path, flags: i32, len: usize) -> Part {
        match OpenOptions::new().read(true).custom_flags(flags).open(path).await {
            Ok(file) => Part { file, buf: Some(vec![0; PAGE + len]), len },
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn open(path: &Path, len: usize) -> Part {
        Part::with_flags(path, 0, len).await
    }

    pub async fn open_direct(path: &Path, len: usize) -> Part {
        Part::with_flags(path, O_DIRECT, len).await
    }

    pub async fn read(&mut self, place: u64) {
        let Some(buf) = self.buf.take() else { return };
        let begin = buf.as_ptr().align_offset(PAGE);
        let part = buf.slice_mut(begin..begin + self.len);
        let (done, part) = self.file.read_exact_at(part, place).await;
        if let Err(error) = done {
            panic!("{error}");
        }
        self.buf = Some(part.into_inner());
    }
}
