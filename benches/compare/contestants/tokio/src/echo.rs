//! The echo server, as tokio's tutorial writes it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves until killed.
pub async fn serve(addr: SocketAddr, buffer: usize) -> std::io::Result<()> {
    let listener = TcpListener::bind(addr).await?;
    contestant::ready(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(echo(stream, buffer));
    }
}

async fn echo(mut stream: TcpStream, buffer: usize) {
    let mut buf = vec![0; buffer];
    while let Ok(n @ 1..) = stream.read(&mut buf).await {
        if stream.write_all(&buf[..n]).await.is_err() {
            break;
        }
    }
}
