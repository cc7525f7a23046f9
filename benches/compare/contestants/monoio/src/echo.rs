//! The echo server, as monoio's README writes it.

use std::net::SocketAddr;

use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};

/// Serves until killed.
pub async fn serve(addr: SocketAddr, buffer: usize) -> std::io::Result<()> {
    let listener = TcpListener::bind(addr)?;
    contestant::ready(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        monoio::spawn(echo(stream, buffer));
    }
}

async fn echo(mut stream: TcpStream, buffer: usize) {
    let mut buf = Vec::with_capacity(buffer);
    loop {
        let (read, filled) = stream.read(buf).await;
        let Ok(1..) = read else { break };
        // `write_all` sends the vector's length, which `read` has set.
        let (written, back) = stream.write_all(filled).await;
        if written.is_err() {
            break;
        }
        buf = back;
        buf.clear();
    }
}
