//! Streams that are connected.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream as Peer;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::UnixStream;

use super::{Event, Waits, boxed, check_all, event, same};

fn pair() -> io::Result<(UnixStream, Peer)> {
    let (ours, theirs) = Peer::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs))
}

fn hello(mut peer: Peer) -> Event {
    event(move || {
        peer.write_all(b"hello")?;
        std::mem::forget(peer);
        Ok(())
    })
}

/// Takes so many bytes.
fn take(mut peer: Peer, len: usize) -> Event {
    event(move || {
        peer.read_exact(&mut vec![0; len])?;
        std::mem::forget(peer);
        Ok(())
    })
}

const MUCH: usize = 4 << 20;

fn read() -> io::Result<(Waits, Event)> {
    let (mut stream, peer) = pair()?;
    Ok((boxed(async move { same(stream.read(&mut [0; 8]).await?, 5) }), hello(peer)))
}

fn recv() -> io::Result<(Waits, Event)> {
    let (mut stream, peer) = pair()?;
    let waits = async move { same(&stream.recv().await?[..], &b"hello"[..]) };
    Ok((boxed(waits), hello(peer)))
}

fn read_owned() -> io::Result<(Waits, Event)> {
    let (mut stream, peer) = pair()?;
    Ok((boxed(async move { same(stream.read_owned(vec![0; 8]).await.0?, 5) }), hello(peer)))
}

fn readable() -> io::Result<(Waits, Event)> {
    let (stream, peer) = pair()?;
    Ok((boxed(async move { stream.readable().await }), hello(peer)))
}

fn half() -> io::Result<(Waits, Event)> {
    let (stream, peer) = pair()?;
    let (mut reader, _writer) = stream.into_split();
    Ok((boxed(async move { same(reader.read(&mut [0; 8]).await?, 5) }), hello(peer)))
}

fn write_all() -> io::Result<(Waits, Event)> {
    let (mut stream, peer) = pair()?;
    let waits = async move {
        stream.write_all(&vec![1; MUCH]).await?;
        stream.flush().await
    };
    Ok((boxed(waits), take(peer, MUCH)))
}

fn write_owned() -> io::Result<(Waits, Event)> {
    let (mut stream, peer) = pair()?;
    let waits = async move { stream.write_all_owned(vec![1; MUCH]).await.0 };
    Ok((boxed(waits), take(peer, MUCH)))
}

fn send_file() -> io::Result<(Waits, Event)> {
    let (mut stream, peer) = pair()?;
    let place = super::Place::file(&vec![1; MUCH])?;
    let file = std::fs::File::open(&place.0)?;
    let waits = async move {
        same(stream.send_file(&file, 0..MUCH as u64).await?, MUCH as u64)?;
        drop(place);
        Ok(())
    };
    Ok((boxed(waits), take(peer, MUCH)))
}

#[test]
fn receiving() {
    check_all(&[
        ("read", read),
        ("recv", recv),
        ("read_owned", read_owned),
        ("readable", readable),
        ("half", half),
    ]);
}

#[test]
fn sending() {
    check_all(&[("write_all", write_all), ("write_owned", write_owned), ("send_file", send_file)]);
}
