//! Full disks, exhausted limits, files that change or go while they are read.

use std::fs;
use std::future::poll_fn;
use std::io::{self, ErrorKind, PipeWriter, Read, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::pin::pin;
use std::process::Command;
use std::task::Poll;
use std::time::Duration;

use henge_driver::{ops, submit};
use henge_fs::{Advice, Allocation, File, OpenOptions, RangeSync};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::common::{Place, begin_and_drop, in_a_process_of_its_own, run};

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

#[test]
fn the_largest_file_is_an_error_by_every_way_to_write() {
    // The signal would end the process; who ignores it gets the error.
    let limits = "trap '' XFSZ && ulimit -f 128";
    in_a_process_of_its_own("hard_places::with_small_files", limits);
}

#[test]
#[ignore = "needs a process of its own: \
            `the_largest_file_is_an_error_by_every_way_to_write` starts one"]
fn with_small_files() {
    let place = Place::folder();
    let path = |name: &str| place.join(name);
    // Whether the shell counts in 512 or 1,024 bytes.
    let much = vec![1_u8; 200_000];
    run(async {
        let large = |result: io::Result<()>| {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::FileTooLarge)
        };
        large(henge_fs::write(path("whole"), &much).await);
        let file = File::create(path("places")).await?;
        large(file.write_all_at(much.clone(), 0).await.0);
        let (n, _) = file.write_at(much.clone(), 0).await;
        assert!((1..much.len()).contains(&n?), "what fits is written, and said to be");
        large(file.writev_at(vec![much.clone()], 150_000).await.0.map(drop));
        large(file.set_len(1 << 20).await);
        large(file.fallocate(Allocation::Reserve, 0, 1 << 20).await);
        let mut file = File::create(path("stream")).await?;
        let written = async {
            for piece in much.chunks(10_000) {
                file.write_all(piece).await?;
            }
            file.flush().await
        };
        large(written.await);
        large(henge_fs::copy("/proc/self/exe", path("copy")).await.map(drop));
        let room = fs::metadata(path("copy"))?.blocks() * 512;
        assert!(room <= 256 << 10, "{room} bytes are taken by what does not fit");
        // What fits goes on.
        henge_fs::write(path("whole"), &much[..1_000]).await?;
        assert_eq!(henge_fs::read(path("whole")).await?.len(), 1_000);
        Ok(())
    });
}

#[test]
fn the_descriptor_limit_is_an_error_and_passes() {
    in_a_process_of_its_own("hard_places::without_descriptors", "ulimit -n 40");
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

/// A pipe that nobody reads, with all that it holds and one write more, which waits.
async fn stuck(writer: PipeWriter) -> io::Result<(File, usize)> {
    const PIECE: usize = 32 << 10;
    let mut file = File::from(OwnedFd::from(writer));
    file.set_max_buf_size(PIECE);
    let mut taken = 0;
    loop {
        let bytes = vec![(taken / PIECE) as u8; PIECE];
        let mut write = pin!(file.write(&bytes));
        // The ring is turned between the two, so that what can be written has been.
        let mut polled = poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx))).await;
        for _ in 0..3 {
            if polled.is_ready() {
                break;
            }
            submit(ops::Timeout::new(Duration::from_millis(1))).await?;
            polled = poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx))).await;
        }
        match polled {
            Poll::Ready(n) => taken += n?,
            Poll::Pending => return Ok((file, taken)),
        }
    }
}

#[test]
fn a_reader_that_stops_holds_up_nobody_and_goes_on() {
    let place = Place::file("contents");
    let (mut reader, writer) = io::pipe().unwrap();
    run(async {
        let (mut file, taken) = stuck(writer).await?;
        assert!((32 << 10..1 << 20).contains(&taken), "{taken} bytes were taken");
        begin_and_drop(file.flush()).await;
        assert_eq!(henge_fs::read(&place).await?, b"contents");
        let reads = std::thread::spawn(move || {
            let mut got = Vec::new();
            reader.read_to_end(&mut got).map(|_| got)
        });
        file.flush().await?;
        file.close().await?;
        let got = reads.join().expect("no panic")?;
        assert_eq!(got.len(), taken);
        assert!(got.iter().enumerate().all(|(at, byte)| *byte == (at >> 15) as u8));
        Ok(())
    });
}

#[test]
fn a_reader_that_goes_is_an_error_that_shows_once() {
    let (reader, writer) = io::pipe().unwrap();
    run(async {
        let (mut file, _taken) = stuck(writer).await?;
        drop(reader);
        assert_eq!(file.flush().await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        file.flush().await?;
        assert_eq!(file.write_at("more", 0).await.0.unwrap_err().kind(), ErrorKind::BrokenPipe);
        file.close().await
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
