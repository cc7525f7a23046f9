//! A stream on which much comes at a time is received from directly; what has come, and what a
//! reader that changes its ways asks for, is the same bytes in the same order.

use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use henge_driver::sys::socket;
use henge_driver::{Driver, ops, submit};
use henge_net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    let driver = Driver::new().expect("a ring");
    driver.block_on(future).expect("the driver turns").expect("no error")
}

/// The byte at a place of the stream.
fn at(place: usize) -> u8 {
    (place % 251) as u8
}

fn check(bytes: &[u8], from: usize) {
    for (n, byte) in bytes.iter().enumerate() {
        assert_eq!(*byte, at(from + n), "byte {}", from + n);
    }
}

/// Sends messages of the given size, each when the one before has been answered by one byte.
fn messages(address: SocketAddr, sizes: Vec<usize>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut peer = std::net::TcpStream::connect(address).expect("somebody listens");
        let mut place = 0;
        for size in sizes {
            let message: Vec<u8> = (place..place + size).map(at).collect();
            place += size;
            peer.write_all(&message).expect("the reader lives");
            peer.read_exact(&mut [0]).expect("the reader answers");
        }
    })
}

async fn accepted(listener: &TcpListener) -> io::Result<TcpStream> {
    Ok(listener.accept().await?.0)
}

/// Large messages until reads are direct for certain, then small ones until they are not, twice.
#[test]
fn sizes_change_and_nothing_else_does() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sizes: Vec<usize> =
            [60_000, 100, 200_000, 1].into_iter().flat_map(|size| [size; 20]).collect();
        let peer = messages(listener.local_addr()?, sizes.clone());
        let mut stream = accepted(&listener).await?;
        let mut place = 0;
        let mut buf = vec![0; 16 << 10];
        for size in sizes {
            let end = place + size;
            while place < end {
                let n = stream.read(&mut buf).await?;
                assert_ne!(n, 0, "the stream ended at {place}");
                check(&buf[..n], place);
                place += n;
            }
            stream.write_all(&[1]).await?;
        }
        stream.flush().await?;
        peer.join().expect("every message was answered");
        assert_eq!(stream.read(&mut buf).await?, 0);
        Ok(())
    });
}

/// Every way to read, in turn, while reads are direct, and each of them dropped now and then.
#[test]
fn a_reader_may_change_its_ways() {
    const MESSAGE: usize = 50_000;
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let peer = messages(listener.local_addr()?, vec![MESSAGE; 300]);
        let mut stream = accepted(&listener).await?;
        let mut buf = vec![0; 16 << 10];
        let mut place = 0;
        let mut dropped = 0_u64;
        for message in 0..300 {
            let end = place + MESSAGE;
            while place < end {
                // Mostly reads, so that the stream comes back to receiving directly.
                let n = match message % 24 {
                    20 => {
                        let bytes = stream.recv().await?;
                        check(&bytes, place);
                        bytes.len()
                    }
                    21 => {
                        let (read, bytes) = stream.read_owned(Vec::with_capacity(9_000)).await;
                        let n = read?;
                        check(&bytes[..n], place);
                        n
                    }
                    22 => {
                        let n = stream.peek(&mut buf).await?;
                        check(&buf[..n], place);
                        0
                    }
                    23 => {
                        stream.readable().await?;
                        match stream.try_read(&mut buf) {
                            Ok(n) => {
                                check(&buf[..n], place);
                                n
                            }
                            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                            Err(error) => return Err(error),
                        }
                    }
                    _ => {
                        dropped += 1;
                        let span = Duration::from_micros(dropped % 90);
                        let mut limit = pin!(submit(ops::Timeout::new(span)));
                        let mut read = pin!(stream.read(&mut buf));
                        let read = poll_fn(|cx| {
                            if let Poll::Ready(read) = read.as_mut().poll(cx) {
                                return Poll::Ready(Some(read));
                            }
                            limit.as_mut().poll(cx).map(|_over| None)
                        });
                        match read.await.transpose()? {
                            Some(n) => {
                                check(&buf[..n], place);
                                n
                            }
                            None => continue,
                        }
                    }
                };
                place += n;
                if message % 24 == 22 {
                    // The peek was to see something; now it is read.
                    let n = stream.read(&mut buf).await?;
                    check(&buf[..n], place);
                    place += n;
                }
            }
            stream.write_all(&[1]).await?;
        }
        stream.flush().await?;
        peer.join().expect("every message was answered");
        Ok(())
    });
}

/// A reset is told to a reader that polls, and a half-closed stream is read to its end.
#[test]
fn the_end_of_the_stream_is_seen_while_polling() {
    for reset in [false, true] {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let peer = thread::spawn(move || {
                let mut peer = std::net::TcpStream::connect(address).expect("somebody listens");
                for n in 0..20 {
                    let message: Vec<u8> = (n * 40_000..(n + 1) * 40_000).map(at).collect();
                    peer.write_all(&message).expect("the reader lives");
                    peer.read_exact(&mut [0]).expect("the reader answers");
                }
                thread::sleep(Duration::from_millis(20));
                if reset {
                    socket::set_linger(&peer, Some(Duration::ZERO)).expect("a TCP socket lingers");
                }
            });
            let mut stream = accepted(&listener).await?;
            let mut buf = vec![0; 16 << 10];
            let mut place = 0;
            let end = loop {
                match stream.read(&mut buf).await {
                    Ok(0) => break None,
                    Ok(n) => {
                        check(&buf[..n], place);
                        place += n;
                        if place % 40_000 == 0 {
                            stream.write_all(&[1]).await?;
                        }
                    }
                    Err(error) => break Some(error.kind()),
                }
            };
            assert_eq!(place, 800_000);
            assert_eq!(end, reset.then_some(io::ErrorKind::ConnectionReset));
            peer.join().expect("every message was answered");
            Ok(())
        });
    }
}

/// More pieces than the kernel takes at once.
#[test]
fn thousands_of_pieces() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut stream = TcpStream::connect(listener.local_addr()?).await?;
        let (mut peer, _) = listener.accept().await?;
        let bytes: Vec<u8> = (0..60_000).map(at).collect();
        let pieces: Vec<_> = bytes.chunks(20).map(io::IoSlice::new).collect();
        let n = stream.write_vectored(&pieces).await?;
        assert!(n >= 20_480, "{n}");
        stream.write_all(&bytes[n..]).await?;
        let mut come = vec![0; 60_000];
        let mut room: Vec<_> = come.chunks_mut(20).map(io::IoSliceMut::new).collect();
        peer.readable().await?;
        let n = peer.try_read_vectored(&mut room)?;
        peer.read_exact(&mut come[n..]).await?;
        check(&come, 0);
        Ok(())
    });
}

/// More than the kernel transfers at once, and than the sign of its lengths allows.
const TOO_MUCH: usize = (2 << 30) + 1;

#[test]
fn a_buffer_may_have_more_room_than_the_kernel_fills_at_once() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut peer = std::net::TcpStream::connect(listener.local_addr()?)?;
        let mut stream = accepted(&listener).await?;
        let mut read = pin!(stream.read_owned(Vec::with_capacity(TOO_MUCH)));
        poll_fn(|cx| {
            assert!(read.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        peer.write_all(b"hello")?;
        let (read, bytes) = read.await;
        assert_eq!((read?, &*bytes), (5, &b"hello"[..]));
        Ok(())
    });
}

#[test]
fn a_buffer_may_be_longer_than_what_the_kernel_sends_at_once() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut peer = std::net::TcpStream::connect(listener.local_addr()?)?;
        let mut stream = accepted(&listener).await?;
        let reading = thread::spawn(move || peer.read_exact(&mut [1; 100_000]));
        let (written, _) = stream.write_owned(vec![0; TOO_MUCH]).await;
        let refused = written.expect_err("the peer has gone in the middle");
        assert_ne!(refused.kind(), io::ErrorKind::InvalidInput);
        reading.join().expect("no panic")
    });
}
