//! UDP: datagrams and their echoes, both ends in one runtime and on one core.

use std::net::SocketAddr;

use contestant::{Meter, Row};

use crate::peer;

const PEERS: u64 = 32;
const WARM: u64 = 100;
const EACH: u64 = 2_000;

/// A datagram of 64 bytes and its echo: two sends and two receives.
pub fn echo() -> Row {
    peer::run(|| async {
        let server = bound().await;
        let address = match server.local_addr() {
            Ok(address) => address,
            Err(error) => panic!("no name: {error}"),
        };
        peer::detach(peer::spawn(async move {
            let mut buf = [0; 2_048];
            while let Ok((n, from)) = server.recv_from(&mut buf).await {
                if server.send_to(&buf[..n], from).await.is_err() {
                    break;
                }
            }
        }));
        rounds(address, WARM).await;
        let meter = Meter::start();
        rounds(address, EACH).await;
        meter.stop(PEERS * EACH)
    })
}

async fn rounds(server: SocketAddr, each: u64) {
    let peers: Vec<_> = (0..PEERS).map(|_| peer::spawn(ask(server, each))).collect();
    for peer in peers {
        if peer.await.is_err() {
            panic!("a peer did not come to its end");
        }
    }
}

async fn ask(server: SocketAddr, times: u64) {
    let socket = bound().await;
    let mut buf = [0; 64];
    for n in 0..times {
        buf[..8].copy_from_slice(&n.to_le_bytes());
        let sent = socket.send_to(&buf, server).await;
        let received = socket.recv(&mut buf).await;
        if !matches!((sent, received), (Ok(64), Ok(64))) || buf[..8] != n.to_le_bytes() {
            panic!("no echo");
        }
    }
}

async fn bound() -> peer::UdpSocket {
    match peer::UdpSocket::bind("127.0.0.1:0").await {
        Ok(socket) => socket,
        Err(error) => panic!("no socket: {error}"),
    }
}
