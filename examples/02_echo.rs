//! An echo server on all cores.
//!
//! `cargo run --release -p henge-examples --example 02_echo`, then `nc 127.0.0.1 7000`
//!
//! `run_each` runs the same server on every shard. Each binds the address for itself and gets an
//! accept queue of its own; the kernel spreads connections over them, and a connection stays on the
//! shard that accepted it.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream};

#[henge::main]
async fn main() -> std::io::Result<()> {
    println!("echoing on 127.0.0.1:7000");
    henge::run_each(|| async {
        let listener = TcpListener::bind("127.0.0.1:7000").await?;
        loop {
            let (stream, peer) = listener.accept().await?;
            henge::spawn(async move {
                if let Err(error) = echo(stream).await {
                    eprintln!("{peer}: {error}");
                }
            });
        }
    })
    .await
}

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 4096];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length]).await?;
    }
}
