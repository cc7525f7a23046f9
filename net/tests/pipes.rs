//! Pipes and foreign descriptors.

use std::future::{Future, poll_fn};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;

use henge_driver::Driver;
use henge_net::async_fd::AsyncFd;
use henge_net::readiness::Interest;
use henge_net::unix::pipe;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    let driver = Driver::new().expect("a ring");
    driver.block_on(future).expect("the driver turns").expect("no error")
}

async fn is_pending(future: impl Future) -> bool {
    let mut future = pin!(future);
    // Twice, with a turn between: what is armed has been told what there is.
    for _ in 0..2 {
        if poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await {
            return false;
        }
        henge_driver::submit(henge_driver::ops::Nop::new()).await.expect("it does nothing");
    }
    true
}

#[test]
fn more_than_a_pipe_holds_goes_through_in_order() {
    const TOTAL: usize = 1 << 20;
    let (mut sender, mut receiver) = pipe::pipe().expect("a pipe");
    let reader = thread::spawn(move || {
        run(async {
            let mut got = Vec::new();
            receiver.read_to_end(&mut got).await?;
            Ok(got)
        })
    });
    let bytes: Vec<u8> = (0..TOTAL).map(|n| (n % 251) as u8).collect();
    run(async {
        for chunk in bytes.chunks(7_777) {
            sender.write_all(chunk).await?;
        }
        drop(sender);
        Ok(())
    });
    assert!(reader.join().expect("it read") == bytes);
}

#[test]
fn the_other_end_is_told_of_the_end() {
    run(async {
        let (mut sender, receiver) = pipe::pipe()?;
        assert!(is_pending(receiver.readable()).await);
        let ready = sender.ready(Interest::WRITABLE).await?;
        assert!(ready.is_writable() && !ready.is_write_closed());
        drop(receiver);
        let ready = sender.ready(Interest::WRITABLE | Interest::ERROR).await?;
        assert!(ready.is_writable());
        let broken = sender.write_all(b"x").await.unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::BrokenPipe);

        let (sender, mut receiver) = pipe::pipe()?;
        assert!(is_pending(receiver.readable()).await);
        drop(sender);
        assert!(receiver.ready(Interest::READABLE).await?.is_read_closed());
        assert_eq!(receiver.read(&mut [0; 1]).await?, 0);
        Ok(())
    });
}

#[test]
fn only_the_right_end_of_a_pipe_is_taken_over() {
    let (reader, writer) = io::pipe().expect("a pipe");
    let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
    let again = |fd: &OwnedFd| fd.try_clone().expect("a descriptor");
    let wrong = pipe::Sender::from_owned_fd(again(&reader)).unwrap_err();
    assert_eq!(wrong.kind(), io::ErrorKind::InvalidInput);
    let wrong = pipe::Receiver::from_owned_fd(again(&writer)).unwrap_err();
    assert_eq!(wrong.kind(), io::ErrorKind::InvalidInput);
    let file = std::fs::File::open("/proc/self/stat").expect("proc is there");
    assert!(pipe::Receiver::from_file(file).is_err());
    run(async {
        let mut sender = pipe::Sender::from_owned_fd(writer)?;
        let mut receiver = pipe::Receiver::from_owned_fd(reader)?;
        sender.write_all(b"hello").await?;
        let mut word = [0; 5];
        receiver.read_exact(&mut word).await?;
        let mut sender = io::PipeWriter::from(sender.into_blocking_fd()?);
        sender.write_all(b"again")?;
        receiver.read_exact(&mut word).await?;
        assert_eq!(&word, b"again");
        Ok(())
    });
}

fn watched() -> (AsyncFd<UnixStream>, UnixStream) {
    let (a, b) = UnixStream::pair().expect("a pair");
    a.set_nonblocking(true).expect("a socket");
    b.set_nonblocking(true).expect("a socket");
    (AsyncFd::new(a).expect("it is open"), b)
}

#[test]
fn a_readiness_stays_until_it_is_cleared_and_comes_back_by_an_event() {
    run(async {
        let (a, mut b) = watched();
        assert!(is_pending(a.readable()).await);
        b.write_all(b"12")?;
        a.readable().await?.retain_ready();
        let mut guard = a.readable().await?;
        a.get_ref().read_exact(&mut [0; 1])?;
        guard.clear_ready();
        assert!(is_pending(a.readable()).await, "a byte is left, but nothing has happened");
        b.write_all(b"3")?;
        a.readable().await?.retain_ready();
        Ok(())
    });
}

#[test]
fn what_happens_between_a_look_and_the_clearing_is_not_lost() {
    run(async {
        let (a, mut b) = watched();
        b.write_all(b"1")?;
        let mut guard = a.readable().await?;
        a.get_ref().read_exact(&mut [0; 1])?;
        b.write_all(b"2")?;
        // The driver hears of it before the guard is cleared.
        assert!(is_pending(std::future::pending::<()>()).await);
        guard.clear_ready();
        a.readable().await?.retain_ready();
        Ok(())
    });
}

#[test]
fn all_who_wait_are_woken_on_whatever_thread() {
    let (a, mut b) = watched();
    let a = Arc::new(a);
    let (waits, waiting) = mpsc::channel();
    let waiters: Vec<_> = (0..4)
        .map(|_| {
            let (a, waits) = (Arc::clone(&a), waits.clone());
            thread::spawn(move || {
                run(async {
                    assert!(is_pending(a.readable()).await);
                    waits.send(()).expect("the test waits");
                    a.readable().await?.retain_ready();
                    Ok(())
                });
            })
        })
        .collect();
    for _ in &waiters {
        waiting.recv().expect("they come to it");
    }
    b.write_all(b"x").expect("there is room");
    for waiter in waiters {
        waiter.join().expect("it was woken");
    }
}

#[test]
fn dropping_it_closes_the_file_at_once() {
    run(async {
        let (a, mut b) = watched();
        assert!(is_pending(a.readable()).await);
        let number = a.as_raw_fd();
        let inner = a.into_inner();
        assert_eq!(inner.as_raw_fd(), number);
        let none = b.read(&mut [0; 1]).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::WouldBlock);
        let a = AsyncFd::new(inner)?;
        assert!(is_pending(a.readable()).await);
        drop(a);
        assert_eq!(b.read(&mut [0; 1])?, 0);
        Ok(())
    });
}
