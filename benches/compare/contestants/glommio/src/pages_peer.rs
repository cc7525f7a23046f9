//! A part of a file, in glommio's words: it brings the buffers.

use std::path::Path;

use glommio::io::{BufferedFile, DmaFile};

/// A file by way of the kernel's cache, or past it.
enum File {
    Buffered(BufferedFile),
    Direct(DmaFile),
}

/// A file, and how much of it is read at a time.
pub struct Part {
    file: File,
    len: usize,
}

impl Part {
    pub async fn open(path: &Path, len: usize) -> Part {
        match BufferedFile::open(path).await {
            Ok(file) => Part { file: File::Buffered(file), len },
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn open_direct(path: &Path, len: usize) -> Part {
        match DmaFile::open(path).await {
            Ok(file) => Part { file: File::Direct(file), len },
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn read(&mut self, place: u64) {
        let read = match &self.file {
            File::Buffered(file) => file.read_at(place, self.len).await,
            File::Direct(file) => file.read_at_aligned(place, self.len).await,
        };
        match read {
            Ok(bytes) if bytes.len() == self.len => {}
            Ok(bytes) => panic!("{} bytes", bytes.len()),
            Err(error) => panic!("{error}"),
        }
    }
}
