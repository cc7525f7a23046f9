//! A part of a file, in tokio's words.

use std::io::SeekFrom;
use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// A file and a buffer.
pub struct Part {
    file: File,
    buf: Vec<u8>,
}

impl Part {
    pub async fn open(path: &Path, len: usize) -> Part {
        match File::open(path).await {
            Ok(file) => Part { file, buf: vec![0; len] },
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn open_direct(_: &Path, _: usize) -> Part {
        contestant::unsupported("its buffers are not aligned")
    }

    pub async fn read(&mut self, place: u64) {
        let sought = self.file.seek(SeekFrom::Start(place)).await;
        if let Err(error) = sought.and(self.file.read_exact(&mut self.buf).await.map(|_| 0)) {
            panic!("{error}");
        }
    }
}
