//! What comes may wait for what else comes, but only in a crowd.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::TcpListener;
use henge::runtime::{Builder, Runtime};

/// One shard that echoes. Completions may wait for each other for so long.
fn echo(limit: Duration) -> (Runtime, SocketAddr) {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).batch_wait(limit).build().expect("a runtime");
    let address = runtime.run(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        henge::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                henge::spawn(async move {
                    let mut buffer = [0; 64];
                    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                        stream.write_all(&buffer[..read]).await.expect("the client reads");
                    }
                });
            }
        });
        address
    });
    (runtime, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("an open socket");
    stream.set_nodelay(true).expect("an open socket");
    stream
}

fn round(stream: &mut TcpStream, word: u32) {
    stream.write_all(&word.to_be_bytes()).expect("the server reads");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).expect("the server answers");
    assert_eq!(u32::from_be_bytes(answer), word);
}

#[test]
fn a_lone_client_is_answered_at_once() {
    let (runtime, address) = echo(Duration::from_secs(1));
    let mut client = connect(address);
    (0..2_000).for_each(|word| round(&mut client, word));
    assert_eq!(runtime.metrics().shard(0).batch_waits(), 0);
}

#[test]
fn a_crowd_is_answered_together() {
    let (runtime, address) = echo(Duration::from_millis(1));
    // Until the rule has had enough of a crowd to see: how many rounds that takes is the machine's
    // business.
    for _ in 0..1_000 {
        let clients: Vec<_> = (0..32)
            .map(|_| {
                thread::spawn(move || {
                    let mut client = connect(address);
                    (0..50).for_each(|word| round(&mut client, word));
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().expect("all were answered"));
        if runtime.metrics().shard(0).batch_waits() > 0 {
            return;
        }
    }
    panic!("there was never a crowd");
}

#[test]
fn zero_is_never() {
    let (runtime, address) = echo(Duration::ZERO);
    let clients: Vec<_> = (0..32)
        .map(|_| {
            thread::spawn(move || {
                (0..50).for_each({
                    let mut client = connect(address);
                    move |word| round(&mut client, word)
                })
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().expect("all were answered"));
    assert_eq!(runtime.metrics().shard(0).batch_waits(), 0);
}
