//! Files: small and large ones, appended to, read by lines and at places. They are in memory, for
//! nobody waits until they are on the device.

use std::path::PathBuf;

use super::sum;
use crate::rt::fs::{self, File, OpenOptions};
use crate::rt::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter, SeekFrom,
};
use crate::rt::runtime::Runtime;

fn path(number: u64) -> PathBuf {
    contestant::files::scratch().with_extension(number.to_string())
}

/// A file of 1 KiB written, read and removed, by tasks of which each has its own.
pub fn small(runtime: &Runtime, times: u64) {
    let tasks: Vec<_> = (0..10)
        .map(|task| {
            let path = path(task);
            runtime.spawn(async move {
                for n in 0..times / 10 {
                    let text = vec![n as u8; 1_024];
                    fs::write(&path, &text).await.unwrap();
                    assert_eq!(fs::read(&path).await.unwrap(), text);
                    fs::remove_file(&path).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
}

/// 64 KiB written, and then read, of a file that is as long as it takes.
pub fn large(runtime: &Runtime, times: u64) {
    let path = path(0);
    runtime.block_on(async {
        let piece: Vec<u8> = (0..64 << 10).map(|n| (n % 251) as u8).collect();
        let mut file = File::create(&path).await.unwrap();
        for _ in 0..times {
            file.write_all(&piece).await.unwrap();
        }
        file.flush().await.unwrap();
        drop(file);
        let mut file = File::open(&path).await.unwrap();
        let mut read = vec![0; piece.len()];
        for _ in 0..times {
            file.read_exact(&mut read).await.unwrap();
            assert_eq!(read, piece);
        }
        assert_eq!(file.read(&mut read).await.unwrap(), 0);
        fs::remove_file(&path).await.unwrap();
    });
}

/// A line of a log appended and flushed.
pub fn append(runtime: &Runtime, times: u64) {
    const LINE: &[u8] = b"GET /index.html 200 1234 bytes in 5 ms, of which 3 ms waited\n";
    let path = path(0);
    runtime.block_on(async {
        let mut options = OpenOptions::new();
        let mut log = options.append(true).create(true).open(&path).await.unwrap();
        for _ in 0..times {
            log.write_all(LINE).await.unwrap();
            log.flush().await.unwrap();
        }
        let length = fs::metadata(&path).await.unwrap().len();
        assert_eq!(length, times * LINE.len() as u64);
        fs::remove_file(&path).await.unwrap();
    });
}

/// A page of a file read at a place that jumps about.
pub fn seek(runtime: &Runtime, times: u64) {
    const PAGES: u64 = 256;
    let path = path(0);
    runtime.block_on(async {
        let pages: Vec<u8> = (0..PAGES).flat_map(|page| vec![page as u8; 4_096]).collect();
        fs::write(&path, pages).await.unwrap();
        let mut file = File::open(&path).await.unwrap();
        let mut page = [0; 4_096];
        for n in 0..times {
            let at = n * 97 % PAGES;
            file.seek(SeekFrom::Start(at * 4_096)).await.unwrap();
            file.read_exact(&mut page).await.unwrap();
            assert_eq!(page, [at as u8; 4_096]);
        }
        fs::remove_file(&path).await.unwrap();
    });
}

/// Lines written through one buffer and read through another.
pub fn lines(runtime: &Runtime, times: u64) {
    let path = path(0);
    let total = runtime.block_on(async {
        let mut to = BufWriter::new(File::create(&path).await.unwrap());
        for n in 0..times {
            to.write_all(format!("{n}\n").as_bytes()).await.unwrap();
        }
        to.flush().await.unwrap();
        let mut lines = BufReader::new(File::open(&path).await.unwrap()).lines();
        let mut total = 0;
        while let Some(line) = lines.next_line().await.unwrap() {
            total += line.parse::<u64>().unwrap();
        }
        fs::remove_file(&path).await.unwrap();
        total
    });
    assert_eq!(total, sum(times));
}

/// An entry of a folder of a hundred, and what it is.
pub fn list(runtime: &Runtime, times: u64) {
    let folder = path(0);
    runtime.block_on(async {
        fs::create_dir_all(&folder).await.unwrap();
        for n in 0..100 {
            fs::write(folder.join(n.to_string()), "x").await.unwrap();
        }
        for _ in 0..times / 100 {
            let mut entries = fs::read_dir(&folder).await.unwrap();
            let mut bytes = 0;
            while let Some(entry) = entries.next_entry().await.unwrap() {
                bytes += entry.metadata().await.unwrap().len();
            }
            assert_eq!(bytes, 100);
        }
        fs::remove_dir_all(&folder).await.unwrap();
    });
}
