//! A UDP echo server that moves many datagrams with few system calls.
//!
//! `cargo run --release -p henge-examples --example 08_udp_echo`, then `nc -u 127.0.0.1 7000`
//!
//! A receive takes all that wait, joined by the kernel where they are of one sender and one length
//! (GRO). Those go back as one buffer that the kernel cuts again (GSO); all others go back with one
//! call for the lot.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::net::SocketAddr;

use henge::net::UdpSocket;
use henge::net::udp::{Batch, Datagram, Outgoing};

/// So many datagrams, or joined ones, a call receives at most.
const BATCH: usize = 32;
/// The room for each: what the kernel joins is no longer.
const ROOM: usize = 65_535;

#[henge::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:7000").await?;
    println!("echoing on udp {}", socket.local_addr()?);
    echo(&socket).await
}

async fn echo(socket: &UdpSocket) -> std::io::Result<()> {
    if let Err(error) = socket.set_gro(true) {
        eprintln!("without GRO: {error}");
    }
    let mut batch = Batch::new(BATCH, ROOM);
    loop {
        let count = socket.recv_many(&mut batch).await?;
        let mut single = Vec::with_capacity(count);
        for datagram in (0..count).filter_map(|at| batch.get(at)) {
            if datagram.segment < datagram.bytes.len() {
                back_in_segments(socket, datagram).await;
            } else {
                single.push(Outgoing { bytes: datagram.bytes, to: Some(datagram.from) });
            }
        }
        back_one_by_one(socket, &single).await;
    }
}

/// A peer that cannot be reached is its own problem.
fn complain(peer: Option<SocketAddr>, error: &std::io::Error) {
    match peer {
        Some(peer) => eprintln!("{peer}: {error}"),
        None => eprintln!("{error}"),
    }
}

async fn back_in_segments(socket: &UdpSocket, datagram: Datagram<'_>) {
    let Ok(segment) = u16::try_from(datagram.segment) else { return };
    let sent = socket.send_segments(datagram.bytes, segment, Some(datagram.from)).await;
    if let Err(error) = sent {
        complain(Some(datagram.from), &error);
    }
}

async fn back_one_by_one(socket: &UdpSocket, mut datagrams: &[Outgoing<'_>]) {
    while let Some(first) = datagrams.first() {
        let done = match socket.send_many(datagrams).await {
            Ok(sent) => sent,
            Err(error) => {
                complain(first.to, &error);
                1
            }
        };
        datagrams = &datagrams[done..];
    }
}
