//! Sockets in stealable tasks: bytes stay in order wherever the task is polled, and nothing of its
//! waits for a shard that is busy.

use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream, UdpSocket, UnixListener, UnixStream};
use henge::runtime::{Builder, Runtime};
use henge::steal;
use henge::task::{self, JoinHandle};
use henge::time::timeout;

/// Only a hang exceeds it.
const PATIENCE: Duration = Duration::from_secs(60);

fn runtime(shards: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(shards)
        .stealing(true)
        .build()
        .expect("a runtime with stealing")
}

fn here() -> ThreadId {
    thread::current().id()
}

/// Runs on the runtime and fails if it hangs.
fn run<M, F>(runtime: &Runtime, make: M) -> F::Output
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    runtime.run(|| async { timeout(PATIENCE, make()).await.expect("it hangs") })
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let connected = TcpStream::connect(listener.local_addr().expect("its address")).await;
    let (accepted, _) = listener.accept().await.expect("a connection");
    (connected.expect("a connection"), accepted)
}

/// Gives the shards something else to do, so that tasks move.
fn shake(stop: &Arc<AtomicBool>, tasks: usize) -> Vec<JoinHandle<()>> {
    let spawn = |n: usize| {
        let stop = stop.clone();
        steal::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                for _ in 0..n % 5 {
                    std::hint::black_box((0..2_000_u64).sum::<u64>());
                }
                task::yield_now().await;
                // Its shard has nothing to do for a while, and looks for what others have.
                henge::time::sleep(Duration::from_millis(n as u64 % 3)).await;
            }
        })
    };
    (0..tasks).map(spawn).collect()
}

fn byte(at: usize) -> u8 {
    (at * 7 + at / 251) as u8
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buf = vec![0; 8 << 10];
    loop {
        match stream.read(&mut buf).await? {
            0 => return Ok(()),
            n => stream.write_all(&buf[..n]).await?,
        }
        stream.flush().await?;
    }
}

#[test]
fn echoes_of_all_sizes_while_tasks_move() {
    let runtime = runtime(3);
    run(&runtime, || async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let shaken = shake(&stop, 6);
        let server = steal::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                steal::spawn(echo(stream));
            }
        });
        let clients: Vec<_> = (0..24_usize)
            .map(|client| {
                steal::spawn(async move {
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    for round in 0..30_usize {
                        let size = [1, 64, 1_000, 5_000, 40_000][(client + round) % 5];
                        let sent: Vec<u8> = (0..size).map(|at| byte(at + round)).collect();
                        let mut got = vec![0; size];
                        let (mut read, mut write) = stream.split();
                        let (wrote, came) = henge::join!(
                            async {
                                write.write_all(&sent).await?;
                                write.flush().await
                            },
                            read.read_exact(&mut got)
                        );
                        wrote.unwrap();
                        came.unwrap();
                        assert!(got == sent, "client {client}, round {round}, {size} bytes");
                    }
                    stream.shutdown().await.unwrap();
                    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        for task in shaken {
            task.await.unwrap();
        }
        server.abort();
    });
}

/// Spins until told to stop, and says that it has begun.
struct Busy {
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Busy {
    async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
    }
}

fn keep_busy_here() -> (Busy, mpsc::Receiver<ThreadId>) {
    let (send, receive) = mpsc::channel();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let task = henge::spawn(async move {
        send.send(here()).unwrap();
        while !stopped.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
    });
    (Busy { stop, task }, receive)
}

/// A task that has armed its poll on one shard is woken for another reason, and polled on another
/// shard while the first one computes: its reads and writes go on there.
#[test]
fn what_a_busy_shard_has_is_not_waited_for() {
    let runtime = runtime(2);
    runtime.run(|| async {
        let shard0 = here();
        let (mut ours, theirs) = pair().await;
        // A thread that is no shard plays the peer.
        let mut peer = {
            let (std_ours, std_theirs) = {
                let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                let a = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                (a, listener.accept().unwrap().0)
            };
            drop((std::mem::replace(&mut ours, TcpStream::from_std(std_ours).unwrap()), theirs));
            std_theirs
        };
        let (polled_send, polled) = mpsc::channel();
        let (ended_send, ended) = mpsc::channel();
        let slot = Arc::new(Mutex::new(None::<Waker>));
        let kept = slot.clone();
        let moving = steal::spawn(async move {
            let mut buf = [0; 4];
            // Polled once here: the poll is armed.
            {
                let mut read = std::pin::pin!(ours.read_exact(&mut buf));
                poll_fn(|cx| {
                    *kept.lock().unwrap() = Some(cx.waker().clone());
                    let done = read.as_mut().poll(cx).map(Result::unwrap);
                    polled_send.send(here()).unwrap();
                    done
                })
                .await;
            }
            for _ in 0..20 {
                ours.write_all(&buf).await.unwrap();
                ours.flush().await.unwrap();
                ours.read_exact(&mut buf).await.unwrap();
            }
            ended_send.send(here()).unwrap();
        });
        // Let it be polled once, wherever.
        let first = loop {
            match polled.try_recv() {
                Ok(thread) => break thread,
                Err(_) => task::yield_now().await,
            }
        };
        let (busy, begun) = if first == shard0 {
            keep_busy_here()
        } else {
            // It was stolen: that shard is to be the busy one.
            let (send, receive) = mpsc::channel();
            let stop = Arc::new(AtomicBool::new(false));
            let stopped = stop.clone();
            let task = henge::spawn_on(henge::shard::ShardId::new(1), move || async move {
                send.send(here()).unwrap();
                while !stopped.load(Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
            });
            (Busy { stop, task }, receive)
        };
        let stop = busy.stop.clone();
        let outside = thread::spawn(move || {
            use std::io::{Read, Write};
            let busy = begun.recv_timeout(PATIENCE).expect("it computes");
            assert_eq!(busy, first);
            // What tells of these bytes is behind the busy shard; the wake is not.
            peer.write_all(b"ping").unwrap();
            slot.lock().unwrap().take().unwrap().wake();
            for _ in 0..20 {
                let mut buf = [0; 4];
                peer.set_read_timeout(Some(PATIENCE)).unwrap();
                peer.read_exact(&mut buf).expect("it goes on elsewhere");
                peer.write_all(&buf).unwrap();
            }
            // Only now may the busy one go on.
            let last = ended.recv_timeout(PATIENCE).expect("it ends elsewhere");
            stop.store(true, Ordering::SeqCst);
            assert_ne!(last, first);
        });
        timeout(PATIENCE, moving).await.expect("it hangs").unwrap();
        outside.join().unwrap();
        busy.end().await;
    });
}

#[test]
fn streams_go_from_pinned_tasks_to_stealable_ones_and_back() {
    let runtime = runtime(3);
    run(&runtime, || async {
        for round in 0..40_usize {
            let (mut a, mut b) = pair().await;
            // A multishot receive is armed for `b` here, and bytes wait in its queue.
            let sent: Vec<u8> = (0..3_000).map(byte).collect();
            a.write_all(&sent[..1_000]).await.unwrap();
            a.flush().await.unwrap();
            let mut first = [0; 100];
            b.read_exact(&mut first).await.unwrap();
            assert_eq!(first, sent[..100]);
            a.write_all(&sent[1_000..2_000]).await.unwrap();
            if round % 2 == 0 {
                a.flush().await.unwrap();
            }
            // `a` may leave with bytes that are not sent, `b` with bytes that are not read.
            let rest = sent.clone();
            let writer = steal::spawn(async move {
                a.write_all(&rest[2_000..]).await.unwrap();
                a.flush().await.unwrap();
                a
            });
            let expected = sent.clone();
            let reader = steal::spawn(async move {
                let mut got = [0; 2_000];
                b.read_exact(&mut got).await.unwrap();
                assert!(got == expected[100..2_100]);
                b
            });
            let (mut a, mut b) = (writer.await.unwrap(), reader.await.unwrap());
            let mut last = [0; 900];
            b.read_exact(&mut last).await.unwrap();
            assert!(last == sent[2_100..]);
            b.write_all(b"done").await.unwrap();
            b.flush().await.unwrap();
            let mut word = [0; 4];
            a.read_exact(&mut word).await.unwrap();
            assert_eq!(&word, b"done");
        }
    });
}

#[test]
fn other_ways_to_read_and_write_work_there_as_well() {
    let runtime = runtime(2);
    run(&runtime, || async {
        let (mut a, mut b) = pair().await;
        let task = steal::spawn(async move {
            let stop = Arc::new(AtomicBool::new(false));
            let shaken = shake(&stop, 3);
            for round in 0..20_u8 {
                let message = vec![round; 1 + 300 * usize::from(round)];
                let (sent, message) = a.write_all_owned(message).await;
                sent.unwrap();
                b.readable().await.unwrap();
                let mut first = [0; 1];
                assert_eq!(b.peek(&mut first).await.unwrap(), 1);
                assert_eq!(b.try_read(&mut first).unwrap(), 1);
                assert_eq!(first[0], round);
                let mut left = message.len() - 1;
                while left > 0 {
                    let n = if round % 2 == 0 {
                        let came = b.recv().await.unwrap();
                        assert!(came.iter().all(|byte| *byte == round));
                        came.len()
                    } else {
                        let (n, buffer) = b.read_owned(Vec::with_capacity(left)).await;
                        assert!(buffer.iter().all(|byte| *byte == round));
                        n.unwrap()
                    };
                    assert!(n > 0);
                    left -= n;
                }
                a.writable().await.unwrap();
                task::yield_now().await;
            }
            stop.store(true, Ordering::Relaxed);
            for task in shaken {
                task.await.unwrap();
            }
            drop(a);
            assert!(b.recv().await.unwrap().is_empty(), "the end");
            assert_eq!(b.read_owned(Vec::with_capacity(9)).await.0.unwrap(), 0);
        });
        task.await.unwrap();
    });
}

/// More than the socket takes: the writer waits for room.
#[test]
fn a_full_socket_is_waited_for() {
    const MUCH: usize = 8 << 20;
    let runtime = runtime(2);
    run(&runtime, || async {
        let (mut a, mut b) = pair().await;
        let writer = steal::spawn(async move {
            let chunk: Vec<u8> = (0..1 << 16).map(byte).collect();
            for _ in 0..MUCH >> 16 {
                a.write_all(&chunk).await.unwrap();
            }
            let (sent, _) = a.write_all_owned(vec![9; MUCH]).await;
            sent.unwrap();
            a.flush().await.unwrap();
        });
        let reader = steal::spawn(async move {
            let (mut buf, mut at) = (vec![0; 30_000], 0);
            loop {
                let n = b.read(&mut buf).await.unwrap();
                if n == 0 {
                    return at;
                }
                for (i, got) in buf[..n].iter().enumerate() {
                    let at = at + i;
                    let expected = if at < MUCH { byte(at % (1 << 16)) } else { 9 };
                    assert_eq!(*got, expected, "at {at}");
                }
                at += n;
                if at % 17 == 0 {
                    task::yield_now().await;
                }
            }
        });
        writer.await.unwrap();
        assert_eq!(reader.await.unwrap(), 2 * MUCH);
    });
}

/// The peer sees the end although a poll holds the file, also where its shard is busy.
#[test]
fn dropping_a_stream_that_is_waited_for_ends_it() {
    let runtime = runtime(2);
    run(&runtime, || async {
        for _ in 0..20 {
            let (mut a, mut b) = pair().await;
            let waiting = steal::spawn(async move {
                let mut byte = [0];
                a.read(&mut byte).await
            });
            task::yield_now().await;
            waiting.abort();
            let mut byte = [0];
            let end = timeout(PATIENCE, b.read(&mut byte)).await.expect("the peer is told");
            // A reset is as good an end.
            assert!(matches!(end, Ok(0) | Err(_)));
            assert!(waiting.await.is_err());
        }
    });
}

#[test]
fn acceptors_that_move_share_a_listener() {
    const CONNECTIONS: usize = 200;
    let runtime = runtime(3);
    run(&runtime, || async {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let acceptors: Vec<_> = (0..4)
            .map(|_| {
                let (listener, accepted) = (listener.clone(), accepted.clone());
                steal::spawn(async move {
                    loop {
                        let (mut stream, _) = listener.accept().await.unwrap();
                        accepted.fetch_add(1, Ordering::Relaxed);
                        stream.write_all(b"!").await.unwrap();
                        task::yield_now().await;
                    }
                })
            })
            .collect();
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                steal::spawn(async move {
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    let mut byte = [0];
                    stream.read_exact(&mut byte).await.unwrap();
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
        assert_eq!(accepted.load(Ordering::Relaxed), CONNECTIONS);
        for acceptor in acceptors {
            acceptor.abort();
            assert!(acceptor.await.is_err());
        }
        // A task that stays goes on with the same listener.
        let (connected, accepted) = henge::join!(TcpStream::connect(address), listener.accept());
        connected.unwrap();
        accepted.unwrap();
    });
}

/// An accept that was polled on a shard which is busy now does not keep connections there.
#[test]
fn a_busy_shard_keeps_no_connections() {
    let runtime = runtime(2);
    runtime.run(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (polled_send, polled) = mpsc::channel();
        let slot = Arc::new(Mutex::new(None::<Waker>));
        let kept = slot.clone();
        let accepting = steal::spawn(async move {
            {
                let mut accept = std::pin::pin!(listener.accept());
                poll_fn(|cx| {
                    *kept.lock().unwrap() = Some(cx.waker().clone());
                    let done = accept.as_mut().poll(cx).is_ready();
                    polled_send.send(here()).unwrap();
                    if done { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
            }
            for _ in 0..20 {
                listener.accept().await.unwrap();
            }
            here()
        });
        let first = loop {
            match polled.try_recv() {
                Ok(thread) => break thread,
                Err(_) => task::yield_now().await,
            }
        };
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, (send, begun)) = (stop.clone(), mpsc::channel());
        let spin = move || async move {
            send.send(here()).unwrap();
            while !stopped.load(Ordering::SeqCst) {
                std::hint::spin_loop();
            }
        };
        let number = if first == here() { 0 } else { 1 };
        let busy = henge::spawn_on(henge::shard::ShardId::new(number), spin);
        let outside = thread::spawn(move || {
            assert_eq!(begun.recv_timeout(PATIENCE).expect("it computes"), first);
            slot.lock().unwrap().take().unwrap().wake();
            for _ in 0..21 {
                std::net::TcpStream::connect(address).unwrap();
            }
            accepting
        });
        // The join of the thread would hold up this shard: it is awaited.
        let accepting = task::spawn_blocking(move || outside.join().unwrap());
        let accepting = timeout(PATIENCE, accepting);
        // If this shard is the busy one nothing here runs before the end; somebody else stops it.
        let ender = stop.clone();
        let accepted = steal::spawn(async move {
            let last = accepting.await.expect("it hangs").unwrap().await.unwrap();
            ender.store(true, Ordering::SeqCst);
            last
        });
        assert_ne!(accepted.await.unwrap(), first);
        busy.await.unwrap();
    });
}

#[test]
fn datagrams_and_unix_streams_move_as_well() {
    let runtime = runtime(3);
    run(&runtime, || async {
        let stop = Arc::new(AtomicBool::new(false));
        let shaken = shake(&stop, 4);
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let server = steal::spawn(async move {
            let mut buf = [0; 64];
            loop {
                let (n, from) = server.recv_from(&mut buf).await.unwrap();
                server.send_to(&buf[..n], from).await.unwrap();
            }
        });
        let client = steal::spawn(async move {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            socket.connect(address).await.unwrap();
            for round in 0..200_u8 {
                socket.send(&[round; 9]).await.unwrap();
                let mut buf = [0; 64];
                assert_eq!(socket.recv(&mut buf).await.unwrap(), 9);
                assert_eq!(buf[0], round);
            }
        });
        client.await.unwrap();
        server.abort();

        let path = std::env::temp_dir().join(format!("henge-stealing-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let server = steal::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buf = [0; 5];
            while stream.read_exact(&mut buf).await.is_ok() {
                stream.write_all(&buf).await.unwrap();
            }
        });
        let mut stream = UnixStream::connect(&path).await.unwrap();
        let client = steal::spawn(async move {
            for round in 0..200_u8 {
                stream.write_all(&[round; 5]).await.unwrap();
                let mut buf = [0; 5];
                stream.read_exact(&mut buf).await.unwrap();
                assert_eq!(buf, [round; 5]);
            }
        });
        client.await.unwrap();
        server.await.unwrap();
        std::fs::remove_file(&path).unwrap();
        stop.store(true, Ordering::Relaxed);
        for task in shaken {
            task.await.unwrap();
        }
    });
}
