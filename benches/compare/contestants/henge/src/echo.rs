//! The echo server, twice: as a program that comes from tokio writes it, and without a copy.

use std::net::SocketAddr;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream};

/// Serves until killed.
pub async fn serve<F: Future<Output = ()> + 'static>(
    addr: SocketAddr,
    echo: impl Fn(TcpStream) -> F,
) -> std::io::Result<()> {
    let listener = TcpListener::bind(addr).await?;
    contestant::ready(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        henge::spawn(echo(stream));
    }
}

/// By `read` and `write_all`.
pub async fn by_copies(mut stream: TcpStream, buffer: usize) {
    let mut buf = vec![0; buffer];
    while let Ok(n @ 1..) = stream.read(&mut buf).await {
        if stream.write_all(&buf[..n]).await.is_err() {
            break;
        }
    }
}

/// By `recv` and `write_all_owned`: what was received is sent from where the kernel has put it.
pub async fn by_buffers(mut stream: TcpStream) {
    while let Ok(received) = stream.recv().await {
        if received.is_empty() || stream.write_all_owned(received).await.0.is_err() {
            break;
        }
    }
}
