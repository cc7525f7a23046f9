//! A page, in henge's words.

use std::path::Path;

use contestant::files::PAGE;
use henge::fs::{AlignedBuf, DirectFile, File};

/// A file and a buffer.
pub struct Page {
    file: File,
    buf: Option<AlignedBuf>,
}

impl Page {
    pub async fn open(path: &Path) -> Page {
        match (File::open(path).await, AlignedBuf::new(PAGE, PAGE)) {
            (Ok(file), Ok(buf)) => Page { file, buf: Some(buf) },
            other => panic!("{other:?}"),
        }
    }

    pub async fn open_direct(path: &Path) -> Page {
        match (DirectFile::open(path).await, AlignedBuf::new(PAGE, PAGE)) {
            (Ok(file), Ok(buf)) => Page { file: file.into_file(), buf: Some(buf) },
            other => panic!("{other:?}"),
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
