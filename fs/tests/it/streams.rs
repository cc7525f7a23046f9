//! Reading, writing and seeking through tokio's traits, at the file's own position.

use std::fs;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice, Read, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::common::{Place, begin_and_drop, run};
use henge_driver::{ops, submit};
use henge_fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite, AsyncWriteExt};

fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| (n % 251) as u8).collect()
}

#[test]
fn reads_writes_and_seeks_share_one_position() {
    let place = Place::new();
    run(async {
        let mut file = File::options().read(true).write(true).create(true).open(&place).await?;
        file.write_all(b"0123456789").await?;
        assert_eq!(file.stream_position().await?, 10);
        assert_eq!(file.seek(SeekFrom::Start(2)).await?, 2);
        let mut four = [0; 4];
        file.read_exact(&mut four).await?;
        assert_eq!(&four, b"2345");
        file.write_all(b"xy").await?;
        assert_eq!(file.seek(SeekFrom::Current(-1)).await?, 7);
        assert_eq!(file.seek(SeekFrom::End(-3)).await?, 7);
        let mut rest = String::new();
        file.read_to_string(&mut rest).await?;
        assert_eq!(rest, "y89");
        assert_eq!(file.read(&mut four).await?, 0, "the end");
        let before = file.seek(SeekFrom::Current(-100)).await.unwrap_err();
        assert_eq!(before.kind(), ErrorKind::InvalidInput);
        file.flush().await
    });
    assert_eq!(fs::read(&place).unwrap(), b"012345xy89");
}

/// Through buffers of every awkward size; the ring, not memory, serves what was just written on
/// file systems whose writes wait.
#[test]
fn long_transfers_arrive_whole_and_in_order() {
    let place = Place::new();
    let bytes = pattern(3_000_000);
    for most in [1_000, 4_096, 70_001, 2 << 20] {
        run(async {
            let mut file = File::create(&place).await?;
            file.set_max_buf_size(most);
            file.write_all(&bytes).await?;
            file.shutdown().await?;
            let mut file = File::open(&place).await?;
            file.set_max_buf_size(most);
            let mut got = Vec::new();
            file.read_to_end(&mut got).await?;
            assert!(got == bytes, "with {most}");
            Ok(())
        });
    }
}

#[test]
fn pieces_are_written_in_order_up_to_the_limit() {
    let place = Place::new();
    run(async {
        let mut file = File::create(&place).await?;
        file.set_max_buf_size(6);
        assert!(file.is_write_vectored());
        let pieces = [IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"two three")];
        assert_eq!(file.write_vectored(&pieces).await?, 6);
        assert_eq!(file.write_vectored(&[]).await?, 0);
        assert_eq!(file.write(b"").await?, 0);
        file.flush().await
    });
    assert_eq!(fs::read(&place).unwrap(), b"one tw");
}

#[test]
fn a_write_takes_place_even_if_the_file_is_dropped_at_once() {
    let (mut reader, writer) = io::pipe().unwrap();
    let bytes = pattern(1_000_000);
    let sent = bytes.clone();
    let thread = std::thread::spawn(move || {
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        got
    });
    run(async {
        let mut file = File::from(OwnedFd::from(writer));
        // More than the pipe holds: only the kernel knows when it is through.
        let mut taken = 0;
        while taken < sent.len() {
            taken += file.write(&sent[taken..]).await?;
        }
        Ok(())
    });
    assert!(thread.join().unwrap() == bytes);
}

#[test]
fn a_dropped_read_loses_nothing() {
    let (reader, mut writer) = io::pipe().unwrap();
    run(async {
        let mut file = File::from(OwnedFd::from(reader));
        let mut buf = [0; 100];
        begin_and_drop(file.read(&mut buf)).await;
        writer.write_all(b"kept").unwrap();
        submit(ops::Nop::new()).await?;
        assert_eq!(file.read(&mut []).await?, 0);
        // In smaller pieces than it came.
        assert_eq!(file.read(&mut buf[..3]).await?, 3);
        assert_eq!(&buf[..3], b"kep");
        assert_eq!(file.read(&mut buf).await?, 1);
        assert_eq!(buf[0], b't');
        Ok(())
    });
}

/// Has the file read ahead of its reader, who stays where he is: begins to read what is not in
/// memory, and drops that. Where the file system keeps everything in memory nothing is read ahead.
async fn read_ahead(file: &mut File, bytes: usize) -> io::Result<()> {
    for _ in 0..100 {
        let place = file.stream_position().await?;
        file.sync_all().await?;
        file.fadvise(henge_fs::Advice::DontNeed, 0, 0).await?;
        let mut buf = vec![0; bytes];
        let mut read = pin!(file.read(&mut buf));
        if poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx).is_pending())).await {
            break;
        }
        file.seek(SeekFrom::Start(place)).await?;
    }
    Ok(())
}

/// What was read ahead of the reader does not move the place of a write, a seek or std's file.
#[test]
fn unread_bytes_do_not_count() {
    let place = Place::file(pattern(100));
    run(async {
        let mut file = open(&place).await?;
        read_ahead(&mut file, 60).await?;
        file.sync_data().await?;
        let mut ten = [0; 10];
        file.read_exact(&mut ten).await?;
        file.write_all(b"here").await?;
        file.flush().await?;
        let mut file = open(&place).await?;
        read_ahead(&mut file, 60).await?;
        file.sync_data().await?;
        file.read_exact(&mut ten).await?;
        assert_eq!(file.seek(SeekFrom::Current(5)).await?, 15);
        read_ahead(&mut file, 60).await?;
        let mut std = file.into_std().await;
        assert_eq!(io::Seek::stream_position(&mut std)?, 15);
        Ok(())
    });
    let mut wanted = pattern(100);
    wanted[10..14].copy_from_slice(b"here");
    assert_eq!(fs::read(&place).unwrap(), wanted);
}

/// A file to be read and written.
async fn open(place: &Place) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(place).await
}

#[test]
fn the_error_of_a_write_shows_once_in_the_next_write_or_flush() {
    run(async {
        let mut full = OpenOptions::new().write(true).open("/dev/full").await?;
        let n = full.write(b"nowhere").await;
        // A device may be written at once, and then says so at once.
        if n.is_ok() {
            let error = full.flush().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageFull);
        }
        full.flush().await?;
        drop(full.write(b"nowhere").await);
        // It does not show in what does not write, and is not forgotten there.
        full.sync_all().await.unwrap_err();
        assert_eq!(full.write(b"x").await.unwrap_err().kind(), ErrorKind::StorageFull);
        drop(full.write(b"nowhere").await);
        assert_eq!(full.close().await.unwrap_err().kind(), ErrorKind::StorageFull);
        Ok(())
    });
}

#[test]
fn a_seek_is_refused_while_something_is_under_way() {
    let (reader, writer) = io::pipe().unwrap();
    run(async {
        let mut file = File::from(OwnedFd::from(reader));
        begin_and_drop(file.read(&mut [0; 10])).await;
        assert!(Pin::new(&mut file).start_seek(SeekFrom::Start(0)).is_err());
        let mut file = file.try_into_std().expect_err("a read is under way");
        drop(writer);
        assert_eq!(file.read(&mut [0; 10]).await?, 0);
        // A pipe has no position.
        assert!(file.seek(SeekFrom::Start(0)).await.is_err());
        assert!(file.try_into_std().is_ok());
        Ok(())
    });
}

/// Methods that take `&self` wait for what is under way, several at a time.
#[test]
fn many_may_wait_for_the_same_write() {
    let (mut reader, writer) = io::pipe().unwrap();
    let bytes = pattern(200_000);
    let thread = std::thread::spawn(move || {
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        got.len()
    });
    run(async {
        let mut file = File::from(OwnedFd::from(writer));
        let mut taken = 0;
        while taken < bytes.len() {
            taken += file.write(&bytes[taken..]).await?;
        }
        let mut waiting: Vec<_> = (0..10).map(|_| Box::pin(file.try_clone())).collect();
        let mut clones = 0;
        poll_fn(|cx| {
            waiting.retain_mut(|one| match one.as_mut().poll(cx) {
                Poll::Ready(clone) => {
                    clones += usize::from(clone.is_ok());
                    false
                }
                Poll::Pending => true,
            });
            if waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        assert_eq!(clones, 10);
        Ok(())
    });
    assert_eq!(thread.join().unwrap(), bytes.len());
}

#[test]
fn into_std_works_while_a_forgotten_operation_has_the_descriptor() {
    let (reader, mut writer) = io::pipe().unwrap();
    run(async {
        let file = File::from(OwnedFd::from(reader));
        begin_and_drop(file.read_at(vec![0; 10], 0)).await;
        let mut std = file.into_std().await;
        submit(ops::Nop::new()).await?;
        writer.write_all(b"x").unwrap();
        let mut one = [0];
        std.read_exact(&mut one)?;
        assert_eq!(&one, b"x");
        Ok(())
    });
}

#[test]
fn set_len_leaves_the_position_where_the_reader_is() {
    let place = Place::file(pattern(50));
    run(async {
        let mut file = open(&place).await?;
        read_ahead(&mut file, 40).await?;
        file.set_len(20).await?;
        let mut got = Vec::new();
        file.read_to_end(&mut got).await?;
        assert_eq!(got, pattern(20));
        assert_eq!(file.metadata().await?.len(), 20);
        Ok(())
    });
}

#[test]
fn a_file_is_sent_to_another_thread_in_the_middle_of_a_read() {
    let (reader, mut writer) = io::pipe().unwrap();
    let mut file = run(async {
        let mut file = File::from(OwnedFd::from(reader));
        begin_and_drop(file.read(&mut [0; 10])).await;
        writer.write_all(b"moved").unwrap();
        submit(ops::Nop::new()).await?;
        Ok(file)
    });
    let got = std::thread::spawn(move || {
        run(async move {
            let mut buf = [0; 10];
            let n = file.read(&mut buf).await?;
            Ok(buf[..n].to_vec())
        })
    });
    assert_eq!(got.join().unwrap(), b"moved");
}

#[test]
#[should_panic = "must be greater than 0"]
fn no_buffer_is_too_small_a_buffer() {
    let (reader, _writer) = io::pipe().unwrap();
    File::from(OwnedFd::from(reader)).set_max_buf_size(0);
}
