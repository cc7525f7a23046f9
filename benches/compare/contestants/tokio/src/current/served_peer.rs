//! A file through a socket, in tokio's words: by its files, and as programs do that want no copies.

use std::io;
use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;

use crate::served;

/// What tokio's files read into at once, at most, unless told otherwise.
const PIECE: usize = 128 << 10;

pub struct ByBuffer;

impl served::Send for ByBuffer {
    async fn send(stream: &mut TcpStream, path: &Path, bytes: u64) -> io::Result<()> {
        let mut file = File::open(path).await?;
        let mut buf = vec![0; PIECE.min(bytes as usize)];
        loop {
            match file.read(&mut buf).await? {
                0 => return stream.flush().await,
                n => stream.write_all(&buf[..n]).await?,
            }
        }
    }
}

pub struct BySendfile;

impl served::Send for BySendfile {
    async fn send(stream: &mut TcpStream, path: &Path, bytes: u64) -> io::Result<()> {
        let file = File::open(path).await?.into_std().await;
        let mut at = 0;
        while at < bytes {
            let left = (bytes - at) as usize;
            let send = || Ok(rustix::fs::sendfile(&stream, &file, Some(&mut at), left)?);
            if stream.async_io(Interest::WRITABLE, send).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}
