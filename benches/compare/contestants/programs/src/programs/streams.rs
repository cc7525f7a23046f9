//! What is the same for all streams of bytes; and pipes.

use crate::rt;
use crate::rt::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use crate::rt::net::unix::pipe;
use crate::rt::runtime::Runtime;

/// Sends back what comes, until nothing does.
pub async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buf = [0; 4_096];
    loop {
        match stream.read(&mut buf).await.unwrap() {
            0 => return,
            n => stream.write_all(&buf[..n]).await.unwrap(),
        }
    }
}

/// Asks an echo.
pub async fn trips(mut stream: impl AsyncRead + AsyncWrite + Unpin, times: u64) {
    let (mut sent, mut received) = ([0; 64], [0; 64]);
    for n in 0..times {
        sent[..8].copy_from_slice(&n.to_le_bytes());
        stream.write_all(&sent).await.unwrap();
        stream.read_exact(&mut received).await.unwrap();
        assert_eq!(received, sent);
    }
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut received).await.unwrap(), 0);
}

/// A message by one pipe, and its echo by another.
pub fn pipe(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let (to_server, from_client) = pipe::pipe().unwrap();
        let (to_client, from_server) = pipe::pipe().unwrap();
        rt::spawn(echo(rt::io::join(from_client, to_client)));
        let (mut to, mut from) = (to_server, from_server);
        let mut number = [0; 8];
        for n in 0..times {
            to.write_all(&n.to_le_bytes()).await.unwrap();
            from.read_exact(&mut number).await.unwrap();
            assert_eq!(number, n.to_le_bytes());
        }
    });
}
