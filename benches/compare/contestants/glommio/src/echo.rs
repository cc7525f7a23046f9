//! The echo server, as glommio's examples write it.

use std::io;
use std::net::SocketAddr;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use glommio::GlommioError;
use glommio::net::{TcpListener, TcpStream};

/// Serves until killed.
pub async fn serve(addr: SocketAddr, buffer: usize) -> io::Result<()> {
    let listener = TcpListener::bind(addr).map_err(other)?;
    contestant::ready(listener.local_addr().map_err(other)?);
    loop {
        let stream = listener.accept().await.map_err(other)?;
        stream.set_nodelay(true).map_err(other)?;
        glommio::spawn_local(echo(stream, buffer)).detach();
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

/// Its errors may hold a panic's payload, which `io::Error` cannot.
fn other(error: GlommioError<()>) -> io::Error {
    io::Error::other(error.to_string())
}
