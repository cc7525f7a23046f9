//! Live connections that are handed from shard to shard, and an acceptor that places them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream, UnixStream};
use henge::runtime::{Builder, Pinning, Runtime};
use henge::shard::{self, Acceptor, IntoShard, ShardId};
use henge::sync::oneshot;
use henge::time::{sleep, timeout};

/// So long that only what hangs takes it.
const BOUND: Duration = Duration::from_secs(120);

fn shards(count: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(count).pinning(Pinning::None);
    builder.build().expect("a runtime")
}

fn draw(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

fn byte(at: usize) -> u8 {
    (at ^ at >> 8 ^ at >> 16) as u8
}

/// Reads `seed`'s number of bytes, checks them, sends them back, and hands the stream on.
async fn echo_some(
    mut stream: TcpStream,
    mut seed: u64,
    mut at: usize,
    total: usize,
    moves: usize,
) {
    let mut buf = vec![0; 1 + draw(&mut seed) as usize % 5_000];
    let rounds = draw(&mut seed) % 4;
    for _ in 0..=rounds {
        let n = stream.read(&mut buf).await.expect("it goes on");
        for (i, got) in buf[..n].iter().enumerate() {
            assert_eq!(*got, byte(at + i), "at {}", at + i);
        }
        // Not flushed: it may be on its way when the stream moves.
        stream.write_all(&buf[..n]).await.expect("it goes on");
        at += n;
        if n == 0 || at == total {
            assert_eq!(at, total);
            stream.flush().await.expect("it goes on");
            assert!(moves > 3, "it moved {moves} times only");
            return;
        }
    }
    let next = ShardId::new(draw(&mut seed) as usize % shard::count());
    if draw(&mut seed) % 4 == 0 {
        // Some more may come before it moves.
        sleep(Duration::from_millis(1)).await;
    }
    drop(
        stream.into_shard(next, move |stream| boxed(echo_some(stream, seed, at, total, moves + 1))),
    );
}

fn boxed(
    future: impl Future<Output = ()> + 'static,
) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(future)
}

#[test]
fn bytes_stay_in_order_both_ways_while_a_stream_moves() {
    let runtime = shards(4);
    for seed in 1..=6_u64 {
        let total = 600_000;
        let (address, listening) = std::sync::mpsc::channel::<SocketAddr>();
        drop(runtime.handle().spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let local = listener.local_addr().expect("bound");
            assert!(address.send(local).is_ok());
            let (stream, _peer) = listener.accept().await.expect("a client");
            echo_some(stream, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0, total, 0).await;
        }));
        let address = listening.recv_timeout(BOUND).expect("it listens");
        let mut client = StdStream::connect(address).expect("it listens");
        client.set_read_timeout(Some(BOUND)).expect("a time-out");
        let mut writer = client.try_clone().expect("a descriptor");
        let write = std::thread::spawn(move || {
            let mut seed = seed;
            let bytes: Vec<u8> = (0..total).map(byte).collect();
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let n = rest.len().min(1 + draw(&mut seed) as usize % 20_000);
                writer.write_all(&rest[..n]).expect("it reads");
                rest = &rest[n..];
                if draw(&mut seed) % 8 == 0 {
                    std::thread::sleep(Duration::from_micros(200));
                }
            }
        });
        let mut back = vec![0; total];
        client.read_exact(&mut back).expect("all comes back");
        assert!(back.iter().enumerate().all(|(at, got)| *got == byte(at)), "in order");
        write.join().expect("no panic");
    }
}

#[test]
fn what_was_received_before_the_move_is_read_after_it() {
    let runtime = shards(2);
    runtime.run(|| async {
        let (mut here, mut there) = UnixStream::pair().expect("a pair");
        here.write_all(b"first").await.expect("it goes out");
        assert_eq!(there.read_u8().await.expect("it came"), b'f');
        // The rest was received with it, and what comes now goes into an armed receive.
        here.write_all(b" second").await.expect("it goes out");
        sleep(Duration::from_millis(5)).await;
        let moved = there.into_shard(ShardId::new(1), |mut there| async move {
            let mut rest = [0; 11];
            there.read_exact(&mut rest).await.map(|_| (rest, there))
        });
        let (rest, mut there) =
            timeout(BOUND, moved).await.expect("in time").expect("no panic").expect("it came");
        assert_eq!(&rest, b"irst second");
        // And back.
        here.write_all(b"third").await.expect("it goes out");
        let mut third = [0; 5];
        let back = timeout(BOUND, there.read_exact(&mut third)).await;
        assert!(matches!(back, Ok(Ok(_))));
        assert_eq!(&third, b"third");
    });
}

#[test]
fn a_stream_that_was_let_go_may_stay() {
    let runtime = shards(1);
    runtime.run(|| async {
        let (mut here, mut there) = UnixStream::pair().expect("a pair");
        for round in 0..50 {
            here.write_u8(round).await.expect("it goes out");
            assert_eq!(timeout(BOUND, there.read_u8()).await.expect("in time").ok(), Some(round));
            // With a receive in flight, with one that is being cancelled, and with none.
            there.let_go();
            if round % 3 == 0 {
                here.let_go();
                there.let_go();
            }
            there.write_u8(round).await.expect("it goes out");
            assert_eq!(timeout(BOUND, here.read_u8()).await.expect("in time").ok(), Some(round));
        }
    });
}

#[test]
fn what_was_written_before_the_move_goes_out_though_nobody_writes_after_it() {
    let runtime = shards(2);
    runtime.run(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let client = std::thread::spawn(move || {
            let mut client = StdStream::connect(address).expect("it listens");
            client.set_read_timeout(Some(BOUND)).expect("a time-out");
            let mut all = vec![0; 4 << 20];
            client.read_exact(&mut all).expect("all comes");
            client.write_all(b"!").expect("it reads");
            all.iter().all(|byte| *byte == 7)
        });
        let (mut stream, _peer) = listener.accept().await.expect("a client");
        let moved = henge::spawn(async move {
            stream.write_all(&vec![7; 4 << 20]).await.expect("it takes all");
            let moved = stream.into_shard(ShardId::new(1), |mut stream| async move {
                stream.read_u8().await.expect("the client answers")
            });
            moved.await
        });
        let answer = timeout(BOUND, moved).await.expect("in time").expect("no panic");
        assert!(matches!(answer, Ok(b'!')));
        assert!(matches!(client.join(), Ok(true)));
    });
}

#[test]
fn an_acceptor_gives_each_connection_to_the_shard_that_has_the_least() {
    let runtime = shards(4);
    let served: Arc<[AtomicUsize]> = (0..4).map(|_| AtomicUsize::new(0)).collect();
    let counts = Arc::clone(&served);
    let (address, listening) = std::sync::mpsc::channel();
    let serving = runtime.handle().spawn(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let acceptor = Arc::new(Acceptor::new(listener));
        let local = acceptor.listener().local_addr().expect("bound");
        assert!(address.send((local, Arc::clone(&acceptor))).is_ok());
        let served = acceptor.serve(move |mut stream, _peer| {
            let served = Arc::clone(&served);
            async move {
                served[shard::current().index()].fetch_add(1, Ordering::SeqCst);
                // Says where it is, and ends when the client has gone.
                let own = shard::current().index() as u8;
                assert!(stream.write_u8(own).await.is_ok());
                assert!(stream.read_u8().await.is_err());
            }
        });
        served.await.map(drop)
    });
    let (address, acceptor) = listening.recv_timeout(BOUND).expect("it listens");
    let connect = || {
        let mut client = StdStream::connect(address).expect("it listens");
        client.set_read_timeout(Some(BOUND)).expect("a time-out");
        let mut own = [0];
        client.read_exact(&mut own).expect("it is served");
        (usize::from(own[0]), client)
    };
    let open = |shard| acceptor.open(ShardId::new(shard));
    let mut clients: Vec<_> = (0..40).map(|_| connect()).collect();
    // Tasks that wait for their turn count, too, so it need not be ten each.
    for shard in 0..4 {
        assert!((7..=13).contains(&open(shard)), "{} on shard {shard}", open(shard));
    }
    // All of shard 2's go: who comes now goes there.
    clients.retain(|(shard, _)| *shard != 2);
    let deadline = std::time::Instant::now() + BOUND;
    while open(2) > 0 && std::time::Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(open(2), 0);
    let before = counts[2].load(Ordering::SeqCst);
    clients.extend((0..6).map(|_| connect()));
    assert!(counts[2].load(Ordering::SeqCst) >= before + 5);
    drop(clients);
    serving.abort();
    assert!(runtime.block_on(serving).is_err_and(|error| error.is_cancelled()));
}

#[test]
fn a_stream_that_is_on_its_way_when_its_shard_ends_is_closed() {
    for _ in 0..10 {
        let runtime = shards(2);
        let (gone, is_gone) = oneshot::channel::<()>();
        let mut client = runtime.run(|| async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let client = StdStream::connect(listener.local_addr().expect("bound"));
            let (stream, _peer) = listener.accept().await.expect("a client");
            drop(stream.into_shard(ShardId::new(1), move |mut stream| async move {
                let _gone = gone;
                drop(stream.read_u8().await);
            }));
            client.expect("it listens")
        });
        drop(runtime);
        client.set_read_timeout(Some(BOUND)).expect("a time-out");
        assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
        drop(is_gone);
    }
}
