//! A stream that one thread has used is used by another.

#![allow(clippy::async_yields_async, reason = "handles leave the runtime on purpose here")]

use std::io::Write;
use std::time::Duration;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream, UnixStream};
use henge::runtime::Builder;
use henge::shard::ShardId;

/// Answers each byte with the next one.
async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let (mut stream, _peer) = listener.accept().await?;
    while let Ok(byte) = stream.read_u8().await {
        stream.write_u8(byte + 1).await?;
    }
    Ok(())
}

async fn ask(stream: &mut TcpStream, byte: u8) -> std::io::Result<u8> {
    stream.write_u8(byte).await?;
    let answer = henge::time::timeout(Duration::from_secs(20), stream.read_u8()).await;
    answer.map_err(std::io::Error::other)?
}

#[test]
fn from_a_guest_to_a_shard_to_another_and_back() -> std::io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).build()?;
    // Bound by a guest, which then does something else, and served on a shard.
    let listener = runtime.block_on(async { TcpListener::bind("127.0.0.1:0").await })?;
    let address = listener.local_addr()?;
    let _server = runtime.spawn(serve(listener));
    let mut stream = runtime.block_on(async {
        let mut stream = TcpStream::connect(address).await?;
        assert_eq!(ask(&mut stream, 1).await?, 2);
        std::io::Result::Ok(stream)
    })?;
    // This thread does not turn its ring now, and the stream is used on shard 0 and shard 1.
    for shard in [0, 1] {
        stream = runtime.run(move || async move {
            let there = henge::spawn_on(ShardId::new(shard), move || async move {
                let answer = ask(&mut stream, 10).await;
                answer.map(|answer| (answer, stream))
            });
            let (answer, stream) = there.await.map_err(std::io::Error::other)??;
            assert_eq!(answer, 11);
            std::io::Result::Ok(stream)
        })?;
    }
    assert_eq!(runtime.block_on(async { ask(&mut stream, 20).await })?, 21);
    Ok(())
}

#[test]
fn a_receive_into_an_owned_buffer_goes_along() -> std::io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).build()?;
    let (mut peer, ours) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut stream = UnixStream::from_std(ours)?;
    let mut reading = Box::pin(async move {
        let (read, buffer) = stream.read_owned(Vec::with_capacity(8)).await;
        read.map(|n| buffer[..n].to_vec())
    });
    // It is under way on this thread's ring, and then awaited on a shard.
    runtime.block_on(async {
        let soon = Duration::from_millis(5);
        assert!(henge::time::timeout(soon, &mut reading).await.is_err());
    });
    let (tx, rx) = std::sync::mpsc::channel();
    let _task = runtime.spawn(async move { tx.send(reading.await) });
    peer.write_all(b"hello")?;
    let read = rx.recv_timeout(Duration::from_secs(20)).map_err(std::io::Error::other)?;
    assert_eq!(read?, b"hello");
    Ok(())
}

#[test]
fn a_task_that_waits_goes_on_at_the_next_block_on() -> std::io::Result<()> {
    let runtime = Builder::new_current_thread().build()?;
    let (mut here, there) = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (here, accepted) = henge::join!(TcpStream::connect(address), listener.accept());
        std::io::Result::Ok((here?, accepted?.0))
    })?;
    let waits = runtime.block_on(async {
        let waits = henge::spawn(async move {
            let mut there = there;
            let first = there.read_u8().await?;
            std::io::Result::Ok((first, there.read_u8().await?))
        });
        // It waits for the first byte, and its receive is armed.
        henge::time::sleep(Duration::from_millis(5)).await;
        waits
    });
    runtime.block_on(async { here.write_u8(1).await })?;
    // Written while nobody turns the ring of this thread.
    std::thread::sleep(Duration::from_millis(5));
    runtime.block_on(async { here.write_u8(2).await })?;
    let both = runtime.block_on(async {
        henge::time::timeout(Duration::from_secs(20), waits).await.map_err(std::io::Error::other)
    })?;
    assert_eq!(both.map_err(std::io::Error::other)??, (1, 2));
    Ok(())
}

#[test]
fn leaving_block_on_sends_what_was_written() -> std::io::Result<()> {
    use std::io::Read;
    let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = server.local_addr()?;
    // More than the kernel takes at once: it goes out while the peer reads.
    let peer = std::thread::spawn(move || -> std::io::Result<usize> {
        let (mut stream, _client) = server.accept()?;
        std::thread::sleep(Duration::from_millis(20));
        let mut bytes = vec![0; 8 << 20];
        stream.read_exact(&mut bytes)?;
        Ok(bytes.len())
    });
    let runtime = Builder::new_current_thread().build()?;
    let stream = runtime.block_on(async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&vec![7; 8 << 20]).await?;
        std::io::Result::Ok(stream)
    })?;
    // This thread waits here, and turns no ring.
    let received = peer.join().map_err(|_| std::io::Error::other("the peer panicked"))?;
    assert_eq!(received?, 8 << 20);
    drop(stream);
    Ok(())
}
