//! The echo server, as compio's examples write it.

use std::net::SocketAddr;

use compio::BufResult;
use compio::buf::{IntoInner, IoBuf};
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};

/// Serves until killed.
pub async fn serve(addr: SocketAddr, buffer: usize) -> std::io::Result<()> {
    let listener = TcpListener::bind(addr).await?;
    contestant::ready(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        compio::runtime::spawn(echo(stream, buffer)).detach();
    }
}

async fn echo(mut stream: TcpStream, buffer: usize) {
    let mut buf = Vec::with_capacity(buffer);
    loop {
        let BufResult(read, filled) = stream.read(buf).await;
        let Ok(n @ 1..) = read else { break };
        let BufResult(written, back) = stream.write_all(filled.slice(..n)).await;
        if written.is_err() {
            break;
        }
        buf = back.into_inner();
        buf.clear();
    }
}
