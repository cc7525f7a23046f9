//! A driver that is turned by a thread that has not entered it, or has entered another: what ends
//! then is given back all the same.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use henge_driver::Driver;
use henge_net::{TcpListener, TcpStream};
use tokio::io::AsyncReadExt;

/// What this process has under the number, if anything: a socket has a name of its own.
fn open_as(number: i32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{number}")).ok()
}

/// Drops it where its driver is not entered, and turns that until its socket is closed.
fn closes(driver: &Driver, socket: impl AsRawFd) {
    let number = socket.as_raw_fd();
    let name = open_as(number).expect("it is open");
    drop(socket);
    let deadline = Instant::now() + Duration::from_secs(10);
    while open_as(number).as_ref() == Some(&name) {
        assert!(Instant::now() < deadline, "it is still open");
        driver.park(Some(Instant::now() + Duration::from_millis(1)), || false).expect("it turns");
    }
}

async fn connected() -> io::Result<(TcpListener, TcpStream, std::net::TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let peer = std::net::TcpStream::connect(listener.local_addr()?)?;
    let stream = listener.accept().await?.0;
    Ok((listener, stream, peer))
}

async fn begin(future: impl Future) {
    let mut future = pin!(future);
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

fn run<T>(driver: &Driver, future: impl Future<Output = io::Result<T>>) -> T {
    driver.block_on(future).expect("the driver turns").expect("no error")
}

#[test]
fn a_listener() {
    let driver = Driver::new().expect("a ring");
    let (listener, ..) = run(&driver, connected());
    closes(&driver, listener);
}

#[test]
fn a_stream_that_receives() {
    let driver = Driver::new().expect("a ring");
    let (stream, _peer) = run(&driver, async {
        let (_, mut stream, peer) = connected().await?;
        begin(stream.read(&mut [0; 8])).await;
        Ok((stream, peer))
    });
    closes(&driver, stream);
}

#[test]
fn a_stream_that_receives_into_a_buffer_of_the_callers() {
    let driver = Driver::new().expect("a ring");
    let (stream, _peer) = run(&driver, async {
        let (_, mut stream, peer) = connected().await?;
        begin(stream.read_owned(vec![0; 8])).await;
        Ok((stream, peer))
    });
    let other = Driver::new().expect("a ring");
    let _entered = other.enter();
    closes(&driver, stream);
}
