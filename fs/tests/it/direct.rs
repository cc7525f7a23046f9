//! Files past the kernel's cache. Where the file system of the temporary folder has no such
//! transfers there is nothing to test, and the tests say so.

use std::fs;
use std::io::ErrorKind;

use henge_driver::buf::IoBuf;
use henge_driver::{ops, submit};
use henge_fs::{DirectFile, OpenOptions, Window};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use crate::common::{Place, begin_and_drop, run};

fn pattern(len: usize) -> Vec<u8> {
    (0..len as u64).map(|n| (n * n % 251) as u8).collect()
}

/// Whether the temporary folder has direct transfers.
fn possible() -> bool {
    let place = Place::new();
    let made = run(async { Ok(DirectFile::create(&place).await.map(drop)) });
    if let Err(error) = &made {
        println!("no direct transfers here: {error}");
    }
    made.is_ok()
}

#[test]
fn pages_are_written_and_read() {
    if !possible() {
        return;
    }
    let place = Place::new();
    run(async {
        let file =
            DirectFile::open_with(OpenOptions::new().read(true).write(true).create(true), &place)
                .await?;
        let page = file.alignment().place as usize;
        let mut buf = file.buffer(2 * page)?;
        buf.append(&pattern(2 * page));
        let (done, buf) = file.write_all_at(buf, page as u64).await;
        done?;
        let (n, part) = file.write_at(buf.slice(page..), 0).await;
        assert_eq!(n?, page);
        assert_eq!(&*part.into_inner(), &pattern(2 * page)[..]);
        let (done, buf) = file.read_exact_at(file.buffer(2 * page)?, page as u64).await;
        done?;
        assert_eq!(&*buf, &pattern(2 * page)[..]);
        let (n, buf) = file.read_at(buf, 2 * page as u64).await;
        assert_eq!(&buf[..n?], &pattern(2 * page)[page..]);
        let (done, _) = file.read_exact_at(buf, 2 * page as u64).await;
        assert_eq!(done.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        file.file().sync_data().await?;
        assert_eq!(file.file().metadata().await?.len(), 3 * page as u64);
        file.into_file().close().await
    });
}

#[test]
fn registered_buffers_are_kept_by_what_is_under_way() {
    if !possible() {
        return;
    }
    let place = Place::file(pattern(64 << 10));
    run(async {
        let mut options = OpenOptions::new();
        let file = DirectFile::open_with(options.read(true).write(true), &place).await?;
        let page = file.alignment().place as usize;
        let last = ((64 << 10) - page) as u64;
        // Reads that are given up, each of which has the buffer for as long as it runs: whoever is
        // registered next has memory, and perhaps a number, that was the kernel's until then.
        for round in 0..50 {
            let buf = file.registered_buffer(page)?;
            begin_and_drop(file.read_exact_at(buf, round % 16 * page as u64)).await;
            let buf = file.registered_buffer(2 * page)?;
            let (done, buf) = file.read_exact_at(buf, 0).await;
            done?;
            assert!(buf[..] == pattern(2 * page));
        }
        let mut buf = file.registered_buffer(page)?;
        buf.pad_to(page);
        let (done, buf) = file.write_all_at(buf, last).await;
        done?;
        let (done, buf) = file.read_exact_at(buf, last - page as u64).await;
        done?;
        let all = pattern(64 << 10);
        assert!(buf[..] == all[last as usize - page..last as usize]);
        // More than a ring knows are buffers all the same.
        let many: Vec<_> =
            (0..1_100).map(|_| file.registered_buffer(page)).collect::<Result<_, _>>()?;
        assert!(many.iter().any(|buf| !buf.is_registered()));
        for (n, buf) in many.into_iter().enumerate().step_by(273) {
            let (done, buf) = file.read_exact_at(buf, last).await;
            assert!(done.is_ok() && buf[..] == vec![0; page], "buffer {n}");
        }
        drop(buf);
        assert!(file.registered_buffer(page)?.is_registered(), "numbers come back");
        Ok(())
    });
    // Without a driver.
    let file = run(async { DirectFile::open(&place).await });
    let buf = file.registered_buffer(1).expect("memory");
    assert!(!buf.is_registered());
}

#[test]
fn what_is_not_aligned_is_refused_with_the_reason() {
    if !possible() {
        return;
    }
    let place = Place::file(pattern(10_000));
    run(async {
        let file = DirectFile::open(&place).await?;
        let page = u64::from(file.alignment().place);
        let (n, buf) = file.read_at(file.buffer(1)?, 1).await;
        let error = n.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&format!("multiples of {page}")), "{error}");
        let (n, _) = file.read_at(buf.slice(..1), 0).await;
        assert!(n.unwrap_err().to_string().contains("lengths"));
        let mut buf = file.buffer(2 * page as usize)?;
        buf.pad_to(1);
        let (done, _) = file.read_exact_at(buf.slice(1..page as usize + 1), 0).await;
        assert!(done.unwrap_err().to_string().contains("addresses"));
        assert!(file.reader(1, Window::default()).is_err());
        Ok(())
    });
}

/// Lengths around the chunk and around what the device takes, through windows of several sizes.
#[test]
fn streams_carry_any_length() {
    if !possible() {
        return;
    }
    let place = Place::new();
    for len in [0, 1, 4_095, 4_096, 4_097, 65_535, 65_536, 65_537, 300_000, 3 * 65_536] {
        for (depth, registered) in [(1, false), (3, false), (3, true)] {
            let bytes = pattern(len);
            let window = Window { chunk: 65_536, depth, registered };
            run(async {
                let mut writer = DirectFile::create(&place).await?.writer(0, window)?;
                for piece in bytes.chunks(10_007) {
                    writer.write_all(piece).await?;
                }
                writer.shutdown().await?;
                assert!(fs::read(&place)? == bytes, "written {len}");
                let mut reader = DirectFile::open(&place).await?.reader(0, window)?;
                let mut got = Vec::new();
                while let Some(chunk) = reader.next_chunk().await? {
                    assert!(!chunk.is_empty());
                    got.extend_from_slice(chunk);
                }
                assert!(got == bytes, "read {len}");
                assert!(reader.next_chunk().await?.is_none(), "for good");
                let mut reader = DirectFile::open(&place).await?.reader(0, window)?;
                got.clear();
                reader.read_to_end(&mut got).await?;
                assert!(got == bytes, "read {len} by the trait");
                Ok(())
            });
        }
    }
}

#[test]
fn a_flush_in_the_middle_leaves_a_whole_file_and_can_be_followed() {
    if !possible() {
        return;
    }
    let place = Place::file(pattern(500_000));
    run(async {
        let mut options = OpenOptions::new();
        let file = DirectFile::open_with(options.write(true), &place).await?;
        let mut writer =
            file.writer(8_192, Window { chunk: 16_384, depth: 2, ..Window::default() })?;
        let bytes = pattern(100_000);
        let mut end = 0;
        for len in [10, 5_000, 0, 16_384, 40_000, 7] {
            writer.write_all(&bytes[end..end + len]).await?;
            end += len;
            writer.flush().await?;
            writer.flush().await?;
            let there = fs::read(&place)?;
            assert_eq!(there.len(), 8_192 + end);
            assert!(there[8_192..] == bytes[..end]);
        }
        writer.file().file().sync_all().await
    });
    assert!(fs::read(&place).unwrap()[..8_192] == pattern(8_192));
}

#[test]
fn lines_can_be_read_ahead() {
    if !possible() {
        return;
    }
    let text: String = (0..50_000).map(|n| format!("line {n}\n")).collect();
    let place = Place::file(&text);
    let window = Window { chunk: 4_096, depth: 4, ..Window::default() };
    run(async {
        let mut lines = DirectFile::open(&place).await?.reader(0, window)?.lines();
        let mut count = 0;
        while let Some(line) = lines.next_line().await? {
            assert_eq!(line, format!("line {count}"));
            count += 1;
        }
        assert_eq!(count, 50_000);
        Ok(())
    });
}

#[test]
fn a_dropped_wait_for_a_chunk_loses_nothing() {
    if !possible() {
        return;
    }
    let bytes = pattern(200_000);
    let place = Place::file(&bytes);
    run(async {
        let file = DirectFile::open(&place).await?;
        let mut reader = file.reader(0, Window { chunk: 16_384, depth: 2, ..Window::default() })?;
        let mut got = Vec::new();
        begin_and_drop(reader.next_chunk()).await;
        while let Some(chunk) = reader.next_chunk().await? {
            got.extend_from_slice(chunk);
            submit(ops::Nop::new()).await?;
        }
        assert!(got == bytes);
        Ok(())
    });
}

/// The file gets shorter while it is read ahead: what is there is handed out, then it ends.
#[test]
fn a_file_that_is_cut_while_it_is_read_ends_there() {
    if !possible() {
        return;
    }
    let bytes = pattern(1 << 20);
    let place = Place::file(&bytes);
    run(async {
        let file = DirectFile::open(&place).await?;
        let mut reader = file.reader(0, Window { chunk: 65_536, depth: 2, ..Window::default() })?;
        let mut got = reader.next_chunk().await?.unwrap().to_vec();
        fs::File::options().write(true).open(&place)?.set_len(500_001)?;
        reader.read_to_end(&mut got).await?;
        assert!(got == bytes[..500_001]);
        Ok(())
    });
}
