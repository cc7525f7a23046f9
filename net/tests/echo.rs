//! Bytes go round, whatever the sizes.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::thread;

use henge_driver::buf::IoBuf;
use henge_driver::{Config, Driver};
use henge_net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn bytes_come_back() {
    let driver = Driver::new().unwrap();
    driver
        .block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let mut client = TcpStream::connect(listener.local_addr()?).await?;
            let (mut server, _) = listener.accept().await?;
            for size in [1, 64, 4_096, 8_191, 8_192, 60_000] {
                let sent: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
                client.write_all(&sent).await?;
                let mut got = vec![0; size];
                server.read_exact(&mut got).await?;
                assert_eq!(got, sent);
                server.write_all(&got).await?;
                let mut back = vec![0; size];
                client.read_exact(&mut back).await?;
                assert_eq!(back, sent);
            }
            drop(client);
            assert_eq!(server.read(&mut [0; 8]).await?, 0);
            std::io::Result::Ok(())
        })
        .unwrap()
        .unwrap();
}

/// A half has no stream to lend for the options that only the whole has: it lends the descriptor.
#[test]
fn a_half_has_the_descriptor_of_its_stream() {
    let driver = Driver::new().unwrap();
    driver
        .block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let stream = TcpStream::connect(listener.local_addr()?).await?;
            assert!(!stream.nodelay()?);
            let (read, write) = stream.into_split();
            let of = |half: &dyn AsFd| half.as_fd().try_clone_to_owned();
            std::net::TcpStream::from(of(&read)?).set_nodelay(true)?;
            assert!(std::net::TcpStream::from(of(&write)?).nodelay()?);
            let mut stream = read.reunite(write).expect("they are of one stream");
            assert!(stream.nodelay()?);
            let (read, write) = stream.split();
            assert!(std::net::TcpStream::from(of(&read)?).nodelay()?);
            assert!(std::net::TcpStream::from(of(&write)?).nodelay()?);
            std::io::Result::Ok(())
        })
        .unwrap()
        .unwrap();
}

/// A proxy that copies nothing: what was received is what is sent, in the pool's memory and, while
/// that is all held, in memory of its own.
#[test]
fn received_buffers_are_sent_as_they_are() {
    const TOTAL: usize = 4 << 20;
    for held in [0, 100] {
        let config = Config::new().buffer_memory(256 << 10);
        let driver = Driver::with_config(&config).unwrap();
        driver
            .block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let address = listener.local_addr()?;
                let client = thread::spawn(move || {
                    let mut stream = std::net::TcpStream::connect(address)?;
                    let mut writer = stream.try_clone()?;
                    let sent: Vec<u8> = (0..TOTAL).map(|n| (n % 251) as u8).collect();
                    let copy = sent.clone();
                    let writing = thread::spawn(move || writer.write_all(&copy));
                    let mut got = vec![0; TOTAL];
                    stream.read_exact(&mut got)?;
                    assert!(got == sent, "the bytes came back as they were");
                    writing.join().expect("no panic")
                });
                let (mut server, _) = listener.accept().await?;
                let mut echoed = 0;
                let mut kept = Vec::new();
                while echoed < TOTAL {
                    let bytes = server.recv().await?;
                    let (address, len) = (bytes.as_ptr(), bytes.len());
                    let (written, first) = server.write_all_owned(bytes.slice(..len / 2)).await;
                    written?;
                    let rest = first.into_inner().slice(len / 2..);
                    let (written, rest) = server.write_all_owned(rest).await;
                    written?;
                    let bytes = rest.into_inner();
                    assert_eq!((bytes.as_ptr(), bytes.len()), (address, len), "it has not moved");
                    echoed += len;
                    if kept.len() < held {
                        kept.push(bytes);
                    }
                }
                client.join().expect("no panic")
            })
            .unwrap()
            .unwrap();
    }
}

/// A reader that keeps what it receives keeps its share of the pool, and no more of what all use.
#[test]
fn a_hoarder_has_a_share_of_the_pool() {
    const TOTAL: usize = 8 << 20;
    // Sixteen pieces hold as many buffers of 64 KiB at most: half of these.
    let driver = Driver::with_config(&Config::new().buffer_memory(2 << 20)).unwrap();
    driver
        .block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let sent: Vec<u8> = (0..TOTAL).map(|n| (n % 251) as u8).collect();
            let copy = sent.clone();
            let client = thread::spawn(move || {
                std::net::TcpStream::connect(address)?.write_all(&copy)?;
                std::io::Result::Ok(())
            });
            let (mut stream, _) = listener.accept().await?;
            let mut hoard = Vec::new();
            let mut len = 0;
            while len < TOTAL {
                let bytes = stream.recv().await?;
                len += bytes.len();
                hoard.push(bytes);
            }
            client.join().expect("no panic")?;
            assert!(hoard.iter().flat_map(|bytes| bytes.iter()).eq(&sent), "in order, and whole");
            assert!(driver.pool().has_room(), "others find buffers while one keeps {len} bytes");
            drop(hoard);
            assert!(stream.recv().await?.is_empty());
            std::io::Result::Ok(())
        })
        .unwrap()
        .unwrap();
}
