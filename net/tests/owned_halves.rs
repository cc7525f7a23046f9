//! The stream that an owned half lends: what is asked of it goes to the same two sides.

use std::future::Future;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use henge_driver::Driver;
use henge_net::readiness::Interest;
use henge_net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use henge_net::{TcpListener, TcpStream, UnixStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    let driver = Driver::new().expect("a ring");
    driver.block_on(future).expect("the driver turns").expect("no error")
}

async fn connected() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let here = TcpStream::connect(listener.local_addr()?).await?;
    Ok((here, listener.accept().await?.0))
}

async fn halves() -> io::Result<(OwnedReadHalf, OwnedWriteHalf, TcpStream)> {
    let (here, there) = connected().await?;
    let (read, write) = here.into_split();
    Ok((read, write, there))
}

/// What comes until the end of the stream.
async fn all_of(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await?;
    Ok(all)
}

#[test]
fn it_has_the_addresses_and_the_options() {
    run(async {
        let (read, write, there) = halves().await?;
        write.as_ref().set_nodelay(true)?;
        assert!(read.as_ref().nodelay()?);
        assert_eq!(read.as_ref().peer_addr()?, there.local_addr()?);
        let (read, write) = UnixStream::pair()?.0.into_split();
        assert!(read.as_ref().peer_cred()?.pid().is_some());
        assert!(write.as_ref().local_addr()?.is_unnamed());
        Ok(())
    });
}

#[test]
fn transfers_keep_the_order() {
    run(async {
        let (mut read, mut write, mut there) = halves().await?;
        // Queued, and not sent yet: what is written by the stream comes after it.
        write.write_all(b"one").await?;
        let second = loop {
            match read.as_ref().try_write(b"two") {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => break done?,
            }
            read.as_ref().writable().await?;
        };
        assert_eq!(second, 3);
        let mut both = [0; 6];
        there.read_exact(&mut both).await?;
        assert_eq!(&both, b"onetwo");

        // Received, and not read yet: the stream reads that first.
        there.write_all(b"three").await?;
        assert_eq!(read.read_u8().await?, b't');
        let mut rest = [0; 8];
        write.as_ref().readable().await?;
        assert_eq!(write.as_ref().try_read(&mut rest)?, 4);
        assert_eq!(&rest[..4], b"hree");
        Ok(())
    });
}

#[test]
fn either_half_waits_for_either_direction() {
    run(async {
        let (read, write, mut there) = halves().await?;
        assert!(read.ready(Interest::WRITABLE).await?.is_writable());
        there.write_all(b"x").await?;
        assert!(write.ready(Interest::READABLE).await?.is_readable());
        Ok(())
    });
}

#[test]
fn it_keeps_nothing_of_a_half_that_was_dropped() {
    run(async {
        let (mut read, mut write, mut there) = halves().await?;
        write.write_all(b"last").await?;
        drop(write);
        // The end is sent although the read half could lend the stream.
        let mut last = Vec::new();
        there.read_to_end(&mut last).await?;
        assert_eq!(last, b"last");
        let error = read.as_ref().writable().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(read.as_ref().try_write(b"more").is_err());
        there.write_all(b"x").await?;
        assert_eq!(read.read_u8().await?, b'x');

        let (read, mut write, mut there) = halves().await?;
        drop(read);
        assert!(write.as_ref().readable().await.is_err());
        write.write_all(b"y").await?;
        assert_eq!(there.read_u8().await?, b'y');
        Ok(())
    });
}

#[test]
fn a_half_that_was_never_used_ends_too() {
    run(async {
        let (read, write, mut there) = halves().await?;
        thread::spawn(|| drop(write)).join().expect("no panic");
        assert_eq!(there.read(&mut [0; 8]).await?, 0);
        assert!(read.as_ref().writable().await.is_err());
        Ok(())
    });
}

#[test]
fn it_becomes_whole_again() {
    run(async {
        let (read, write, mut there) = halves().await?;
        assert!(read.as_ref().try_write(b"a").is_ok());
        let mut whole = read.reunite(write).expect("of one stream");
        whole.write_all(b"b").await?;
        assert_eq!(there.read_u16().await?, u16::from_be_bytes(*b"ab"));
        // Nobody else has it now.
        drop(whole.into_std()?);
        assert_eq!(there.read(&mut [0; 8]).await?, 0);
        Ok(())
    });
}

#[test]
fn the_peer_sees_the_end_wherever_the_halves_are_dropped() {
    const ROUNDS: usize = 50;
    let deadline = Instant::now() + Duration::from_secs(60);
    run(async {
        for round in 0..ROUNDS {
            assert!(Instant::now() < deadline, "round {round}");
            let (read, mut write, there) = halves().await?;
            write.write_all(b"one").await?;
            // Elsewhere the stream is used by the other half, and both end there, or one here.
            let elsewhere = thread::spawn(move || {
                run(async {
                    let wrote = async {
                        loop {
                            read.as_ref().writable().await?;
                            match read.as_ref().try_write(b"two") {
                                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                                done => break done,
                            }
                        }
                    };
                    Ok(wrote.await.is_ok())
                })
            });
            if round % 2 == 0 {
                drop(write);
                let all = all_of(there).await?;
                let wrote = elsewhere.join().expect("no panic");
                assert!(all == b"one" && !wrote || all == b"onetwo", "{all:?}");
            } else {
                let all = all_of_two(there).await?;
                assert!(elsewhere.join().expect("no panic"));
                assert_eq!(all, b"onetwo");
                drop(write);
            }
        }
        Ok(())
    });
}

/// Two words.
async fn all_of_two(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    let mut all = vec![0; 6];
    stream.read_exact(&mut all).await?;
    Ok(all)
}
