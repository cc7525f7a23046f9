//! Streams that are in memory alone.

use super::streams::{echo, trips};
use super::sum;
use crate::rt;
use crate::rt::io::{AsyncReadExt, AsyncWriteExt, duplex};
use crate::rt::runtime::Runtime;

/// A message of 64 bytes and its echo.
pub fn duplex_trip(runtime: &Runtime, times: u64) {
    runtime.block_on(async {
        let (client, server) = duplex(64);
        rt::spawn(echo(server));
        trips(client, times).await;
    });
}

/// 16 KiB copied from one stream to another.
pub fn duplex_copy(runtime: &Runtime, times: u64) {
    const PIECE: usize = 16 << 10;
    runtime.block_on(async {
        let (mut to, mut from) = duplex(PIECE);
        let (mut sink, mut drain) = duplex(PIECE);
        let writer = rt::spawn(async move {
            let piece = vec![7; PIECE];
            for _ in 0..times {
                to.write_all(&piece).await.unwrap();
            }
        });
        let copy = rt::spawn(async move { rt::io::copy(&mut from, &mut sink).await.unwrap() });
        let mut read = vec![0; PIECE];
        for _ in 0..times {
            drain.read_exact(&mut read).await.unwrap();
        }
        assert_eq!(copy.await.unwrap(), times * PIECE as u64);
        writer.await.unwrap();
    });
}

/// Frames with their length in front.
pub fn frames(runtime: &Runtime, times: u64) {
    let total = runtime.block_on(async {
        let (mut to, mut from) = duplex(4_096);
        rt::spawn(async move {
            for n in 0..times {
                let body = vec![n as u8; 8 + n as usize % 56];
                to.write_u32(body.len() as u32).await.unwrap();
                to.write_u64(n).await.unwrap();
                to.write_all(&body).await.unwrap();
            }
        });
        let mut total = 0;
        for n in 0..times {
            let length = from.read_u32().await.unwrap();
            total += from.read_u64().await.unwrap();
            let mut body = vec![0; length as usize];
            from.read_exact(&mut body).await.unwrap();
            assert!(body.iter().all(|byte| *byte == n as u8));
        }
        total
    });
    assert_eq!(total, sum(times));
}
