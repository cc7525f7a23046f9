//! Sockets with both ends in one runtime.

use super::streams::{echo, trips};
use crate::rt;
use crate::rt::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use crate::rt::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixStream};
use crate::rt::runtime::Runtime;

/// Both ends of a connection.
async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = rt::join!(connect, listener.accept());
    (client.unwrap(), accepted.unwrap().0)
}

/// A message of 64 bytes and its echo.
pub fn tcp_trip(runtime: &Runtime, times: u64) {
    let client = runtime.spawn(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        rt::spawn(async move { echo(listener.accept().await.unwrap().0).await });
        trips(TcpStream::connect(address).await.unwrap(), times).await;
    });
    runtime.block_on(client).unwrap();
}

/// 64 KiB one way.
pub fn tcp_bulk(runtime: &Runtime, times: u64) {
    let sender = runtime.spawn(async move {
        let (client, server) = connected().await;
        bulk(client, server, times).await;
    });
    runtime.block_on(sender).unwrap();
}

/// The same by a socket with a name in no file system.
pub fn unix_bulk(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let (client, server) = UnixStream::pair().unwrap();
        bulk(client, server, times).await;
    });
}

async fn bulk<S>(mut from: S, mut to: S, times: u64)
where
    S: rt::io::AsyncRead + rt::io::AsyncWrite + Unpin + Send + 'static,
{
    const PIECE: usize = 64 << 10;
    let reader = rt::spawn(async move {
        let (mut buf, mut total) = (vec![0; PIECE], 0);
        loop {
            match to.read(&mut buf).await.unwrap() {
                0 => return total,
                n => total += n,
            }
        }
    });
    let piece = vec![7; PIECE];
    for _ in 0..times {
        from.write_all(&piece).await.unwrap();
    }
    from.shutdown().await.unwrap();
    assert_eq!(reader.await.unwrap(), times as usize * PIECE);
}

/// A line and the line that answers it.
pub fn tcp_lines(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let (client, server) = connected().await;
        rt::spawn(async move {
            let (from, mut to) = server.into_split();
            let mut lines = BufReader::new(from).lines();
            while let Some(line) = lines.next_line().await.unwrap() {
                to.write_all(format!("{}\r\n", line.to_uppercase()).as_bytes()).await.unwrap();
            }
        });
        let (from, mut to) = client.into_split();
        let mut answers = BufReader::new(from).lines();
        for n in 0..times {
            to.write_all(format!("get {n}\n").as_bytes()).await.unwrap();
            let answer = answers.next_line().await.unwrap();
            assert_eq!(answer, Some(format!("GET {n}")));
        }
    });
}

/// Messages one way, many under way: one task writes and one reads.
pub fn tcp_split(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let (client, server) = connected().await;
        rt::spawn(echo(server));
        let (mut from, mut to) = client.into_split();
        let writer = rt::spawn(async move {
            for n in 0..times {
                to.write_all(&n.to_le_bytes()).await.unwrap();
            }
            to.shutdown().await.unwrap();
        });
        let mut number = [0; 8];
        for n in 0..times {
            from.read_exact(&mut number).await.unwrap();
            assert_eq!(number, n.to_le_bytes());
        }
        writer.await.unwrap();
    });
}

/// A connection made for one message and its echo.
pub fn tcp_short(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = rt::spawn(async move {
            for _ in 0..times {
                let (stream, _) = listener.accept().await.unwrap();
                rt::spawn(echo(stream));
            }
        });
        for n in 0..times {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&n.to_le_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            assert_eq!(answer, n.to_le_bytes());
        }
        server.await.unwrap();
    });
}

/// Fifty connections at once, each for one message and its echo.
pub fn tcp_storm(runtime: &Runtime, times: u64) {
    let storm = runtime.spawn(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = rt::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                rt::spawn(echo(stream));
            }
        });
        for _ in 0..times.div_ceil(50) {
            let clients: Vec<_> = (0..50)
                .map(|_| {
                    rt::spawn(
                        async move { trips(TcpStream::connect(address).await.unwrap(), 1).await },
                    )
                })
                .collect();
            for client in clients {
                client.await.unwrap();
            }
        }
        server.abort();
    });
    runtime.block_on(storm).unwrap();
}

/// A message and its echo, through a proxy.
pub fn tcp_proxy(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let (client, mut downstream) = connected().await;
        let (mut upstream, server) = connected().await;
        rt::spawn(echo(server));
        let proxy =
            rt::spawn(
                async move { copy_bidirectional(&mut downstream, &mut upstream).await.unwrap() },
            );
        trips(client, times).await;
        assert_eq!(proxy.await.unwrap(), (64 * times, 64 * times));
    });
}

/// A message of 64 bytes and its echo, by a pair of Unix sockets.
pub fn unix_trip(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let (client, server) = UnixStream::pair().unwrap();
        rt::spawn(echo(server));
        trips(client, times).await;
    });
}

/// A datagram and its echo.
pub fn udp_trip(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        client.connect(server.local_addr().unwrap()).await.unwrap();
        rt::spawn(async move {
            let mut buf = [0; 2_048];
            for _ in 0..times {
                let (n, from) = server.recv_from(&mut buf).await.unwrap();
                server.send_to(&buf[..n], from).await.unwrap();
            }
        });
        let mut buf = [0; 8];
        for n in 0..times {
            client.send(&n.to_le_bytes()).await.unwrap();
            assert_eq!(client.recv(&mut buf).await.unwrap(), 8);
            assert_eq!(buf, n.to_le_bytes());
        }
    });
}

/// The same by a pair of Unix sockets.
pub fn unix_datagrams(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let (client, server) = UnixDatagram::pair().unwrap();
        rt::spawn(async move {
            let mut buf = [0; 2_048];
            for _ in 0..times {
                let n = server.recv(&mut buf).await.unwrap();
                server.send(&buf[..n]).await.unwrap();
            }
        });
        let mut buf = [0; 8];
        for n in 0..times {
            client.send(&n.to_le_bytes()).await.unwrap();
            assert_eq!(client.recv(&mut buf).await.unwrap(), 8);
            assert_eq!(buf, n.to_le_bytes());
        }
    });
}
