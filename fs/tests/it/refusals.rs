//! What is refused is refused as std does it, in its words: programs show them to their users, and
//! their tests compare them.

use std::io;
use std::path::Path;

use henge_driver::Driver;
use henge_fs::OpenOptions;

use crate::common::Place;

/// What a program can see of an error.
fn told<T>(result: io::Result<T>) -> Option<(io::ErrorKind, Option<i32>, String)> {
    result.err().map(|error| (error.kind(), error.raw_os_error(), error.to_string()))
}

#[test]
fn all_combinations_of_options() {
    let folder = Place::folder();
    let driver = Driver::new().expect("a ring");
    for bits in 0..64u8 {
        let is_set = |n: u8| bits >> n & 1 == 1;
        let (mut ours, mut std) = (OpenOptions::new(), std::fs::OpenOptions::new());
        ours.read(is_set(0)).write(is_set(1)).append(is_set(2));
        ours.truncate(is_set(3)).create(is_set(4)).create_new(is_set(5));
        std.read(is_set(0)).write(is_set(1)).append(is_set(2));
        std.truncate(is_set(3)).create(is_set(4)).create_new(is_set(5));
        let (old, new) = (folder.join("old"), folder.join("new"));
        for path in [&old, &new] {
            let begin = || {
                std::fs::write(&old, "abc").expect("a file");
                _ = std::fs::remove_file(&new);
            };
            begin();
            let expected = (told(std.open(path)), std::fs::read(path).ok());
            begin();
            let got = driver.block_on(ours.open(path)).expect("it turns");
            assert_eq!((told(got), std::fs::read(path).ok()), expected, "{bits:06b}");
        }
    }
}

#[test]
fn names_and_contents() {
    let folder = Place::folder();
    let text = folder.join("text");
    std::fs::write(&text, b"ok \xff").expect("a file");
    let driver = Driver::new().expect("a ring");
    driver
        .block_on(async {
            let ours = henge_fs::read_to_string(&text).await;
            assert_eq!(told(ours), told(std::fs::read_to_string(&text)));
            for name in ["a\0b", "", "/no/such/file", "/etc/passwd/x"] {
                let ours = henge_fs::File::open(name).await;
                assert_eq!(told(ours), told(std::fs::File::open(name)), "{name:?}");
                let ours = henge_fs::create_dir(name).await;
                assert_eq!(told(ours), told(std::fs::create_dir(name)), "{name:?}");
                let ours = henge_fs::metadata(name).await;
                assert_eq!(told(ours), told(std::fs::metadata(name)), "{name:?}");
            }
            let (from, to) = (Path::new("/"), folder.join("copy"));
            let ours = henge_fs::copy(from, &to).await;
            assert_eq!(told(ours), told(std::fs::copy(from, &to)));
        })
        .expect("it turns");
}
