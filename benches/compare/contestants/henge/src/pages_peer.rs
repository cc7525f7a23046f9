//! A part of a file, in henge's words.

use std::path::Path;

use contestant::files::PAGE;
use henge::fs::{AlignedBuf, DirectFile, File, Window};

/// A file and a buffer.
pub struct Part {
    file: File,
    buf: Option<AlignedBuf>,
}

impl Part {
    pub async fn open(path: &Path, len: usize) -> Part {
        match (File::open(path).await, AlignedBuf::new(len, PAGE)) {
            (Ok(file), Ok(buf)) => Part { file, buf: Some(buf) },
            other => panic!("{other:?}"),
        }
    }

    pub async fn open_direct(path: &Path, len: usize) -> Part {
        let file = match DirectFile::open(path).await {
            Ok(file) => file,
            Err(error) => panic!("{error}"),
        };
        match file.registered_buffer(len) {
            Ok(buf) => Part { file: file.into_file(), buf: Some(buf) },
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn read(&mut self, place: u64) {
        let Some(buf) = self.buf.take() else { return };
        let (done, buf) = self.file.read_exact_at(buf, place).await;
        if let Err(error) = done {
            panic!("{error}");
        }
        self.buf = Some(buf);
    }
}

/// Reads a file to its end, past the kernel's cache; how many bytes that were.
pub async fn stream(path: &Path) -> u64 {
    let file = DirectFile::open(path).await;
    let mut reader = match file.and_then(|file| file.reader(0, Window::default())) {
        Ok(reader) => reader,
        Err(error) => panic!("{error}"),
    };
    let mut bytes = 0;
    loop {
        match reader.next_chunk().await {
            Ok(Some(chunk)) => bytes += chunk.len() as u64,
            Ok(None) => return bytes,
            Err(error) => panic!("{error}"),
        }
    }
}
