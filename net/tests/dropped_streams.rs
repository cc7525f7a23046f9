//! A stream that is dropped goes: its halves too, whatever they waited for, and with all that it
//! has not sent, if that was asked for.

use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use henge_driver::{Driver, ops, submit};
use henge_net::{TcpListener, UdpSocket, UnixDatagram, UnixStream, unix::pipe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A hang fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn run<T>(driver: &Driver, future: impl Future<Output = io::Result<T>>) -> T {
    driver.block_on(future).expect("the driver turns").expect("no error")
}

/// One poll, which finds nothing.
async fn waits(future: impl Future) {
    let mut future = pin!(future);
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// Turns until nothing is in flight any more.
fn comes_to_rest(driver: &Driver) {
    let begun = Instant::now();
    loop {
        run(driver, submit(ops::Timeout::new(Duration::from_millis(1))));
        if driver.in_flight() == 0 {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{} operations in flight", driver.in_flight());
    }
}

/// Writes until the other end refuses, which a socket that is closed does.
fn is_refused(peer: &mut (impl Read + Write)) {
    let begun = Instant::now();
    while peer.write_all(b"more").is_ok() {
        assert!(begun.elapsed() < PATIENCE, "somebody still takes what is sent");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn halves_that_have_waited_close_their_stream() {
    let driver = Driver::new().expect("a ring");
    for reader_first in [true, false] {
        let mut peer = run(&driver, async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let peer = std::net::TcpStream::connect(listener.local_addr()?)?;
            let (mut reader, writer) = listener.accept().await?.0.into_split();
            waits(reader.read_u8()).await;
            if reader_first {
                drop(reader);
                drop(writer);
            } else {
                drop(writer);
                drop(reader);
            }
            drop(listener);
            Ok(peer)
        });
        comes_to_rest(&driver);
        peer.set_read_timeout(Some(PATIENCE)).expect("a socket");
        assert_eq!(peer.read(&mut [0; 8]).expect("the end"), 0);
        is_refused(&mut peer);
    }
    let mut peer = run(&driver, async {
        let (a, b) = UnixStream::pair()?;
        let (mut reader, writer) = a.into_split();
        waits(reader.read_u8()).await;
        drop((writer, reader));
        b.into_std()
    });
    comes_to_rest(&driver);
    is_refused(&mut peer);
}

/// A half that is dropped while its receive is in flight, and the bytes that come before its end.
#[test]
fn a_half_may_go_while_bytes_come() {
    let driver = Driver::new().expect("a ring");
    let (mut peer, mut writer) = run(&driver, async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut peer = std::net::TcpStream::connect(listener.local_addr()?)?;
        let (mut reader, writer) = listener.accept().await?.0.into_split();
        waits(reader.read_u8()).await;
        peer.write_all(b"unread")?;
        drop(reader);
        Ok((peer, writer))
    });
    comes_to_rest(&driver);
    run(&driver, async {
        writer.write_all(b"still here").await?;
        writer.flush().await
    });
    let mut said = [0; 10];
    peer.set_read_timeout(Some(PATIENCE)).expect("a socket");
    peer.read_exact(&mut said).expect("the other half works");
    assert_eq!(&said, b"still here");
    drop(writer);
    comes_to_rest(&driver);
    is_refused(&mut peer);
}

#[test]
fn zero_linger_drops_what_a_peer_does_not_take() {
    let driver = Driver::new().expect("a ring");
    for in_flight in [true, false] {
        let mut peer = run(&driver, async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let peer = std::net::TcpStream::connect(listener.local_addr()?)?;
            let (mut stream, _) = listener.accept().await?;
            if in_flight {
                fill(&mut stream).await?;
            } else {
                stream.write_all(b"not even this").await?;
            }
            stream.set_zero_linger()?;
            drop(stream);
            Ok(peer)
        });
        comes_to_rest(&driver);
        peer.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let told = peer.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
        assert_eq!(told, Err(io::ErrorKind::ConnectionReset), "in flight: {in_flight}");
    }
}

/// Writes until the stream waits for room: 64 KiB are queued then.
async fn fill(stream: &mut (impl AsyncWriteExt + Unpin)) -> io::Result<()> {
    let mut fills = Box::pin(async { while stream.write_all(&[0; 4096]).await.is_ok() {} });
    let mut limit = pin!(submit(ops::Timeout::new(Duration::from_millis(100))));
    poll_fn(|cx| {
        assert!(fills.as_mut().poll(cx).is_pending());
        limit.as_mut().poll(cx)
    })
    .await
}

#[test]
fn a_unix_stream_that_was_shut_down_drops_what_a_peer_does_not_take() {
    let driver = Driver::new().expect("a ring");
    let mut peer = run(&driver, async {
        let (ours, peer) = std::os::unix::net::UnixStream::pair()?;
        let same = ours.try_clone()?;
        ours.set_nonblocking(true)?;
        let mut stream = UnixStream::from_std(ours)?;
        fill(&mut stream).await?;
        same.shutdown(std::net::Shutdown::Both)?;
        drop((stream, same));
        Ok(peer)
    });
    comes_to_rest(&driver);
    // What the kernel had taken before is the peer's.
    peer.set_read_timeout(Some(PATIENCE)).expect("a socket");
    assert!(peer.read_to_end(&mut Vec::new()).is_ok_and(|n| n > 0));
}

#[test]
fn so_does_everything_else_that_has_waited() {
    let driver = Driver::new().expect("a ring");
    run(&driver, async {
        let udp = UdpSocket::bind("127.0.0.1:0").await?;
        waits(udp.recv(&mut [0; 8])).await;
        poll_fn(|cx| {
            assert!(udp.poll_recv_ready(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        let (a, _b) = UnixDatagram::pair()?;
        waits(a.recv(&mut [0; 8])).await;
        let (mut sender, mut receiver) = pipe::pipe()?;
        waits(receiver.read_u8()).await;
        sender.write_u8(1).await?;
        let tcp = TcpListener::bind("127.0.0.1:0").await?;
        waits(tcp.accept()).await;
        poll_fn(|cx| {
            assert!(tcp.poll_accept(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        let peer = std::net::TcpStream::connect(tcp.local_addr()?)?;
        let (mut stream, _) = tcp.accept().await?;
        waits(stream.readable()).await;
        waits(stream.peek(&mut [0; 8])).await;
        waits(stream.recv()).await;
        let (a, b) = tokio::io::split(stream);
        drop((a, b, peer));
        Ok(())
    });
    comes_to_rest(&driver);
}
