//! Opening files, transfers at places, what is known of an open file.

use std::fs;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::common::{Place, begin_and_drop, kind, run};
use henge_driver::buf::IoBuf;
use henge_driver::{Driver, ops, submit};
use henge_fs::{File, OpenOptions};

#[test]
fn what_is_written_is_read_back() {
    let place = Place::new();
    run(async {
        let file = File::options().read(true).write(true).create(true).open(&place).await?;
        let (n, buf) = file.write_at(b"hello, disk".to_vec(), 3).await;
        assert_eq!((n?, &*buf), (11, &b"hello, disk"[..]));
        let (n, buf) = file.read_at(Vec::with_capacity(100), 3).await;
        assert_eq!((n?, &*buf), (11, &b"hello, disk"[..]));
        let (n, buf) = file.read_at(vec![7; 5], 0).await;
        assert_eq!((n?, &*buf), (5, &b"\0\0\0he"[..]));
        let (n, _) = file.read_at(vec![7; 5], 14).await;
        assert_eq!(n?, 0, "the end of the file");
        file.sync_data().await?;
        file.sync_all().await?;
        file.close().await
    });
    assert_eq!(fs::read(&place).unwrap(), b"\0\0\0hello, disk");
}

#[test]
fn exact_reads_tell_of_the_end_and_keep_what_came() {
    let place = Place::new();
    fs::write(&place, "0123456789").unwrap();
    run(async {
        let file = File::open(&place).await?;
        let (done, buf) = file.read_exact_at(vec![0; 4], 6).await;
        done?;
        assert_eq!(buf, b"6789");
        let (done, buf) = file.read_exact_at(vec![b'-'; 6], 6).await;
        assert_eq!(done.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(buf, b"6789--");
        let (done, part) = file.read_exact_at(vec![b'-'; 6].slice(1..3), 0).await;
        done?;
        assert_eq!(part.into_inner(), b"-01---");
        Ok(())
    });
}

#[test]
fn pieces_go_and_come_in_order() {
    let place = Place::new();
    run(async {
        let file = File::options().read(true).write(true).create(true).open(&place).await?;
        let (n, _) = file.writev_at(vec!["one ", "", "two"], 0).await;
        assert_eq!(n?, 7);
        let bufs = vec![Vec::with_capacity(5), Vec::new(), Vec::with_capacity(10)];
        let (n, bufs) = file.readv_at(bufs, 0).await;
        assert_eq!((n?, bufs), (7, vec![b"one t".to_vec(), Vec::new(), b"wo".to_vec()]));
        Ok(())
    });
}

#[test]
fn whole_files() {
    let place = Place::new();
    let text = "line\n".repeat(10_000);
    run(async {
        henge_fs::write(&place, &text).await?;
        assert_eq!(henge_fs::read_to_string(&place).await?, text);
        henge_fs::write(&place, "short").await?;
        assert_eq!(henge_fs::read(&place).await?, b"short");
        henge_fs::write(&place, "").await?;
        assert_eq!(henge_fs::read(&place).await?, b"");
        Ok(())
    });
    fs::write(&place, [0xff]).unwrap();
    assert_eq!(kind(henge_fs::read_to_string(&place)), ErrorKind::InvalidData);
    assert_eq!(kind(henge_fs::read(place.0.join("under a file"))), ErrorKind::NotADirectory);
}

#[test]
fn files_that_do_not_tell_their_length() {
    // Longer than the first read, and of no length.
    let maps = run(henge_fs::read_to_string("/proc/self/maps"));
    assert!(maps.lines().count() > 10 && maps.ends_with('\n'));
    let status = run(henge_fs::read_to_string("/proc/self/status"));
    assert!(status.contains(&format!("Pid:\t{}\n", std::process::id())));
}

#[test]
fn a_pipe_is_read_where_it_stands() {
    let (reader, mut writer) = io::pipe().unwrap();
    run(async {
        let file = File::from(OwnedFd::from(reader));
        writer.write_all(b"first").unwrap();
        let (n, buf) = file.read_at(vec![0; 100], 0).await;
        assert_eq!(&buf[..n?], b"first");
        writer.write_all(b"second").unwrap();
        let (done, buf) = file.read_exact_at(vec![0; 6], 0).await;
        done?;
        assert_eq!(buf, b"second");
        drop(writer);
        let (n, _) = file.read_at(vec![0; 100], 0).await;
        assert_eq!(n?, 0);
        Ok(())
    });
    let (mut reader, writer) = io::pipe().unwrap();
    run(async {
        let file = File::from(OwnedFd::from(writer));
        let (done, _) = file.write_all_at("into a pipe", 0).await;
        done?;
        file.close().await
    });
    let mut got = String::new();
    reader.read_to_string(&mut got).unwrap();
    assert_eq!(got, "into a pipe");
}

/// A write of more than a pipe holds is short or waits, again and again, until the reader has all.
#[test]
fn a_write_longer_than_the_pipe_arrives_whole() {
    let (mut reader, writer) = io::pipe().unwrap();
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let thread = std::thread::spawn(move || {
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        got
    });
    let sent = run(async {
        let file = File::from(OwnedFd::from(writer));
        let (done, sent) = file.write_all_at(sent, 0).await;
        done.map(|()| sent)
    });
    assert!(thread.join().unwrap() == sent);
}

#[test]
fn a_dropped_read_of_a_pipe_takes_nothing_that_comes_later() {
    let (reader, mut writer) = io::pipe().unwrap();
    run(async {
        let file = File::from(OwnedFd::from(reader));
        begin_and_drop(file.read_at(vec![0; 100], 0)).await;
        // The cancel is on its way before this, on the same ring.
        submit(ops::Nop::new()).await?;
        writer.write_all(b"kept").unwrap();
        let (n, buf) = file.read_at(vec![0; 100], 0).await;
        assert_eq!(&buf[..n?], b"kept");
        Ok(())
    });
}

#[test]
fn a_file_that_is_dropped_while_an_operation_runs_is_closed_after_it() {
    let (reader, mut writer) = io::pipe().unwrap();
    run(async {
        let file = File::from(OwnedFd::from(reader));
        begin_and_drop(file.read_at(vec![0; 100], 0)).await;
        file.close().await?;
        // As soon as the read is cancelled nobody has the reading end any more.
        loop {
            match writer.write_all(b"x") {
                Ok(()) => submit(ops::Nop::new()).await?,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
                    return Ok(());
                }
            }
        }
    });
}

#[test]
fn opening_and_dropping_leaks_no_descriptor() {
    let driver = Driver::new().unwrap();
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    // Other tests of this process open files too: only a leak stays for good.
    let before = open();
    let count = 2_000;
    driver
        .block_on(async {
            for _ in 0..count {
                begin_and_drop(File::create("/dev/null")).await;
            }
            File::create("/dev/null").await?.close().await
        })
        .unwrap()
        .unwrap();
    drop(driver);
    assert!(open() < before + count / 2, "{} were open, now {}", before, open());
}

#[test]
fn options_are_those_of_std() {
    let place = Place::new();
    run(async {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(&place).await?;
        let (done, _) = file.write_all_at("first", 0).await;
        done?;
        let file = OpenOptions::new().append(true).open(&place).await?;
        let (done, _) = file.write_all_at(" second", 0).await;
        done
    });
    assert_eq!(fs::read(&place).unwrap(), b"first second");
    assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o640);
    let again = OpenOptions::new().write(true).create_new(true).clone();
    assert_eq!(kind(again.open(&place)), ErrorKind::AlreadyExists);
    assert_eq!(kind(OpenOptions::new().open(&place)), ErrorKind::InvalidInput);
    assert_eq!(kind(File::open("a\0b")), ErrorKind::InvalidInput);
    assert_eq!(kind(File::open(place.0.with_extension("none"))), ErrorKind::NotFound);
    // O_DIRECTORY on a file: the flag arrived.
    let custom = OpenOptions::new().read(true).custom_flags(0o200_000).clone();
    assert_eq!(kind(custom.open(&place)), ErrorKind::NotADirectory);
    run(async { File::create(&place).await.map(drop) });
    assert_eq!(fs::read(&place).unwrap(), b"");
}

#[test]
fn metadata_is_that_of_std() {
    let place = Place::new();
    fs::write(&place, "12345").unwrap();
    let ours = run(async { File::open(&place).await?.metadata().await });
    let stds = fs::metadata(&place).unwrap();
    assert_eq!((ours.len(), ours.is_file(), ours.is_dir()), (5, true, false));
    assert_eq!(ours.modified().unwrap(), stds.modified().unwrap());
    assert_eq!(ours.accessed().unwrap(), stds.accessed().unwrap());
    assert_eq!(
        (ours.mode(), ours.uid(), ours.gid(), ours.ino(), ours.dev(), ours.nlink()),
        (stds.mode(), stds.uid(), stds.gid(), stds.ino(), stds.dev(), stds.nlink())
    );
    assert_eq!(ours.blocks(), stds.blocks());
    assert_eq!(ours.created().ok(), stds.created().ok());
}

#[test]
fn lengths_are_set() {
    let place = Place::new();
    fs::write(&place, "12345").unwrap();
    run(async {
        let file = OpenOptions::new().write(true).open(&place).await?;
        file.set_len(3).await?;
        assert_eq!(fs::read(&place)?, b"123");
        file.set_len(5).await?;
        assert_eq!(fs::read(&place)?, b"123\0\0");
        assert_eq!(file.set_len(u64::MAX).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        Ok(())
    });
}

/// Past four GiB, where an offset of 32 bits would wrap, and at the very end.
#[test]
fn large_offsets() {
    let place = Place::new();
    run(async {
        let file = File::options().read(true).write(true).create(true).open(&place).await?;
        let far = (5 << 30) + 7;
        let (done, _) = file.write_all_at("far", far).await;
        done?;
        assert_eq!(file.metadata().await?.len(), far + 3);
        let (n, buf) = file.read_at(vec![0; 10], far).await;
        assert_eq!(&buf[..n?], b"far");
        for offset in [u64::MAX, i64::MAX as u64 + 1] {
            let (n, buf) = file.read_at(vec![0; 10], offset).await;
            assert_eq!((n.unwrap_err().kind(), buf.len()), (ErrorKind::InvalidInput, 10));
            let (n, buf) = file.write_at("far", offset).await;
            assert_eq!((n.unwrap_err().kind(), buf), (ErrorKind::InvalidInput, "far"));
        }
        Ok(())
    });
}

/// More than the kernel transfers at once. The device does not look at what it is given, so the
/// zeros never take up memory.
#[test]
fn transfers_longer_than_the_kernel_takes_at_once() {
    let len = (2 << 30) + 5_000_usize;
    let zeros = vec![0_u8; len];
    run(async {
        let null = OpenOptions::new().write(true).open("/dev/null").await?;
        let (n, zeros) = null.write_at(zeros, 0).await;
        assert_eq!(n?, 0x7fff_f000);
        let (done, zeros) = null.write_all_at(zeros, 0).await;
        done?;
        assert_eq!(zeros.len(), len);
        Ok(())
    });
}

#[test]
fn futures_are_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    drop(send(File::open("x")));
    drop(send(henge_fs::read("x")));
    drop(send(henge_fs::write("x", "y")));
    fn of_a_file(file: &File) {
        drop(send(file.read_exact_at(Vec::new(), 0)));
        drop(send(file.write_all_at("", 0)));
        drop(send(file.metadata()));
    }
    let _compiles: fn(&File) = of_a_file;
}

/// What comes in pieces: the first is one read, the rest another way.
#[test]
fn an_exact_read_goes_on_after_a_short_one() {
    let (reader, mut writer) = io::pipe().unwrap();
    run(async {
        let file = File::from(OwnedFd::from(reader));
        for pieces in [&["abc", "defg", "hi"][..], &["abcdefgh", "i"]] {
            let mut read = pin!(file.read_exact_at(vec![0; 9], 0));
            for piece in pieces {
                begin(read.as_mut()).await;
                writer.write_all(piece.as_bytes()).unwrap();
                submit(ops::Nop::new()).await?;
            }
            let (done, bytes) = read.await;
            done?;
            assert_eq!(bytes, b"abcdefghi");
        }
        writer.write_all(b"the end").unwrap();
        drop(writer);
        let (done, bytes) = file.read_exact_at(Vec::with_capacity(9), 0).await;
        assert_eq!(done.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(bytes, b"the end", "what came until then");
        let (done, bytes) = file.read_exact_at(Vec::new(), 0).await;
        done?;
        assert!(bytes.is_empty(), "nothing was asked for");
        let (done, _) = file.read_exact_at(vec![0; 9], u64::MAX).await;
        assert_eq!(done.unwrap_err().kind(), ErrorKind::InvalidInput);
        Ok(())
    });
}

/// Polls once; there is nothing yet.
async fn begin(mut future: Pin<&mut impl Future>) {
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}
