//! A server of one file over HTTP/1.1, in tokio's words, which are henge's too. What sends the file
//! is the contestant's own.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::peer::{self, AsyncBufReadExt, AsyncWriteExt, BufReader, TcpListener, TcpStream};

/// How a contestant sends a file.
pub trait Send: 'static {
    /// Opens the file and sends it whole, and flushes.
    fn send(
        stream: &mut TcpStream,
        path: &Path,
        bytes: u64,
    ) -> impl Future<Output = io::Result<()>> + std::marker::Send;
}

/// Serves until killed.
pub async fn serve<S: Send>(addr: SocketAddr, bytes: u64) -> io::Result<()> {
    let path = contestant::files::served(bytes);
    let listener = TcpListener::bind(addr).await?;
    contestant::ready(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that leaves in the middle is no news here.
        peer::detach(peer::spawn(connection::<S>(stream, path.clone(), bytes)));
    }
}

async fn connection<S: Send>(stream: TcpStream, path: PathBuf, bytes: u64) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n");
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        // All requests are the same: one ends with an empty line.
        if line == "\r\n" {
            let stream = stream.get_mut();
            stream.write_all(head.as_bytes()).await?;
            S::send(stream, &path, bytes).await?;
        }
        line.clear();
    }
    Ok(())
}
