//! A socket of std's may have other descriptors, here or in another process: what was made of one
//! of them and is dropped leaves the socket as it is for the rest, as a close does.

use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use henge_driver::{Driver, ops, submit};
use henge_net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::io::AsyncReadExt;

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
async fn rest(driver: &Driver) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        submit(ops::Timeout::new(Duration::from_millis(1))).await?;
        if driver.in_flight() == 0 {
            return Ok(());
        }
        assert!(begun.elapsed() < PATIENCE, "{} operations in flight", driver.in_flight());
    }
}

#[test]
fn a_listener_listens_on_in_other_hands() {
    let driver = Driver::new().expect("a ring");
    for accepting in [false, true] {
        run(&driver, async {
            let std = std::net::TcpListener::bind("127.0.0.1:0")?;
            let listener = TcpListener::from_std(std.try_clone()?)?;
            if accepting {
                waits(listener.accept()).await;
            }
            drop(listener);
            rest(&driver).await?;
            let client = std::net::TcpStream::connect(std.local_addr()?)?;
            std.set_nonblocking(false)?;
            assert_eq!(std.accept()?.1, client.local_addr()?);
            Ok(())
        });
    }
}

#[test]
fn so_does_one_of_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("henge-shared-{}", std::process::id()));
    _ = std::fs::remove_file(&path);
    let driver = Driver::new().expect("a ring");
    run(&driver, async {
        let std = std::os::unix::net::UnixListener::bind(&path)?;
        let listener = UnixListener::from_std(std.try_clone()?)?;
        waits(listener.accept()).await;
        drop(listener);
        rest(&driver).await?;
        let _client = std::os::unix::net::UnixStream::connect(&path)?;
        std.set_nonblocking(false)?;
        std.accept().map(drop)
    });
    std::fs::remove_file(&path).expect("it was made here");
}

/// What `a` has is said to `b`, and the answer read.
fn talk(a: &mut (impl Read + Write), b: &mut (impl Read + Write)) -> io::Result<()> {
    let mut got = [0; 4];
    a.write_all(b"ping")?;
    b.read_exact(&mut got)?;
    assert_eq!(&got, b"ping");
    b.write_all(b"pong")?;
    a.read_exact(&mut got)?;
    assert_eq!(&got, b"pong");
    Ok(())
}

#[test]
fn a_connection_goes_on_in_other_hands() {
    let driver = Driver::new().expect("a ring");
    for reading in [false, true] {
        run(&driver, async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
            let mut peer = std::net::TcpStream::connect(listener.local_addr()?)?;
            let mut std = listener.accept()?.0;
            let mut stream = TcpStream::from_std(std.try_clone()?)?;
            if reading {
                waits(stream.read_u8()).await;
            }
            drop(stream);
            rest(&driver).await?;
            std.set_nonblocking(false)?;
            talk(&mut std, &mut peer)
        });
        run(&driver, async {
            let (mut std, mut peer) = std::os::unix::net::UnixStream::pair()?;
            let mut stream = UnixStream::from_std(std.try_clone()?)?;
            if reading {
                waits(stream.read_u8()).await;
            }
            drop(stream);
            rest(&driver).await?;
            std.set_nonblocking(false)?;
            talk(&mut std, &mut peer)
        });
    }
}

#[test]
fn the_last_descriptor_closes_it_all_the_same() {
    let driver = Driver::new().expect("a ring");
    run(&driver, async {
        let (std, mut peer) = std::os::unix::net::UnixStream::pair()?;
        let mut stream = UnixStream::from_std(std)?;
        waits(stream.read_u8()).await;
        drop(stream);
        rest(&driver).await?;
        peer.set_read_timeout(Some(PATIENCE))?;
        assert_eq!(peer.read(&mut [0; 8])?, 0);
        let std = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = std.local_addr()?;
        let listener = TcpListener::from_std(std)?;
        waits(listener.accept()).await;
        drop(listener);
        // It is bound again at once, although the accept still holds it.
        drop(TcpListener::bind(address).await?);
        let refused = std::net::TcpStream::connect(address).map(drop);
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        Ok(())
    });
}
