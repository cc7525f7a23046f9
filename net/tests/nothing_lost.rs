//! Dropped futures lose nothing: no connection, no byte, no descriptor (I3), and a reader that
//! stops holds up nobody else (I6).

use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use henge_driver::{Driver, ops, submit};
use henge_net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Where futures are that a test has forgotten.
static FORGOTTEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// Polls `future` for at most `span`, then drops it wherever it is.
async fn within<F: Future>(span: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut limit = pin!(submit(ops::Timeout::new(span)));
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        limit.as_mut().poll(cx).map(|_over| None)
    })
    .await
}

fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    let driver = Driver::new().expect("a ring");
    driver.block_on(future).expect("the driver turns").expect("no error")
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("proc is there").count()
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_connection_that_a_dropped_accept_was_woken_for_is_the_next_ones() {
    let driver = Driver::new().expect("a ring");
    let _entered = driver.enter();
    let listener = driver.block_on(TcpListener::bind("127.0.0.1:0")).expect("it turns");
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let mut wakers = [(); 2].map(|()| Arc::<Woken>::default());
    let mut accepts = [(); 2].map(|()| Some(Box::pin(listener.accept())));
    for (accept, woken) in accepts.iter_mut().flatten().zip(&wakers) {
        let waker = Waker::from(Arc::clone(woken));
        assert!(accept.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let _client = std::net::TcpStream::connect(address).expect("somebody listens");
    let is_woken = |woken: &Arc<Woken>| woken.0.load(Ordering::Relaxed);
    while !wakers.iter().any(is_woken) {
        driver.park(None, || false).expect("it turns");
    }
    if is_woken(&wakers[1]) {
        wakers.reverse();
        accepts.reverse();
    }
    assert!(!is_woken(&wakers[1]), "there is one connection");
    accepts[0] = None;
    assert!(is_woken(&wakers[1]), "it is there for this one");
}

#[test]
fn every_connection_is_accepted_once_though_accepts_are_dropped() {
    const CLIENTS: usize = 1_000;
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (waits, waited) = mpsc::channel();
        let clients = thread::spawn(move || {
            waited.recv_timeout(Duration::from_secs(60)).expect("an accept is dropped");
            for n in 0..CLIENTS as u32 {
                let mut client = std::net::TcpStream::connect(address).expect("somebody listens");
                client.write_all(&n.to_le_bytes()).expect("the connection lives");
                let mut echoed = [0; 4];
                client.read_exact(&mut echoed).expect("it was accepted, and is served");
                assert_eq!(u32::from_le_bytes(echoed), n);
            }
        });
        let mut accepted = 0;
        let mut dropped = 0;
        while accepted < CLIENTS {
            // From at once to after the connection: every moment is hit.
            let span = Duration::from_micros(dropped % 60);
            match within(span, listener.accept()).await {
                None => {
                    dropped += 1;
                    // The clients wait for the first, however slow this thread is.
                    _ = waits.send(());
                }
                Some(connection) => {
                    let (mut stream, _peer) = connection?;
                    accepted += 1;
                    let mut word = [0; 4];
                    stream.read_exact(&mut word).await?;
                    stream.write_all(&word).await?;
                    stream.flush().await?;
                }
            }
        }
        clients.join().expect("all clients were served");
        Ok(())
    });
}

#[test]
fn every_byte_arrives_in_order_though_reads_are_dropped() {
    const TOTAL: usize = 1 << 20;
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let writer = thread::spawn(move || {
            let mut peer = std::net::TcpStream::connect(address).expect("somebody listens");
            let bytes: Vec<u8> = (0..TOTAL).map(|n| (n % 251) as u8).collect();
            for (n, chunk) in bytes.chunks(1_777).enumerate() {
                peer.write_all(chunk).expect("the reader lives");
                if n % 50 == 0 {
                    thread::sleep(Duration::from_micros(300));
                }
            }
        });
        let (mut stream, _) = listener.accept().await?;
        let mut got = 0;
        let mut dropped = 0;
        loop {
            let span = Duration::from_micros(dropped % 200);
            let check = |bytes: &[u8], got: usize| {
                for (n, byte) in bytes.iter().enumerate() {
                    assert_eq!(usize::from(*byte), (got + n) % 251, "byte {}", got + n);
                }
            };
            let n = match dropped % 3 {
                0 => {
                    let mut buf = [0; 5_000];
                    let read = within(span, stream.read(&mut buf)).await.transpose()?;
                    if let Some(n) = read {
                        check(&buf[..n], got);
                    }
                    read
                }
                1 => {
                    let read = within(span, stream.recv()).await.transpose()?;
                    if let Some(bytes) = &read {
                        check(bytes, got);
                    }
                    read.map(|bytes| bytes.len())
                }
                _ => match within(span, stream.read_owned(Vec::with_capacity(3_000))).await {
                    Some((read, buffer)) => {
                        let n = read?;
                        check(&buffer[..n], got);
                        Some(n)
                    }
                    None => None,
                },
            };
            match n {
                Some(0) => break,
                Some(n) => {
                    got += n;
                    // The next round tries another way.
                    dropped += 1;
                }
                None => dropped += 1,
            }
        }
        assert_eq!(got, TOTAL);
        writer.join().expect("the writer wrote all");
        Ok(())
    });
}

#[test]
fn what_was_written_before_a_drop_arrives() {
    for size in [1, 4_000, 100_000, 3 << 20] {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let stream = TcpStream::connect(listener.local_addr()?).await?;
            let (mut peer, _) = listener.accept().await?;
            let bytes: Vec<u8> = (0..size).map(|n| (n % 253) as u8).collect();
            let mut written = 0;
            // Whatever is taken at once counts; nobody waits for the rest.
            while let Ok(n) = stream.try_write(&bytes[written..]) {
                written += n;
                if written == size {
                    break;
                }
            }
            assert!(written > 0);
            drop(stream);
            let mut got = Vec::new();
            peer.read_to_end(&mut got).await?;
            assert_eq!(got, bytes[..written]);
            Ok(())
        });
    }
}

#[test]
fn forgotten_futures_are_harmless() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut stream = TcpStream::connect(listener.local_addr()?).await?;
        let (mut peer, _) = listener.accept().await?;
        for _ in 0..100 {
            let mut read = Box::pin(peer.read_owned(vec![0; 64]));
            poll_fn(|cx| {
                assert!(read.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            // Known to the leak checker: it is forgotten on purpose.
            FORGOTTEN.lock().expect("no panic holds it").push((&raw const *read).addr());
            std::mem::forget(read);
        }
        stream.write_all(b"after all").await?;
        let mut got = [0; 9];
        peer.read_exact(&mut got).await?;
        assert_eq!(&got, b"after all");
        Ok(())
    });
}

#[test]
fn descriptors_are_given_back() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let round = async || {
            let mut stream = TcpStream::connect(listener.local_addr()?).await?;
            let (mut peer, _) = listener.accept().await?;
            stream.write_all(b"x").await?;
            peer.read_u8().await?;
            drop(stream);
            assert_eq!(peer.read(&mut [0]).await?, 0);
            io::Result::Ok(())
        };
        round().await?;
        let before = descriptors();
        for _ in 0..200 {
            round().await?;
        }
        // The last ones are closed when their receives have ended: in the next turns.
        let wait = submit(ops::Timeout::new(Duration::from_millis(20)));
        wait.await?;
        let after = descriptors();
        // Other tests of this binary open some too.
        assert!(after <= before + 60, "{before} descriptors before, {after} after");
        Ok(())
    });
}

#[test]
fn a_reader_that_stops_holds_up_nobody_and_costs_little() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (done, wait) = mpsc::channel::<()>();
        let hog = thread::spawn(move || {
            let mut hog = std::net::TcpStream::connect(address).expect("somebody listens");
            hog.write_all(b"h").expect("the connection lives");
            hog.set_nonblocking(true).expect("a flag");
            // As much as the socket takes; then it stays open and is not read from.
            while hog.write(&[7; 65_536]).is_ok() {}
            let _over = wait.recv();
        });
        let (mut unread, _) = listener.accept().await?;
        assert_eq!(unread.read_u8().await?, b'h');
        let mut client = TcpStream::connect(address).await?;
        let (mut server, _) = listener.accept().await?;
        for n in 0..500_u32 {
            client.write_all(&n.to_le_bytes()).await?;
            assert_eq!(server.read_u32_le().await?, n);
        }
        drop(done);
        hog.join().expect("the hog ends");
        drop(unread);
        Ok(())
    });
}
