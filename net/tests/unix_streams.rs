//! Unix streams: names, halves, descriptors that are passed, and nothing lost.

use std::future::{Future, poll_fn};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use henge_driver::Driver;
use henge_net::readiness::Interest;
use henge_net::unix::SocketAddr;
use henge_net::{UnixListener, UnixStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    let driver = Driver::new().expect("a ring");
    driver.block_on(future).expect("the driver turns").expect("no error")
}

/// A path that nobody else has; removed at the end.
struct Place(PathBuf);

impl Place {
    fn fresh() -> Place {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("henge-unix-streams-{}-{n}", std::process::id());
        Place(std::env::temp_dir().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_listener_at_a_path_echoes() {
    run(async {
        let place = Place::fresh();
        let listener = UnixListener::bind(&place.0)?;
        let again = UnixListener::bind(&place.0).map(drop);
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        for size in [1, 8_191, 8_192, 100_000] {
            let mut client = UnixStream::connect(&place.0).await?;
            assert_eq!(client.peer_addr()?.as_pathname(), Some(&*place.0));
            let (mut server, peer) = listener.accept().await?;
            assert!(peer.is_unnamed());
            let sent: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            let mut got = Vec::new();
            let talk = async {
                client.write_all(&sent).await?;
                client.shutdown().await?;
                client.read_to_end(&mut got).await
            };
            let echo = async {
                let (mut read, mut write) = server.split();
                tokio::io::copy(&mut read, &mut write).await?;
                write.shutdown().await
            };
            let (talked, echoed) = both(talk, echo).await;
            talked?;
            echoed?;
            assert_eq!(got, sent);
        }
        Ok(())
    });
}

async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut of_a, mut of_b) = (None, None);
    poll_fn(|cx| {
        if of_a.is_none()
            && let Poll::Ready(done) = a.as_mut().poll(cx)
        {
            of_a = Some(done);
        }
        if of_b.is_none()
            && let Poll::Ready(done) = b.as_mut().poll(cx)
        {
            of_b = Some(done);
        }
        match (of_a.take(), of_b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (of_a, of_b) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

#[test]
fn nobody_listens_under_an_abstract_name_any_more() {
    run(async {
        let name = format!("henge-unix-streams-{}", std::process::id());
        let name = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        let name = SocketAddr::from(name);
        let listener = UnixListener::bind_addr(&name)?;
        let client = UnixStream::connect_addr(&name).await?;
        let (server, _) = listener.accept().await?;
        assert_eq!(server.local_addr()?.as_abstract_name(), name.as_abstract_name());
        drop((client, server, listener));
        let refused = UnixStream::connect_addr(&name).await.map(drop);
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let absent = Place::fresh();
        let missing = UnixStream::connect(&absent.0).await.map(drop);
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
        Ok(())
    });
}

#[test]
fn a_half_that_was_never_used_ends_the_stream() {
    run(async {
        let (a, mut b) = UnixStream::pair()?;
        let (_read, write) = a.into_split();
        drop(write);
        assert_eq!(b.read(&mut [0; 1]).await?, 0);
        Ok(())
    });
    // Nor need there be a driver.
    let (a, b) = UnixStream::pair().expect("a pair");
    let (_read, write) = a.into_split();
    drop(write);
    let mut b = b.into_std().expect("nothing is queued");
    b.set_nonblocking(true).expect("a socket");
    assert_eq!(b.read(&mut [0; 1]).expect("the end"), 0);
}

#[test]
fn descriptors_come_with_their_bytes() {
    run(async {
        let (mut a, mut b) = UnixStream::pair()?;
        a.write_all(b"before").await?;
        let (mut reader, writer) = io::pipe()?;
        let sent = a.send_descriptors(b"with", &[writer.as_fd(), writer.as_fd()]).await?;
        assert_eq!(sent, 4);
        drop(writer);
        let (mut bytes, mut descriptors) = ([0; 6], Vec::new());
        assert_eq!(b.recv_descriptors(&mut bytes, &mut descriptors).await?, 6);
        assert_eq!((&bytes, descriptors.len()), (b"before", 0), "the kernel keeps them apart");
        assert_eq!(b.recv_descriptors(&mut bytes, &mut descriptors).await?, 4);
        assert_eq!(descriptors.len(), 2);
        for passed in descriptors {
            io::PipeWriter::from(passed).write_all(b"x")?;
        }
        let mut through = String::new();
        reader.read_to_string(&mut through)?;
        assert_eq!(through, "xx", "and nobody else holds the pipe");
        drop(a);
        assert_eq!(b.recv_descriptors(&mut bytes, &mut Vec::new()).await?, 0);
        Ok(())
    });
}

#[test]
fn what_a_read_has_brought_comes_before_what_calls_of_ones_own_would() {
    run(async {
        let (mut a, mut b) = UnixStream::pair()?;
        a.write_all(b"12").await?;
        assert_eq!(b.read_u8().await?, b'1');
        let receive = || henge_driver::sys::socket::recv_now(&b, &mut [0; 8]);
        let refused = b.try_io(Interest::READABLE, receive).unwrap_err();
        assert_ne!(refused.kind(), io::ErrorKind::WouldBlock, "it would be tried for ever");
        let mut buf = [0; 8];
        assert_eq!(b.try_read(&mut buf)?, 1);
        assert_eq!(buf[0], b'2');
        a.write_all(b"345").await?;
        let n = b
            .async_io(Interest::READABLE, || henge_driver::sys::socket::recv_now(&b, &mut buf[..2]))
            .await?;
        assert_eq!(&buf[..n], b"34");
        assert_eq!(b.read_u8().await?, b'5', "and reads go on after it");
        Ok(())
    });
}

#[test]
fn calls_of_ones_own_wait_for_what_was_written_and_for_room() {
    run(async {
        let (mut a, b) = UnixStream::pair()?;
        a.write_all(b"first").await?;
        let send = |bytes| henge_driver::sys::socket::send_now(&a, bytes);
        let early = a.try_io(Interest::WRITABLE, || send(b"second")).unwrap_err();
        assert_eq!(early.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(a.async_io(Interest::WRITABLE, || send(b"second")).await?, 6);
        let mut sent = 11;
        while let Ok(n) = a.try_io(Interest::WRITABLE, || send(&[7; 4_096])) {
            sent += n;
        }
        assert!(poll_fn(|cx| Poll::Ready(pin!(a.writable()).poll(cx).is_pending())).await);
        let mut got = Vec::new();
        while got.len() < sent {
            b.readable().await?;
            b.try_read_buf({
                got.reserve(65_536);
                &mut got
            })?;
        }
        assert!(got.starts_with(b"firstsecond"));
        a.writable().await?;
        assert_eq!(a.try_io(Interest::WRITABLE, || send(b"third"))?, 5);
        Ok(())
    });
}

#[test]
fn readiness_tells_of_the_ends() {
    run(async {
        let (a, b) = UnixStream::pair()?;
        let both = Interest::READABLE | Interest::WRITABLE;
        let ready = b.ready(both).await?;
        assert!(ready.is_writable() && !ready.is_readable());
        assert!(b.ready(Interest::PRIORITY).await.is_err());
        drop(a);
        let ready = b.ready(both).await?;
        assert!(ready.is_read_closed() && ready.is_write_closed());
        assert_eq!(b.try_read(&mut [0; 1])?, 0);
        Ok(())
    });
}

#[test]
fn a_stream_that_polls_for_readiness_is_closed_at_once() {
    run(async {
        let (a, b) = UnixStream::pair()?;
        assert!(poll_fn(|cx| Poll::Ready(pin!(a.readable()).poll(cx).is_pending())).await);
        let mut b = b.into_std()?;
        // No turn of the driver comes between the drop and the read.
        drop(a);
        assert_eq!(b.read(&mut [0; 1])?, 0);
        Ok(())
    });
}
