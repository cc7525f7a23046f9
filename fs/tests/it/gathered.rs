//! What a file takes while earlier bytes are on their way to it gathers, and is written together.

use std::fs;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice, SeekFrom};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use henge_driver::Driver;
use henge_fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt};

use crate::common::{Kept, Place, in_a_process_of_its_own, run};

/// Whether a write is taken now.
fn takes(file: &mut File, bytes: &[u8]) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(file).poll_write(&mut cx, bytes) {
        Poll::Ready(taken) => {
            assert_eq!(taken.unwrap(), bytes.len());
            true
        }
        Poll::Pending => false,
    }
}

#[test]
fn many_small_writes_are_one_job() {
    let place = Place::new();
    let driver = Driver::new().unwrap();
    let done = driver.block_on(async {
        let kept = Kept::new(&driver);
        let Some(mut file) = kept.takes(place.as_ref(), b"0 ") else { return Ok(()) };
        let mut wanted = String::from("0 ");
        for n in 1..1_000 {
            let text = format!("{n} ");
            let pieces = [IoSlice::new(text.as_bytes()), IoSlice::new(b""), IoSlice::new(b"- ")];
            if n % 2 == 0 {
                assert!(takes(&mut file, text.as_bytes()));
                wanted += &text;
            } else {
                assert_eq!(file.write_vectored(&pieces).await?, text.len() + 2);
                wanted += &text;
                wanted += "- ";
            }
        }
        assert_eq!(kept.queued(), 1);
        kept.release();
        // By its name, as whatever has been taken.
        assert_eq!(henge_fs::read_to_string(&place).await?, wanted);
        file.flush().await
    });
    done.unwrap().unwrap();
}

#[test]
fn a_file_that_is_full_of_bytes_takes_more_when_they_are_written() {
    let place = Place::new();
    let driver = Driver::new().unwrap();
    let done = driver.block_on(async {
        let kept = Kept::new(&driver);
        let Some(mut file) = kept.takes(place.as_ref(), &[0; 1_000]) else { return Ok(()) };
        let mut pieces = 1;
        while takes(&mut file, &[pieces; 60_000]) {
            pieces += 1;
        }
        assert!(pieces > 2, "{pieces} pieces");
        kept.release();
        // And a hundred times more than gathers at a time.
        for n in pieces..250 {
            file.write_all(&[n; 60_000]).await?;
        }
        file.flush().await?;
        let written = fs::read(&place)?;
        assert_eq!(written.len(), 1_000 + 249 * 60_000);
        for (n, piece) in written[1_000..].chunks(60_000).enumerate() {
            assert!(piece.iter().all(|byte| usize::from(*byte) == n + 1), "piece {n}");
        }
        io::Result::Ok(())
    });
    done.unwrap().unwrap();
}

#[test]
fn what_has_gathered_is_written_even_if_the_file_is_dropped() {
    let place = Place::new();
    let driver = Driver::new().unwrap();
    let done = driver.block_on(async {
        let kept = Kept::new(&driver);
        let Some(mut file) = kept.takes(place.as_ref(), b"one ") else { return Ok(()) };
        assert!(takes(&mut file, b"two "));
        assert!(takes(&mut file, b"three"));
        drop(file);
        kept.release();
        assert_eq!(henge_fs::read(&place).await?, b"one two three");
        io::Result::Ok(())
    });
    done.unwrap().unwrap();
}

/// As tokio's: what follows a write that is under way waits for all of it.
#[test]
fn seeks_and_reads_come_after_what_has_gathered() {
    let place = Place::new();
    run(async {
        let mut both = File::options();
        let mut file = both.read(true).write(true).create(true).open(&place).await?;
        for round in 0..100 {
            for n in 0..10 {
                file.write_all(format!("{n}").as_bytes()).await?;
            }
            match round % 3 {
                0 => assert_eq!(file.seek(SeekFrom::Current(0)).await?, 10),
                1 => assert_eq!(file.read(&mut [0; 5]).await?, 0),
                _ => assert_eq!(file.metadata().await?.len(), 10),
            }
            assert_eq!(file.seek(SeekFrom::Start(2)).await?, 2);
            let mut text = String::new();
            file.read_to_string(&mut text).await?;
            assert_eq!(text, "23456789");
            file.set_len(0).await?;
            file.rewind().await?;
        }
        Ok(())
    });
}

/// Files of the kernel take each write as an order of its own.
#[test]
fn two_orders_are_not_made_one() {
    let driver = Driver::new().unwrap();
    let done = driver.block_on(async {
        let name = "/proc/thread-self/comm";
        let before = fs::read(name)?;
        let kept = Kept::new(&driver);
        // By this thread itself, whose name it is.
        let mut file = File::from_std(fs::File::options().write(true).open(name)?);
        assert!(takes(&mut file, b"first"));
        assert_eq!(kept.queued(), 1);
        let mut second = pin!(file.write_all(b"second"));
        poll_fn(|cx| {
            assert!(second.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        kept.release();
        second.await?;
        file.flush().await?;
        assert_eq!(fs::read_to_string(name)?, "second\n");
        fs::write(name, before)
    });
    done.unwrap().unwrap();
}

#[test]
fn an_error_shows_once_and_takes_what_had_gathered_with_it() {
    // The signal would end the process; who ignores it gets the error.
    let limits = "trap '' XFSZ && ulimit -f 8";
    in_a_process_of_its_own("gathered::beyond_the_limit", limits);
}

#[test]
#[ignore = "run by the test above, under a limit"]
fn beyond_the_limit() {
    let place = Place::new();
    let driver = Driver::new().unwrap();
    let done = driver.block_on(async {
        let kept = Kept::new(&driver);
        let Some(mut file) = kept.takes(place.as_ref(), &[1; 50_000]) else { return Ok(()) };
        // The largest file that is allowed has 4 or 8 KiB, by the shell that says so.
        assert!(takes(&mut file, b"behind it"));
        kept.release();
        assert_eq!(file.flush().await.unwrap_err().kind(), ErrorKind::FileTooLarge);
        file.flush().await?;
        assert!(fs::metadata(&place)?.len() < 50_000);
        // Whoever goes on can.
        file.set_len(0).await?;
        file.rewind().await?;
        file.write_all(b"short").await?;
        file.write_all(b" text").await?;
        file.flush().await?;
        assert_eq!(fs::read(&place)?, b"short text");
        io::Result::Ok(())
    });
    done.unwrap().unwrap();
}
