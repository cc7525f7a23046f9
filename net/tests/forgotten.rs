//! `mem::forget` of futures, streams, listeners and buffers: what was not forgotten goes on, in
//! order and with nothing lost (I2, I3).
//!
//! What is forgotten is memory that nobody frees, so it stands in a static where a leak checker
//! finds it.

use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use henge_driver::{Config, Driver, ops, submit};
use henge_net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

static FORGOTTEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// As `mem::forget`, but known to the leak checker.
fn forget<T>(value: T) {
    let place = Box::leak(Box::new(value));
    FORGOTTEN.lock().expect("no panic holds it").push((&raw const *place).addr());
}

/// Polls a future once, finds it pending, and forgets it.
async fn start_and_forget<F: Future>(future: F) {
    let mut future = Box::pin(future);
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending(), "there is nothing yet");
        Poll::Ready(())
    })
    .await;
    forget(future);
}

fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    let driver = Driver::new().expect("a ring");
    driver.block_on(future).expect("the driver turns").expect("no error")
}

async fn turns() -> io::Result<()> {
    submit(ops::Timeout::new(Duration::from_millis(2))).await
}

async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    Ok((client, server))
}

#[test]
fn every_kind_of_read() {
    run(async {
        let (mut client, mut server) = pair().await?;
        for round in 0..50_u8 {
            let mut room = [0; 64];
            match round % 5 {
                0 => start_and_forget(server.recv()).await,
                1 => start_and_forget(server.read_owned(vec![0; 64])).await,
                2 => start_and_forget(server.readable()).await,
                3 => start_and_forget(server.peek(&mut room)).await,
                // The future borrows the buffer, so it is only polled while that is there.
                _ => start_and_forget(server.read(&mut room)).await,
            }
            client.write_all(&[round; 100]).await?;
            client.flush().await?;
            if round % 2 == 0 {
                turns().await?;
            }
            let mut got = [0; 100];
            server.read_exact(&mut got).await?;
            assert_eq!(got, [round; 100]);
        }
        Ok(())
    });
}

#[test]
fn an_accept_and_a_connect() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        start_and_forget(listener.accept()).await;
        start_and_forget(TcpStream::connect(address)).await;
        let mut client = TcpStream::connect(address).await?;
        let mine = client.local_addr()?;
        // The forgotten connection may come first: it was made.
        loop {
            let (mut stream, peer) = listener.accept().await?;
            if peer == mine {
                client.write_all(b"x").await?;
                assert_eq!(stream.read_u8().await?, b'x');
                return Ok(());
            }
        }
    });
}

#[test]
fn an_owned_write_that_waits_for_room() {
    const LARGE: usize = 16 << 20;
    run(async {
        let (mut client, server) = pair().await?;
        start_and_forget(client.write_all_owned(vec![7; LARGE])).await;
        let mut server = server.into_std()?;
        server.set_nonblocking(false)?;
        let reader = thread::spawn(move || -> io::Result<Vec<u8>> {
            let mut got = Vec::new();
            server.read_to_end(&mut got).map(|_| got)
        });
        client.write_all(b"and the rest").await?;
        client.shutdown().await?;
        let got = reader.join().expect("no panic")?;
        let (large, rest) = got.split_at(got.len() - 12);
        assert_eq!(rest, b"and the rest");
        assert!(large.len() <= LARGE && large.iter().all(|byte| *byte == 7), "{}", large.len());
        Ok(())
    });
}

#[test]
fn streams_and_halves() {
    run(async {
        let (mut client, mut server) = pair().await?;
        client.write_all(b"sent though forgotten").await?;
        forget(client);
        let mut got = [0; 21];
        server.read_exact(&mut got).await?;
        assert_eq!(&got, b"sent though forgotten");

        let (client, mut server) = pair().await?;
        let (reader, mut writer) = client.into_split();
        forget(reader);
        writer.write_all(b"half").await?;
        drop(writer);
        // A write half that goes ends its direction, whoever has the other half.
        let mut got = Vec::new();
        server.read_to_end(&mut got).await?;
        assert_eq!(got, b"half");
        Ok(())
    });
}

#[test]
fn a_listener() {
    let address: SocketAddr = run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        start_and_forget(listener.accept()).await;
        forget(listener);
        turns().await?;
        assert!(TcpListener::bind(address).await.is_err(), "the address is in use");
        Ok(address)
    });
    // The descriptor is never closed: the kernel takes connections, and nobody serves them.
    let mut client = std::net::TcpStream::connect(address).expect("the queue takes it");
    client.write_all(b"anybody?").expect("a socket takes bytes");
}

#[test]
fn received_buffers_beyond_the_cap() {
    const TOTAL: usize = 4 << 20;
    let driver = Driver::with_config(&Config::new().buffer_memory(256 << 10)).expect("a ring");
    let received = driver.block_on(async {
        let (mut client, mut server) = pair().await?;
        let mut received = 0;
        while received < TOTAL {
            client.write_all(&[7; 30_000]).await?;
            client.flush().await?;
            let bytes = server.recv().await?;
            received += bytes.len();
            forget(bytes);
        }
        assert!(driver.pool().bytes() <= 256 << 10, "what is forgotten is not made up for");
        io::Result::Ok(received)
    });
    assert!(received.expect("the driver turns").expect("no error") >= TOTAL);
}
