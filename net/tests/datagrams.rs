//! Datagram sockets: nothing lost by dropped futures, used from several threads, batches, and an
//! address that is free again at once.

use std::future::{Future, poll_fn};
use std::io::{self, IoSliceMut};
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use henge_driver::{Driver, ops, submit};
use henge_net::message::Control;
use henge_net::udp::{Batch, Outgoing};
use henge_net::{UdpSocket, UnixDatagram};

fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    let driver = Driver::new().expect("a ring");
    driver.block_on(future).expect("the driver turns").expect("no error")
}

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

async fn udp_pair() -> io::Result<(UdpSocket, UdpSocket)> {
    let a = UdpSocket::bind("127.0.0.1:0").await?;
    let b = UdpSocket::bind("127.0.0.1:0").await?;
    a.connect(b.local_addr()?).await?;
    b.connect(a.local_addr()?).await?;
    Ok((a, b))
}

#[test]
fn every_datagram_arrives_once_though_receives_are_dropped() {
    const DATAGRAMS: u32 = 3_000;
    run(async {
        let server = UdpSocket::bind("127.0.0.1:0").await?;
        let address = server.local_addr()?;
        let (waits, waited) = mpsc::channel();
        let client = thread::spawn(move || {
            let client = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
            client.connect(address).expect("an address");
            client.set_read_timeout(Some(Duration::from_secs(60))).expect("a time");
            waited.recv_timeout(Duration::from_secs(60)).expect("a receive is dropped");
            for n in 0..DATAGRAMS {
                client.send(&n.to_le_bytes()).expect("somebody listens");
                let mut echoed = [0; 4];
                client.recv(&mut echoed).expect("it was received, and is answered");
                assert_eq!(u32::from_le_bytes(echoed), n);
            }
        });
        let (mut got, mut dropped) = (0, 0);
        while got < DATAGRAMS {
            // From at once to after the datagram: every moment is hit.
            let span = Duration::from_micros(dropped % 40);
            let mut word = [0; 8];
            let received = match dropped % 3 {
                0 => within(span, server.recv_from(&mut word)).await,
                1 => {
                    within(span, async {
                        server.readable().await?;
                        server.recv_from(&mut word).await
                    })
                    .await
                }
                _ => {
                    within(span, async {
                        server.peek_sender().await?;
                        server.recv_from(&mut word).await
                    })
                    .await
                }
            };
            match received {
                None => {
                    dropped += 1;
                    // The client waits for the first, however slow this thread is.
                    _ = waits.send(());
                }
                Some(received) => {
                    let (n, from) = received?;
                    assert_eq!(word[..n], got.to_le_bytes());
                    server.send_to(&word[..n], from).await?;
                    got += 1;
                }
            }
        }
        client.join().expect("all were answered");
        Ok(())
    });
}

#[test]
fn a_socket_is_used_from_several_threads_at_once() {
    const EACH: usize = 500;
    let socket = run(async { UdpSocket::bind("127.0.0.1:0").await });
    let (address, socket) = (socket.local_addr().expect("a name"), Arc::new(socket));
    let servers: Vec<_> = (0..3)
        .map(|_| {
            let socket = Arc::clone(&socket);
            thread::spawn(move || {
                run(async {
                    let mut served = 0;
                    let mut word = [0; 8];
                    loop {
                        let (n, from) = socket.recv_from(&mut word).await?;
                        if n == 0 {
                            return Ok(served);
                        }
                        socket.send_to(&word[..n], from).await?;
                        served += 1;
                    }
                })
            })
        })
        .collect();
    let clients: Vec<_> = (0..2)
        .map(|_| {
            thread::spawn(move || {
                run(async {
                    let client = UdpSocket::bind("127.0.0.1:0").await?;
                    client.connect(address).await?;
                    for n in 0..EACH {
                        client.send(&n.to_le_bytes()).await?;
                        let mut word = [0; 8];
                        client.recv(&mut word).await?;
                        assert_eq!(usize::from_le_bytes(word), n);
                    }
                    Ok(())
                });
            })
        })
        .collect();
    for client in clients {
        client.join().expect("all were answered");
    }
    let end = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    for _ in 0..3 {
        end.send_to(&[], address).expect("somebody listens");
    }
    let served: usize = servers.into_iter().map(|server| server.join().expect("an end")).sum();
    assert_eq!(served, 2 * EACH);
}

#[test]
fn an_address_is_free_as_soon_as_its_socket_is_dropped() {
    run(async {
        let mut address = "127.0.0.1:0".parse().expect("an address");
        for _ in 0..20 {
            let socket = UdpSocket::bind(address).await?;
            address = socket.local_addr()?;
            // A poll is armed, which holds the file until it is gone.
            assert!(within(Duration::from_millis(1), socket.readable()).await.is_none());
            drop(socket);
        }
        Ok(())
    });
}

#[test]
fn batches_and_segments_go_both_ways() {
    run(async {
        let (a, b) = udp_pair().await?;
        let words: Vec<Vec<u8>> = (0..40_u8).map(|n| vec![n; 1 + usize::from(n) * 7]).collect();
        let batch: Vec<Outgoing<'_>> =
            words.iter().map(|bytes| Outgoing { bytes, to: None }).collect();
        let mut sent = 0;
        while sent < batch.len() {
            sent += a.send_many(&batch[sent..]).await?;
        }
        let mut room = Batch::new(16, 512);
        let mut got = 0;
        while got < words.len() {
            for at in 0..b.recv_many(&mut room).await? {
                let datagram = room.get(at).expect("it came");
                assert_eq!(datagram.bytes, words[got]);
                assert_eq!(datagram.from, a.local_addr()?);
                got += 1;
            }
        }
        assert!(b.try_recv_many(&mut room).is_err());

        let bytes: Vec<u8> = (0..10_000_u32).map(|n| (n / 1_000) as u8).collect();
        a.send_segments(&bytes, 1_000, None).await?;
        for n in 0..10 {
            let mut word = [0; 2_000];
            assert_eq!(b.recv(&mut word).await?, 1_000);
            assert_eq!(word[0], n);
        }
        b.set_gro(true)?;
        a.send_segments(&bytes, 1_000, None).await?;
        let mut joined = vec![0; 65_535];
        let pieces = &mut [IoSliceMut::new(&mut joined)];
        let message = b.recv_message(pieces, &mut Control::with_room(64)).await?;
        assert_eq!((message.len, message.segment), (10_000, 1_000));
        Ok(())
    });
}

#[test]
fn a_full_socket_makes_the_sender_wait() {
    run(async {
        let (a, b) = UnixDatagram::pair()?;
        let mut sent = 0_u32;
        while a.try_send(&sent.to_le_bytes()).is_ok() {
            sent += 1;
        }
        assert!(sent > 0);
        assert!(within(Duration::from_millis(1), a.send(b"no room")).await.is_none());
        assert!(within(Duration::from_millis(1), a.writable()).await.is_none());
        for n in 0..sent {
            let mut word = [0; 8];
            assert_eq!(b.recv(&mut word).await?, 4);
            assert_eq!(word[..4], n.to_le_bytes());
        }
        a.writable().await?;
        a.send(b"room").await?;
        assert_eq!(b.recv(&mut [0; 8]).await?, 4, "what was dropped was not sent");
        Ok(())
    });
}

#[test]
fn a_closed_port_is_told() {
    run(async {
        let gone = UdpSocket::bind("127.0.0.1:0").await?.local_addr()?;
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        socket.connect(gone).await?;
        socket.send(b"anybody?").await?;
        let refused = socket.recv(&mut [0; 8]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

        // Whoever waits already is told, too.
        let mut room = [0; 8];
        let mut waits = pin!(socket.recv(&mut room));
        assert!(within(Duration::from_millis(1), waits.as_mut()).await.is_none());
        socket.send(b"anybody now?").await?;
        let refused = within(Duration::from_secs(60), waits).await.expect("it is told");
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        Ok(())
    });
}
