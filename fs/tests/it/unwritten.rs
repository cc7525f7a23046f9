//! What a file has taken, and nobody has flushed, is there for whoever looks at it by its name.

use std::fs;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::process::Command;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use henge_driver::offload::Class;
use henge_driver::{Driver, ops, submit};
use henge_fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{Kept, Place, begin_and_drop, in_a_process_of_its_own, run};

const ROUNDS: usize = 500;

#[test]
fn what_was_written_is_read_by_name() {
    let place = Place::folder();
    run(async {
        for round in 0..ROUNDS {
            let path = place.join(format!("{}", round % 10));
            let text = format!("contents of round {round}");
            let mut file = File::create(&path).await?;
            file.write_all(text.as_bytes()).await?;
            // It is written all the same.
            let _file = (round % 2 == 0).then_some(file);
            match round % 5 {
                0 => assert_eq!(henge_fs::read_to_string(&path).await?, text),
                1 => assert_eq!(henge_fs::metadata(&path).await?.len(), text.len() as u64),
                2 => assert_eq!(henge_fs::symlink_metadata(&path).await?.len(), text.len() as u64),
                3 => {
                    let mut got = String::new();
                    File::open(&path).await?.read_to_string(&mut got).await?;
                    assert_eq!(got, text);
                }
                _ => {
                    let copy = place.join("copy");
                    assert_eq!(henge_fs::copy(&path, &copy).await?, text.len() as u64);
                    assert_eq!(henge_fs::read_to_string(&copy).await?, text);
                }
            }
        }
        Ok(())
    });
}

#[test]
fn other_names_and_other_handles_tell_the_same() {
    let place = Place::folder();
    run(async {
        let (path, hard, soft) = (place.join("file"), place.join("hard"), place.join("soft"));
        let mut file = File::from_std(fs::File::create(&path)?);
        fs::hard_link(&path, &hard)?;
        std::os::unix::fs::symlink(&path, &soft)?;
        let other = File::open(&path).await?;
        let clone = file.try_clone().await?;
        for len in (10..1_000).step_by(10) {
            file.write_all(b"ten bytes.").await?;
            let known = match len / 10 % 6 {
                0 => henge_fs::metadata(&hard).await?,
                1 => henge_fs::metadata(&soft).await?,
                2 => other.metadata().await?,
                3 => clone.metadata().await?,
                4 => file.metadata().await?,
                _ => {
                    let mut entries = henge_fs::read_dir(&place).await?;
                    let mut entry = entries.next_entry().await?.expect("three");
                    while entry.file_name() != "file" {
                        entry = entries.next_entry().await?.expect("one of three");
                    }
                    entry.metadata().await?
                }
            };
            assert_eq!(known.len(), len);
        }
        Ok(())
    });
}

/// Whoever is told of the write by another thread finds it.
#[test]
fn other_threads_find_it() {
    let place = Place::folder();
    let (tell, told) = mpsc::channel::<usize>();
    let (answer, answered) = mpsc::channel();
    let path = |round: usize| place.join(format!("{}", round % 10));
    thread::scope(|scope| {
        scope.spawn(move || {
            run(async {
                for round in told {
                    assert_eq!(henge_fs::read_to_string(path(round)).await?, round.to_string());
                    answer.send(()).expect("it listens");
                }
                Ok(())
            });
        });
        run(async {
            for round in 0..ROUNDS {
                let mut file = File::create(path(round)).await?;
                file.write_all(round.to_string().as_bytes()).await?;
                tell.send(round).expect("it listens");
                // The thread does not turn its ring meanwhile.
                answered.recv().expect("it answers");
            }
            drop(tell);
            Ok(())
        });
    });
}

type Look<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + 'a>>;

fn look<'a, T>(future: impl Future<Output = io::Result<T>> + 'a) -> Look<'a, T> {
    Box::pin(future)
}

/// After some turns of the ring.
async fn is_pending<T>(future: &mut Look<'_, T>) -> io::Result<bool> {
    for _ in 0..3 {
        submit(ops::Timeout::new(Duration::from_millis(1))).await?;
        if poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await {
            return Ok(false);
        }
    }
    Ok(true)
}

#[test]
fn who_looks_waits_for_the_same_file_and_no_other() {
    let place = Place::folder();
    let driver = Driver::new().unwrap();
    let done = driver.block_on(async {
        let (path, other) = (place.join("file"), place.join("other"));
        fs::write(&other, "other")?;
        // The first look at a file system asks the pool.
        henge_fs::metadata(&other).await?;
        let kept = Kept::new(&driver);
        let Some(file) = kept.takes(&path, b"contents") else { return Ok(()) };
        assert_eq!(henge_fs::read(&other).await?, b"other");
        begin_and_drop(henge_fs::metadata(&path)).await;
        let mut known = look(henge_fs::metadata(&path));
        let mut own = look(file.metadata());
        let mut read = look(henge_fs::read(&path));
        assert!(is_pending(&mut known).await?);
        assert!(is_pending(&mut own).await?);
        assert!(is_pending(&mut read).await?);
        // It is there, and that is all that is asked.
        assert!(henge_fs::try_exists(&path).await?);
        kept.release();
        assert_eq!((known.await?.len(), own.await?.len()), (8, 8));
        assert_eq!(read.await?, b"contents");
        io::Result::Ok(())
    });
    done.unwrap().unwrap();
}

#[test]
fn what_is_taken_after_the_look_is_not_waited_for() {
    let place = Place::folder();
    let driver = Driver::new().unwrap();
    let done = driver.block_on(async {
        let path = place.join("file");
        henge_fs::metadata(place.as_ref()).await?;
        let kept = Kept::new(&driver);
        let Some(first) = kept.takes(&path, b"first") else { return Ok(()) };
        let mut known = look(henge_fs::metadata(&path));
        assert!(is_pending(&mut known).await?);
        // Between the writes the thread is kept once more.
        let (release, released) = mpsc::channel::<()>();
        let between = kept.pool.spawn(Class::Promised, move || released.recv());
        let mut second = File::from_std(fs::File::options().append(true).open(&path)?);
        second.write_all(b" second").await?;
        kept.release();
        assert_eq!(known.await?.len(), 5);
        drop((release, first));
        between.await.expect("no panic").unwrap_err();
        second.flush().await?;
        assert_eq!(fs::read(&path)?, b"first second");
        io::Result::Ok(())
    });
    done.unwrap().unwrap();
}

/// Or the bytes would come after the file was emptied.
#[test]
fn a_file_is_emptied_after_what_it_has_taken() {
    let place = Place::folder();
    let driver = Driver::new().unwrap();
    let done = driver.block_on(async {
        let path = place.join("file");
        henge_fs::metadata(place.as_ref()).await?;
        for way in 0..3 {
            let kept = Kept::new(&driver);
            let Some(long) = kept.takes(&path, b"a long text of yesterday") else { return Ok(()) };
            drop(long);
            let mut short = look(async {
                match way {
                    0 => henge_fs::write(&path, "short").await,
                    1 => File::create(&path).await?.write_all_at("short", 0).await.0,
                    _ => {
                        let std = fs::File::options().write(true).truncate(true).clone();
                        let file = OpenOptions::from(std).open(&path).await?;
                        file.write_all_at("short", 0).await.0
                    }
                }
            });
            assert!(is_pending(&mut short).await?, "way {way}");
            kept.release();
            short.await?;
            assert_eq!(henge_fs::read(&path).await?, b"short", "way {way}");
        }
        io::Result::Ok(())
    });
    done.unwrap().unwrap();
}

#[test]
fn a_pipe_that_is_full_holds_up_nobody() {
    let place = Place::folder();
    let (pipe, path) = (place.join("pipe"), place.join("file"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    run(async {
        let mut both = OpenOptions::new();
        let mut full = both.read(true).write(true).open(&pipe).await?;
        // More than it holds: the ring waits for room, or would.
        full.write_all(&vec![1; 100_000]).await?;
        for round in 0..20 {
            let mut file = File::create(&path).await?;
            file.write_all(b"contents").await?;
            assert_eq!(henge_fs::read(&path).await?, b"contents", "round {round}");
        }
        assert!(!henge_fs::metadata(&pipe).await?.is_file());
        let mut other = both.open(&pipe).await?;
        let mut got = vec![0; 100_000];
        other.read_exact(&mut got).await?;
        assert!(got.iter().all(|byte| *byte == 1));
        full.flush().await
    });
}

#[test]
fn a_write_that_fails_lets_go_of_those_that_wait() {
    // The signal would end the process; who ignores it gets the error.
    let limits = "trap '' XFSZ && ulimit -f 8";
    in_a_process_of_its_own("unwritten::beyond_the_limit", limits);
}

#[test]
#[ignore = "run by the test above, under a limit"]
fn beyond_the_limit() {
    let place = Place::folder();
    run(async {
        for _ in 0..20 {
            let path = place.join("file");
            let mut file = File::create(&path).await?;
            file.write_all(&[1; 50_000]).await?;
            let got = henge_fs::read(&path).await?;
            assert!(got.len() < 50_000, "{} bytes", got.len());
            assert_eq!(file.flush().await.unwrap_err().kind(), ErrorKind::FileTooLarge);
        }
        Ok(())
    });
}

/// As the ring's operations are that have something to bring.
#[test]
fn a_driver_that_ends_waits_for_what_was_taken() {
    let place = Place::folder();
    let path = place.join("file");
    let driver = Driver::new().unwrap();
    let kept = Kept::new(&driver);
    let entered = driver.enter();
    let taken = kept.takes(&path, b"contents");
    drop((entered, taken));
    let Kept { release, pool, .. } = kept;
    let later = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        release.send(())
    });
    drop((driver, pool));
    assert_eq!(fs::read(&path).unwrap(), b"contents");
    later.join().expect("no panic").expect("it waits");
}
