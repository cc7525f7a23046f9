//! The echo server, on kimojio's operations: it has no stream type for plain TCP with `read`.

use std::io;
use std::net::{SocketAddr, TcpListener};

use kimojio::operations;
use kimojio::{OwnedFd, socket_helpers};

/// Serves until killed.
pub async fn serve(addr: SocketAddr, buffer: usize) -> io::Result<()> {
    let listener = TcpListener::bind(addr)?;
    contestant::ready(listener.local_addr()?);
    let listener = OwnedFd::from(listener);
    loop {
        let stream = operations::accept(&listener).await?;
        socket_helpers::update_accept_socket(&stream)?;
        drop(operations::spawn_task(echo(stream, buffer)));
    }
}

async fn echo(stream: OwnedFd, buffer: usize) {
    let mut buf = vec![0; buffer];
    while let Ok(n @ 1..) = operations::read(&stream, &mut buf).await {
        let mut sent = 0;
        while sent < n {
            match operations::write(&stream, &buf[sent..n]).await {
                Ok(written @ 1..) => sent += written,
                _ => return,
            }
        }
    }
}
