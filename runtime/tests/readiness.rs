//! Sockets, pipes and foreign descriptors that wait by polls, on shards: aborted, shared, dropped
//! elsewhere, and there when the runtime ends.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use henge::io::AsyncReadExt;
use henge::io::unix::AsyncFd;
use henge::net::unix::pipe;
use henge::net::{UdpSocket, UnixDatagram};
use henge::runtime::{Builder, Runtime};
use henge::shard::ShardId;

fn runtime(shards: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(shards).build().expect("a runtime")
}

async fn in_time<T>(future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    henge::time::timeout(Duration::from_secs(20), future).await.map_err(io::Error::other)?
}

#[test]
fn an_aborted_task_frees_its_address() -> io::Result<()> {
    runtime(1).run(|| async {
        for _ in 0..20 {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            let address = socket.local_addr()?;
            let task = henge::spawn(async move { socket.recv(&mut [0; 8]).await });
            henge::time::sleep(Duration::from_millis(1)).await;
            task.abort();
            assert!(task.await.is_err_and(|error| error.is_cancelled()));
            drop(UdpSocket::bind(address).await?);
        }
        Ok(())
    })
}

#[test]
fn shards_share_a_socket_and_the_last_one_closes_it() -> io::Result<()> {
    const EACH: u32 = 200;
    let runtime = runtime(2);
    runtime.run(|| async {
        let server = Arc::new(UdpSocket::bind("127.0.0.1:0").await?);
        let address = server.local_addr()?;
        let servers: Vec<_> = (0..2)
            .map(|shard| {
                let server = Arc::clone(&server);
                henge::spawn_on(ShardId::new(shard), move || async move {
                    let mut word = [0; 4];
                    loop {
                        let (n, peer) = server.recv_from(&mut word).await?;
                        if n == 0 {
                            return io::Result::Ok(());
                        }
                        server.send_to(&word[..n], peer).await?;
                    }
                })
            })
            .collect();
        let client = UdpSocket::bind("127.0.0.1:0").await?;
        client.connect(address).await?;
        for n in 0..EACH {
            client.send(&n.to_le_bytes()).await?;
            let mut word = [0; 4];
            in_time(client.recv(&mut word)).await?;
            assert_eq!(u32::from_le_bytes(word), n);
        }
        drop(server);
        // The last one is dropped on whichever shard its task ends on.
        for _ in &servers {
            client.send(&[]).await?;
        }
        for server in servers {
            server.await.expect("no panic")?;
        }
        for _ in 0..2_000 {
            if UdpSocket::bind(address).await.is_ok() {
                return Ok(());
            }
            henge::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the address is still taken");
    })
}

#[test]
fn what_waits_when_the_runtime_ends_is_closed() -> io::Result<()> {
    let (foreign, mut peer) = UnixStream::pair()?;
    foreign.set_nonblocking(true)?;
    let (sender, mut receiver) = pipe::pipe()?;
    let runtime = runtime(2);
    runtime.run(move || async move {
        let foreign = AsyncFd::new(foreign)?;
        henge::spawn(async move { foreign.readable().await.map(|mut guard| guard.clear_ready()) });
        henge::spawn_on(ShardId::new(1), move || async move {
            let (_datagrams, idle) = UnixDatagram::pair()?;
            let full = vec![0; 1 << 20];
            let mut sender = sender;
            let written = henge::io::AsyncWriteExt::write_all(&mut sender, &full).await;
            idle.recv(&mut [0; 1]).await?;
            written
        });
        henge::time::sleep(Duration::from_millis(20)).await;
        io::Result::Ok(())
    })?;
    drop(runtime);
    assert_eq!(io::Read::read(&mut peer, &mut [0; 1])?, 0, "the end of the foreign descriptor");
    let other = Builder::new_current_thread().build()?;
    let rest = other.block_on(async {
        let mut rest = Vec::new();
        in_time(receiver.read_to_end(&mut rest)).await
    })?;
    assert!(rest > 0 && rest < 1 << 20, "what the pipe held, and then its end");
    Ok(())
}
