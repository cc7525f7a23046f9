//! A large write into a full socket takes nothing, and goes on when there is room: it is not
//! copied to a queue.

use std::future::{Future, poll_fn};
use std::io::{self, Read};
use std::os::unix::net::UnixStream as Plain;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;

use henge_driver::Driver;
use henge_net::UnixStream;
use tokio::io::{AsyncWrite, AsyncWriteExt};

const LARGE: usize = 64 << 10;

fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    let driver = Driver::new().expect("a ring");
    driver.block_on(future).expect("the driver turns").expect("no error")
}

/// Writes the piece again and again until it would have to wait; the bytes that were taken.
async fn fill(stream: &mut UnixStream, piece: &[u8]) -> io::Result<usize> {
    let mut taken = 0;
    poll_fn(|cx| {
        loop {
            match Pin::new(&mut *stream).poll_write(cx, piece) {
                Poll::Ready(Ok(n)) => taken += n,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Ready(Ok(taken)),
            }
        }
    })
    .await
}

/// The bytes that the kernel has for this end.
fn waiting(peer: &mut Plain) -> io::Result<usize> {
    peer.set_nonblocking(true)?;
    let (mut buf, mut total) = (vec![0; LARGE], 0);
    loop {
        match peer.read(&mut buf) {
            Ok(n) => total += n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(total),
            Err(error) => return Err(error),
        }
    }
}

#[test]
fn what_a_large_write_has_taken_the_kernel_has() {
    run(async {
        let (ours, mut peer) = Plain::pair()?;
        let mut stream = UnixStream::from_std(ours)?;
        let piece = vec![7; LARGE];
        for _ in 0..10 {
            let taken = fill(&mut stream, &piece).await?;
            assert!(taken > 0);
            assert_eq!(waiting(&mut peer)?, taken, "nothing is queued before the ring is entered");
            // There is room again, and the writer is told.
            let n = stream.write(&piece).await?;
            assert_eq!(waiting(&mut peer)?, n);
        }
        Ok(())
    });
}

/// What small writes have left in a queue goes before a large one, which waits for it.
#[test]
fn small_and_large_writes_keep_their_order() {
    let all: Vec<u8> = (0..4 << 20).map(|place| (place % 251) as u8).collect();
    let (go, may_go) = mpsc::channel();
    let (ours, mut peer) = Plain::pair().expect("a pair");
    let reader = thread::spawn(move || {
        may_go.recv().expect("the socket is full at some time");
        let mut read = Vec::new();
        peer.read_to_end(&mut read).expect("the writer ends it");
        read
    });
    run(async {
        let mut stream = UnixStream::from_std(ours)?;
        let (mut place, mut sizes) = (0, [1_000, LARGE, 300, 9_000, 1_000].into_iter().cycle());
        while place < all.len() {
            let size = sizes.next().unwrap_or(LARGE).min(all.len() - place);
            place += poll_fn(|cx| {
                let polled = Pin::new(&mut stream).poll_write(cx, &all[place..place + size]);
                if polled.is_pending() {
                    // The reader may have ended its wait already.
                    _ = go.send(());
                }
                polled
            })
            .await?;
        }
        stream.shutdown().await
    });
    assert!(reader.join().expect("it reads all") == all, "other bytes, or another order");
}
