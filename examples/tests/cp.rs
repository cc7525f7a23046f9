//! `cp` and `cat` copy every byte.

#[path = "../07_cp.rs"]
mod cp;

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;

use cp::Progress;

/// What `cargo run` runs.
const _: fn() -> std::io::Result<()> = cp::main;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("henge-cp-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[henge::test]
async fn files_of_any_length_are_copied() {
    let folder = Folder::new("cp");
    let (from, to) = (folder.0.join("from"), folder.0.join("to"));
    for len in [0, 1, 256 << 10, (3 << 20) + 123] {
        let bytes: Vec<u8> = (0..len as u32).map(|n| (n % 251) as u8).collect();
        fs::write(&from, &bytes).unwrap();
        let progress = Rc::<Progress>::default();
        cp::show(cp::cp(&from, &to, progress.clone()), &progress).await.unwrap();
        assert!(fs::read(&to).unwrap() == bytes, "{len} bytes");
    }
    assert!(cp::cp(&folder.0, &to, Rc::default()).await.is_err(), "a folder");
}

#[henge::test]
async fn a_file_goes_into_a_pipe() {
    let folder = Folder::new("cat");
    let from = folder.0.join("from");
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    fs::write(&from, &bytes).unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let reading = std::thread::spawn(move || {
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        got
    });
    let to = henge::fs::File::from(OwnedFd::from(writer));
    cp::cat(&from, to, Rc::default()).await.unwrap();
    assert!(reading.join().unwrap() == bytes);
}
