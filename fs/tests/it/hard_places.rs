//! Full disks, exhausted limits, files that change or go while they are read, futures that are
//! dropped wherever they wait.

use std::fs;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, SeekFrom};
use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::task::Poll;

use henge_driver::{Driver, ops, submit};
use henge_fs::{Advice, Allocation, File, OpenOptions, RangeSync};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::common::{Place, run};

/// A file system of 64 KiB; nothing where we may not make one.
struct Small(Place);

impl Small {
    fn new() -> Option<Small> {
        let place = Place::folder();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&place.0);
        match mount.output() {
            Ok(output) if output.status.success() => Some(Small(place)),
            other => {
                println!("no small file system here: {other:?}");
                None
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let done = Command::new("umount").arg("-l").arg(&self.0.0).status();
        assert!(done.is_ok_and(|done| done.success()));
    }
}

#[test]
fn a_full_disk_is_told_by_every_way_to_write() {
    let Some(small) = Small::new() else { return };
    let path = |name: &str| small.0.join(name);
    let much = vec![1_u8; 200_000];
    run(async {
        let full =
            |result: io::Result<()>| assert_eq!(result.unwrap_err().kind(), ErrorKind::StorageFull);
        full(henge_fs::write(path("whole"), &much).await);
        fs::remove_file(path("whole"))?;
        let file = File::create(path("places")).await?;
        full(file.write_all_at(much.clone(), 0).await.0);
        full(file.writev_at(vec![much.clone()], 100_000).await.0.map(drop));
        full(file.fallocate(Allocation::Reserve, 0, 1 << 20).await);
        // There is room again.
        file.set_len(0).await?;
        let mut file = File::create(path("stream")).await?;
        let written = async {
            for piece in much.chunks(10_000) {
                file.write_all(piece).await?;
            }
            file.flush().await
        };
        full(written.await);
        drop(file);
        full(henge_fs::copy("/proc/self/exe", path("copy")).await.map(drop));
        Ok(())
    });
}

/// Runs one of the tests below in a process of its own, under a limit of descriptors.
fn in_a_process_of_its_own(test: &str, descriptors: u32) {
    let script = format!("ulimit -n {descriptors} && exec \"$0\" --exact {test} --ignored");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn the_descriptor_limit_is_an_error_and_passes() {
    in_a_process_of_its_own("hard_places::without_descriptors", 40);
}

#[test]
#[ignore = "needs a process of its own: `the_descriptor_limit_is_an_error_and_passes` starts one"]
fn without_descriptors() {
    let place = Place::file("contents");
    run(async {
        let mut files = Vec::new();
        let error = loop {
            match File::open(&place).await {
                Ok(file) => files.push(file),
                Err(error) => break error,
            }
        };
        assert!(files.len() > 10);
        const EMFILE: i32 = 24;
        assert_eq!(error.raw_os_error(), Some(EMFILE));
        let many = |result: Option<io::Error>| {
            assert_eq!(result.and_then(|error| error.raw_os_error()), Some(EMFILE));
        };
        many(File::create(&place).await.err());
        many(files[0].try_clone().await.err());
        many(henge_fs::read(&place).await.err());
        many(henge_fs::read_dir("/").await.err());
        // What needs no descriptor goes on.
        let (n, _) = files[0].read_at(vec![0; 8], 0).await;
        assert_eq!(n?, 8, "nothing has emptied it");
        assert!(files[0].metadata().await?.is_file());
        files.truncate(files.len() - 3);
        henge_fs::write(&place, "again").await?;
        assert_eq!(henge_fs::read(&place).await?, b"again");
        Ok(())
    });
}

#[test]
fn a_file_that_is_removed_is_read_to_its_end() {
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let place = Place::file(&bytes);
    run(async {
        let mut file = File::open(&place).await?;
        let mut got = vec![0; 1_000];
        file.read_exact(&mut got).await?;
        henge_fs::remove_file(&place).await?;
        file.read_to_end(&mut got).await?;
        assert!(got == bytes);
        assert_eq!(file.metadata().await?.nlink(), 0);
        Ok(())
    });
}

#[test]
fn a_file_that_is_cut_or_grows_is_read_as_it_is_then() {
    let place = Place::file(vec![1; 100_000]);
    run(async {
        let mut file = File::open(&place).await?;
        let mut got = vec![0; 60_000];
        file.read_exact(&mut got).await?;
        let other = OpenOptions::new().append(true).open(&place).await?;
        other.set_len(50_000).await?;
        assert_eq!(file.read(&mut got).await?, 0, "it ends before the reader");
        let (done, _) = other.write_all_at(vec![2; 20_000], 0).await;
        done?;
        got.clear();
        file.read_to_end(&mut got).await?;
        assert_eq!(got, vec![2; 10_000]);
        Ok(())
    });
}

#[test]
fn lengths_past_four_gib() {
    let place = Place::new();
    let end = (5 << 30) + 5;
    run(async {
        let mut file = File::options().read(true).write(true).create(true).open(&place).await?;
        file.set_len(end).await?;
        assert_eq!(file.metadata().await?.len(), end);
        assert_eq!(file.seek(SeekFrom::End(-2)).await?, end - 2);
        file.write_all(b"at the end").await?;
        assert_eq!(file.stream_position().await?, end + 8);
        file.flush().await?;
        file.seek(SeekFrom::Start(end - 2)).await?;
        let mut text = String::new();
        file.read_to_string(&mut text).await?;
        assert_eq!(text, "at the end");
        // Longer than an entry of the ring can say, and not.
        for len in [0, 4_096, (4 << 30) + 4_096] {
            file.fadvise(Advice::DontNeed, 0, len).await?;
            file.sync_file_range(RangeSync::StartAndWait, 0, len).await?;
        }
        file.fallocate(Allocation::PunchHole, 0, end + 8).await?;
        let (n, buf) = file.read_at(vec![1; 10], end - 2).await;
        assert_eq!(&buf[..n?], [0; 10]);
        Ok(())
    });
}

/// Polls at most so many times, with a turn of the ring between, then drops. Was it ready?
async fn poll_and_drop(future: impl Future, times: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..times {
        let ready = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        if ready {
            return true;
        }
        submit(ops::Nop::new()).await.unwrap();
    }
    false
}

#[test]
fn dropped_futures_leak_nothing_wherever_they_waited() {
    in_a_process_of_its_own("hard_places::dropped_everywhere", 1_000);
}

#[test]
#[ignore = "counts the descriptors of the process; another test starts one for it"]
fn dropped_everywhere() {
    let place = Place::folder();
    let file = place.join("file");
    let other = place.join("other");
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let driver = Driver::new().unwrap();
    let before = open();
    for times in 0..12 {
        driver
            .block_on(async {
                fs::write(&file, &bytes)?;
                // Out of memory, so that there is something to wait for.
                fs::File::open(&file)?.sync_all()?;
                let here = File::open(&file).await?;
                here.fadvise(Advice::DontNeed, 0, 0).await?;
                every_way(&file, &other, times).await;
                // What is used by reference is whole.
                let mut here = OpenOptions::new().read(true).write(true).open(&file).await?;
                let mut got = vec![0; 1_000];
                poll_and_drop(here.read(&mut got), times).await;
                poll_and_drop(here.sync_all(), times).await;
                poll_and_drop(here.seek(SeekFrom::Start(7)), times).await;
                here.seek(SeekFrom::Start(500)).await?;
                poll_and_drop(here.write_all(b"over"), times).await;
                poll_and_drop(here.flush(), times).await;
                here.flush().await?;
                here.seek(SeekFrom::Start(0)).await?;
                got.clear();
                here.read_to_end(&mut got).await?;
                assert_eq!(got.len(), bytes.len());
                assert_eq!((&got[..500], &got[504..]), (&bytes[..500], &bytes[504..]));
                io::Result::Ok(())
            })
            .unwrap()
            .unwrap();
    }
    // What was cancelled ends with the driver.
    drop(driver);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while open() > before && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(open() <= before, "{before} were open, now {}", open());
}

async fn every_way(file: &Path, other: &Path, times: usize) {
    let here = File::open(file).await.unwrap();
    poll_and_drop(File::open(file), times).await;
    poll_and_drop(File::create(other), times).await;
    poll_and_drop(henge_fs::read(file), times).await;
    poll_and_drop(henge_fs::write(other, "contents"), times).await;
    poll_and_drop(henge_fs::copy(file, other), times).await;
    poll_and_drop(henge_fs::metadata(file), times).await;
    poll_and_drop(henge_fs::canonicalize(file), times).await;
    poll_and_drop(here.read_at(vec![0; 50_000], 1_000), times).await;
    poll_and_drop(here.readv_at(vec![vec![0; 5_000], vec![0; 5_000]], 60_000), times).await;
    poll_and_drop(here.read_exact_at(vec![0; 90_000], 0), times).await;
    poll_and_drop(here.metadata(), times).await;
    poll_and_drop(here.try_clone(), times).await;
    poll_and_drop(async { drop(here.try_clone().await.unwrap().into_std().await) }, times).await;
    poll_and_drop(async { here.try_clone().await.unwrap().close().await }, times).await;
    poll_and_drop(
        async {
            let mut entries = henge_fs::read_dir("/proc/self").await.unwrap();
            while let Some(entry) = entries.next_entry().await.unwrap() {
                // Threads come and go.
                drop(entry.metadata().await);
            }
        },
        times,
    )
    .await;
    poll_and_drop(henge_fs::create_dir_all(other.with_file_name("a/b/c")), times).await;
    poll_and_drop(henge_fs::remove_dir_all(other.with_file_name("a")), times).await;
}

#[test]
fn files_of_proc_and_devices() {
    run(async {
        let mut text = String::new();
        File::open("/proc/self/maps").await?.read_to_string(&mut text).await?;
        assert!(text.lines().count() > 10);
        let mut zeros = [1; 1_000];
        File::open("/dev/zero").await?.read_exact(&mut zeros).await?;
        assert_eq!(zeros, [0; 1_000]);
        assert_eq!(File::open("/dev/null").await?.read(&mut zeros).await?, 0);
        let metadata = henge_fs::metadata("/proc/self/maps").await?;
        assert_eq!((metadata.len(), metadata.is_file()), (0, true));
        assert!(henge_fs::metadata("/dev/null").await?.file_type().is_char_device());
        let mut writer = OpenOptions::new().write(true).open("/proc/self/comm").await?;
        writer.write_all(b"renamed").await?;
        writer.flush().await
    });
}
