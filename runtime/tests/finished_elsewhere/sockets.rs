//! What is about to be connected, and sockets that wait by polls.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use henge::io::unix::AsyncFd;
use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::unix::pipe;
use henge::net::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket,
    UnixStream,
};

use super::{Event, LONG, Make, Place, Waits, boxed, check_all, event, full_pipe, same};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A listener with so many connections in its queue that it takes no more, and an event by which it
/// takes them all, and those that come.
fn busy_tcp() -> io::Result<(SocketAddr, Event)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(ANY)?;
    let listener = socket.listen(0)?.into_std()?;
    listener.set_nonblocking(false)?;
    let address = listener.local_addr()?;
    let mut clients = Vec::new();
    let soon = std::time::Duration::from_millis(20);
    while let Ok(client) = std::net::TcpStream::connect_timeout(&address, soon) {
        clients.push(client);
    }
    let event = event(move || {
        for _ in 0..=clients.len() {
            std::mem::forget(listener.accept()?);
        }
        Ok(())
    });
    Ok((address, event))
}

fn connect() -> io::Result<(Waits, Event)> {
    let (address, event) = busy_tcp()?;
    Ok((boxed(async move { TcpStream::connect(address).await.map(drop) }), event))
}

fn connect_timeout() -> io::Result<(Waits, Event)> {
    let (address, event) = busy_tcp()?;
    Ok((boxed(async move { TcpStream::connect_timeout(address, LONG).await.map(drop) }), event))
}

/// Nobody takes it, and its limit passes wherever it is waited for.
fn connect_too_late() -> io::Result<(Waits, Event)> {
    let (address, accepts) = busy_tcp()?;
    let limit = std::time::Duration::from_millis(40);
    let waits = async move {
        let late = TcpStream::connect_timeout(address, limit).await.map(drop);
        drop(accepts);
        same(late.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut))
    };
    Ok((boxed(waits), super::none()))
}

fn connect_unix() -> io::Result<(Waits, Event)> {
    let place = Place::new();
    let socket = UnixSocket::new_stream()?;
    socket.bind(&place.0)?;
    let listener = socket.listen(0)?.into_std()?;
    listener.set_nonblocking(false)?;
    let client = std::os::unix::net::UnixStream::connect(&place.0)?;
    let waits = async move { UnixStream::connect(&place.0).await.map(drop) };
    let event = event(move || {
        let first = listener.accept()?;
        std::mem::forget((first, listener.accept()?, client));
        Ok(())
    });
    Ok((boxed(waits), event))
}

fn tcp_listener() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(ANY)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

fn connects(address: SocketAddr) -> Event {
    event(move || {
        std::mem::forget(std::net::TcpStream::connect(address)?);
        Ok(())
    })
}

fn accept() -> io::Result<(Waits, Event)> {
    let (listener, address) = tcp_listener()?;
    Ok((boxed(async move { listener.accept().await.map(drop) }), connects(address)))
}

fn accept_timeout() -> io::Result<(Waits, Event)> {
    let (listener, address) = tcp_listener()?;
    let waits = async move { listener.accept_timeout(LONG).await.map(drop) };
    Ok((boxed(waits), connects(address)))
}

fn accept_too_late() -> io::Result<(Waits, Event)> {
    let (listener, _address) = tcp_listener()?;
    let limit = std::time::Duration::from_millis(40);
    let waits = async move {
        let late = listener.accept_timeout(limit).await.map(drop);
        same(late.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut))
    };
    Ok((boxed(waits), super::none()))
}

fn accept_unix() -> io::Result<(Waits, Event)> {
    let place = Place::new();
    let listener = UnixListener::bind(&place.0)?;
    let path = place.0.clone();
    let waits = async move {
        listener.accept().await?;
        drop(place);
        Ok(())
    };
    let event = event(move || {
        std::mem::forget(std::os::unix::net::UnixStream::connect(path)?);
        Ok(())
    });
    Ok((boxed(waits), event))
}

fn udp() -> io::Result<(UdpSocket, Event)> {
    let socket = std::net::UdpSocket::bind(ANY)?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let event = event(move || {
        std::net::UdpSocket::bind(ANY)?.send_to(b"hello", address)?;
        Ok(())
    });
    Ok((UdpSocket::from_std(socket)?, event))
}

fn udp_recv() -> io::Result<(Waits, Event)> {
    let (socket, event) = udp()?;
    Ok((boxed(async move { same(socket.recv(&mut [0; 8]).await?, 5) }), event))
}

fn udp_recv_from() -> io::Result<(Waits, Event)> {
    let (socket, event) = udp()?;
    Ok((boxed(async move { same(socket.recv_from(&mut [0; 8]).await?.0, 5) }), event))
}

fn udp_peek() -> io::Result<(Waits, Event)> {
    let (socket, event) = udp()?;
    Ok((boxed(async move { same(socket.peek(&mut [0; 8]).await?, 5) }), event))
}

fn udp_readable() -> io::Result<(Waits, Event)> {
    let (socket, event) = udp()?;
    Ok((boxed(async move { socket.readable().await }), event))
}

fn unix_datagram_send() -> io::Result<(Waits, Event)> {
    let (ours, theirs) = std::os::unix::net::UnixDatagram::pair()?;
    ours.set_nonblocking(true)?;
    while ours.send(b"hello").is_ok() {}
    let socket = UnixDatagram::from_std(ours)?;
    let event = event(move || {
        theirs.set_nonblocking(true)?;
        while theirs.recv(&mut [0; 8]).is_ok() {}
        std::mem::forget(theirs);
        Ok(())
    });
    Ok((boxed(async move { same(socket.send(b"hello").await?, 5) }), event))
}

fn pipe_read() -> io::Result<(Waits, Event)> {
    let (reader, mut writer) = io::pipe()?;
    let mut reader = pipe::Receiver::from_owned_fd(reader.into())?;
    let waits = async move { same(reader.read(&mut [0; 8]).await?, 5) };
    Ok((boxed(waits), event(move || writer.write_all(b"hello"))))
}

fn pipe_write() -> io::Result<(Waits, Event)> {
    let (reader, writer) = full_pipe()?;
    let mut writer = pipe::Sender::from_owned_fd(writer)?;
    let waits = async move { writer.write_all(b"hello").await };
    Ok((boxed(waits), super::take(reader, 8 << 10)))
}

fn splice() -> io::Result<(Waits, Event)> {
    let (reader, mut writer) = io::pipe()?;
    let from = pipe::Receiver::from_owned_fd(reader.into())?;
    let (kept, writes) = io::pipe()?;
    let to = pipe::Sender::from_owned_fd(writes.into())?;
    let waits = async move {
        let moved = henge::io::splice(&from, &to, 8).await?;
        drop(kept);
        same(moved, 5)
    };
    Ok((boxed(waits), event(move || writer.write_all(b"hello"))))
}

fn splice_to_file() -> io::Result<(Waits, Event)> {
    let (reader, mut writer) = io::pipe()?;
    let from = pipe::Receiver::from_owned_fd(reader.into())?;
    let place = Place::file(b"")?;
    let file = std::fs::File::options().write(true).open(&place.0)?;
    let waits = async move {
        let moved = from.splice_to_file(&file, 0, 5).await?;
        drop(place);
        same(moved, 5)
    };
    Ok((boxed(waits), event(move || writer.write_all(b"hello"))))
}

fn async_fd() -> io::Result<(Waits, Event)> {
    let (reader, mut writer) = io::pipe()?;
    let reader = Arc::new(AsyncFd::new(reader)?);
    let waits = async move { reader.readable().await.map(drop) };
    Ok((boxed(waits), event(move || writer.write_all(b"hello"))))
}

const TABLE: &[(&str, Make)] = &[
    ("accept", accept),
    ("accept_timeout", accept_timeout),
    ("accept_too_late", accept_too_late),
    ("accept_unix", accept_unix),
    ("udp_recv", udp_recv),
    ("udp_recv_from", udp_recv_from),
    ("udp_peek", udp_peek),
    ("udp_readable", udp_readable),
    ("unix_datagram_send", unix_datagram_send),
    ("pipe_read", pipe_read),
    ("pipe_write", pipe_write),
    ("splice", splice),
    ("splice_to_file", splice_to_file),
    ("async_fd", async_fd),
];

#[test]
fn connecting() {
    let kinds: &[(&str, Make)] = &[
        ("connect", connect),
        ("connect_timeout", connect_timeout),
        ("connect_too_late", connect_too_late),
        ("connect_unix", connect_unix),
    ];
    // A connection that was refused is asked for again a second later, so all at a time.
    std::thread::scope(|scope| {
        kinds.iter().for_each(|kind| drop(scope.spawn(|| check_all(&[*kind]))));
    });
}

#[test]
fn waiting_for_peers() {
    check_all(TABLE);
}
