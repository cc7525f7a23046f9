//! A server for the files of a folder, over HTTP.
//!
//! `cargo run --release -p henge-examples --example 13_files -- FOLDER`, then
//! `curl http://127.0.0.1:7080/NAME`
//!
//! `send_file` sends what the kernel has in memory without a copy, in one packet with the head of
//! the answer, and has the ring read what it has not. Each shard has its own listener and serves
//! its own connections.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::io;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use henge::fs::File;
use henge::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use henge::net::{TcpListener, TcpStream};
use henge::time::timeout;

/// What is sent at a time, within which a peer has to take something.
const PIECE: u64 = 1 << 20;
/// The longest head of a request.
const HEAD: u64 = 8 << 10;
/// For how long a connection may say nothing, or take nothing.
const PATIENCE: Duration = Duration::from_secs(30);

#[henge::main]
pub(crate) async fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("usage: 13_files FOLDER"));
    };
    println!("{} on http://127.0.0.1:7080", folder.display());
    henge::run_each(move || {
        let folder = folder.clone();
        async move { serve(TcpListener::bind("127.0.0.1:7080").await?, folder.into()).await }
    })
    .await?;
    Ok(())
}

pub(crate) async fn serve(listener: TcpListener, folder: Rc<Path>) -> io::Result<()> {
    loop {
        let (stream, peer) = listener.accept().await?;
        let folder = folder.clone();
        henge::spawn(async move {
            if let Err(error) = connection(BufReader::new(stream), &folder).await {
                println!("{peer}: {error}");
            }
        });
    }
}

/// Answers one request after another.
async fn connection(mut stream: BufReader<TcpStream>, folder: &Path) -> io::Result<()> {
    while let Some(request) = timeout(PATIENCE, Request::read(&mut stream)).await?? {
        let open = match &*request.method {
            "GET" | "HEAD" => open(folder, &request.path).await,
            _ => Err(io::ErrorKind::Unsupported.into()),
        };
        let (status, file, len) = match open {
            Ok((file, len)) => ("200 OK", Some(file), len),
            Err(error) => (status(&error), None, 0),
        };
        let end = if request.last { "close" } else { "keep-alive" };
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-length: {len}\r\nconnection: {end}\r\n\r\n");
        let stream = stream.get_mut();
        stream.write_all(head.as_bytes()).await?;
        if let Some(file) = file.filter(|_| request.method == "GET") {
            send(stream, &file, len).await?;
        }
        stream.flush().await?;
        if request.last {
            return stream.shutdown().await;
        }
    }
    Ok(())
}

/// Sends the first `len` bytes of a file.
async fn send(stream: &mut TcpStream, file: &File, len: u64) -> io::Result<()> {
    let mut at = 0;
    while at < len {
        // It may have grown meanwhile; if it shrank, all that can be done is to break off.
        let end = len.min(at + PIECE);
        match timeout(PATIENCE, stream.send_file(file, at..end)).await?? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            sent => at += sent,
        }
    }
    Ok(())
}

/// What a request asks for, as far as this server cares.
struct Request {
    method: String,
    path: String,
    /// The client wants no other answer on this connection.
    last: bool,
}

impl Request {
    /// None if the connection ends instead. Requests have no bodies here.
    async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
        let mut head = stream.take(HEAD);
        let mut line = String::new();
        if head.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(path), Some(version)) = (words.next(), words.next(), words.next())
        else {
            return Err(io::Error::other("this is not HTTP"));
        };
        let (method, path) = (method.to_owned(), path.to_owned());
        let mut last = version == "HTTP/1.0";
        loop {
            line.clear();
            if head.read_line(&mut line).await? == 0 {
                return Err(io::Error::other("the head has no end"));
            }
            match line.trim_end() {
                "" => return Ok(Some(Request { method, path, last })),
                line => last |= line.eq_ignore_ascii_case("connection: close"),
            }
        }
    }
}

/// A file below the folder, and its length. Names that have to be escaped are not served.
async fn open(folder: &Path, path: &str) -> io::Result<(File, u64)> {
    let path = Path::new(path.trim_start_matches('/'));
    // Nothing that leads out of the folder, except for links that somebody made in it.
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = File::open(folder.join(path)).await?;
    let metadata = file.metadata().await?;
    // A folder, or a device that never ends.
    if !metadata.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok((file, metadata.len()))
}

fn status(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "404 Not Found",
        io::ErrorKind::PermissionDenied => "403 Forbidden",
        io::ErrorKind::Unsupported => "405 Method Not Allowed",
        _ => "500 Internal Server Error",
    }
}
