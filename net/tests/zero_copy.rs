//! Sends without a copy: every byte, in order, and the buffer back, whatever is dropped or
//! forgotten.

use std::future::{Future, poll_fn};
use std::io::{self, Read as _};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use henge_driver::{Driver, current, ops, submit};
use henge_net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    let driver = Driver::new().expect("a ring");
    driver.block_on(future).expect("the driver turns").expect("no error")
}

async fn pair() -> io::Result<(TcpStream, std::net::TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let peer = thread::spawn(move || std::net::TcpStream::connect(address));
    let (stream, _) = listener.accept().await?;
    let peer = peer.join().expect("it connects")?;
    Ok((stream, peer))
}

fn reader(mut from: std::net::TcpStream) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut got = Vec::new();
        from.read_to_end(&mut got).expect("no reset");
        got
    })
}

fn bytes(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|n| (n / 251 + n % 251 + seed) as u8).collect()
}

#[test]
fn buffers_of_all_sizes_between_writes() {
    run(async {
        let (mut stream, peer) = pair().await?;
        let reader = reader(peer);
        let mut expected = Vec::new();
        for (n, len) in [1, 100, 4_096, 70_000, 1 << 20, 5 << 20, 0, 3].into_iter().enumerate() {
            // Again each time, for over this route it is all copied.
            stream.set_zero_copy(Some(1));
            stream.write_all(&[n as u8; 1_000]).await?;
            let (sent, back) = stream.write_all_owned(bytes(len, n)).await;
            sent?;
            assert!(back == bytes(len, n), "the same buffer comes back");
            expected.extend_from_slice(&[n as u8; 1_000]);
            expected.extend_from_slice(&back);
        }
        stream.shutdown().await?;
        assert!(reader.join().expect("it read") == expected);
        Ok(())
    });
}

#[test]
fn a_stream_gives_up_where_all_is_copied() {
    run(async {
        let (mut stream, peer) = pair().await?;
        let reader = reader(peer);
        stream.set_zero_copy(Some(10_000));
        stream.write_all_owned(vec![0; 9_999]).await.0?;
        for n in 0..3 {
            assert_eq!(stream.zero_copy(), Some(10_000), "after {n}");
            stream.write_all_owned(vec![0; 10_000]).await.0?;
        }
        // The loopback device cannot do without. Kernels before 6.2 do not tell.
        let tells = Driver::new()?.capabilities()?.has("NO_SQARRAY");
        assert_eq!(stream.zero_copy(), if tells { None } else { Some(10_000) });
        stream.write_all_owned(vec![0; 10_000]).await.0?;
        drop(stream);
        submit(ops::Timeout::new(Duration::from_millis(5))).await?;
        assert_eq!(reader.join().expect("it read").len(), 49_999);
        Ok(())
    });
}

async fn polls(future: impl Future, times: usize) {
    let mut future = pin!(future);
    for _ in 0..times {
        let done = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        if done {
            break;
        }
        submit(ops::Nop::new()).await.expect("it does nothing");
    }
}

#[test]
fn a_future_that_is_dropped_leaves_the_buffer_to_the_kernel() {
    const LEN: usize = 6 << 20;
    for times in [1, 2, 3, 10] {
        run(async {
            let (mut stream, peer) = pair().await?;
            stream.set_zero_copy(Some(1));
            stream.write_all(b"before").await?;
            // Nobody reads yet: the kernel has the buffer, and cannot let go of it.
            let buffer: Arc<[u8]> = bytes(LEN, times).into();
            polls(stream.write_all_owned(Arc::clone(&buffer)), times).await;
            assert_eq!(Arc::strong_count(&buffer), 1 + usize::from(times > 1), "{times} polls");
            let reader = reader(peer);
            stream.write_all(b"after").await?;
            stream.shutdown().await?;
            let got = reader.join().expect("it read");
            // One poll found that the first write was to go first; the buffer went with the future.
            let sent = if times > 1 { LEN } else { 0 };
            assert_eq!(got.len(), b"beforeafter".len() + sent, "{times} polls");
            assert!(got.starts_with(b"before") && got.ends_with(b"after"));
            assert!(got[6..6 + sent] == bytes(LEN, times)[..sent]);
            for _ in 0..1_000 {
                if Arc::strong_count(&buffer) == 1 {
                    return Ok(());
                }
                submit(ops::Timeout::new(Duration::from_millis(2))).await?;
            }
            panic!("the buffer was never given up");
        });
    }
}

#[test]
fn a_stream_that_is_dropped_sends_the_rest() {
    const LEN: usize = 6 << 20;
    run(async {
        let (mut stream, peer) = pair().await?;
        stream.set_zero_copy(Some(1));
        polls(stream.write_all_owned(bytes(LEN, 1)), 3).await;
        drop(stream);
        let reader = reader(peer);
        let begun = Instant::now();
        while !reader.is_finished() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the rest is not sent");
            submit(ops::Timeout::new(Duration::from_millis(2))).await?;
        }
        assert!(reader.join().expect("it read") == bytes(LEN, 1));
        Ok(())
    });
}

#[test]
fn a_driver_that_ends_frees_nothing_under_the_kernel() {
    // What nobody frees, where the leak checker finds it.
    static FORGOTTEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    const LEN: usize = 6 << 20;
    let reader = run(async {
        let (mut stream, peer) = pair().await?;
        stream.set_zero_copy(Some(1));
        let mut sending = Box::pin(async move { stream.write_all_owned(bytes(LEN, 2)).await });
        for _ in 0..3 {
            let polled = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await;
            assert!(polled.is_pending(), "nobody reads");
            submit(ops::Nop::new()).await?;
        }
        let place = Box::leak(Box::new(sending));
        FORGOTTEN.lock().expect("no panic holds it").push((&raw const *place).addr());
        // It reads while the driver waits for the kernel to let go, or after that.
        let reader = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            let (mut peer, mut there) = (peer, vec![0; 100_000]);
            peer.read_exact(&mut there).expect("so much was taken");
            // Whatever more there is, so that nothing is held for its sake.
            peer.set_read_timeout(Some(Duration::from_millis(500))).expect("a time-out");
            let mut rest = vec![0; 1 << 20];
            while let Ok(1..) = peer.read(&mut rest) {}
            there
        });
        Ok(reader)
    });
    assert!(reader.join().expect("it read") == bytes(LEN, 2)[..100_000]);
}

#[test]
fn a_peer_that_is_gone_is_an_error_and_the_buffer_comes_back() {
    run(async {
        let (mut stream, peer) = pair().await?;
        stream.set_zero_copy(Some(1));
        drop(peer);
        for _ in 0..1_000 {
            let (sent, back) = stream.write_all_owned(bytes(100_000, 3)).await;
            assert_eq!(back.len(), 100_000);
            if sent.is_err() {
                assert!(stream.write_all_owned(vec![0; 10]).await.0.is_err());
                return Ok(());
            }
            stream.set_zero_copy(Some(1));
        }
        panic!("nobody is there, and nobody noticed");
    });
}

#[test]
fn it_goes_on_elsewhere_when_the_stream_moves() {
    const LEN: usize = 6 << 20;
    let (give, take) = mpsc::channel();
    let done = Arc::new(AtomicBool::new(false));
    let is_done = Arc::clone(&done);
    let first = thread::spawn(move || {
        run(async {
            let (mut stream, peer) = pair().await?;
            stream.set_zero_copy(Some(1));
            polls(stream.write_all_owned(bytes(LEN, 4)), 3).await;
            give.send((stream, peer)).expect("the other thread waits");
            // The notification comes here, wherever the stream has gone.
            while !is_done.load(Ordering::Relaxed) {
                submit(ops::Timeout::new(Duration::from_millis(1))).await?;
            }
            Ok(())
        });
    });
    let (mut stream, peer) = take.recv().expect("the other thread gives it");
    let reader = reader(peer);
    run(async move {
        stream.set_zero_copy(Some(1));
        let (sent, _) = stream.write_all_owned(bytes(100_000, 5)).await;
        sent?;
        stream.shutdown().await
    });
    let expected = [bytes(LEN, 4), bytes(100_000, 5)].concat();
    assert!(reader.join().expect("it read") == expected);
    done.store(true, Ordering::Relaxed);
    first.join().expect("it ends");
}

#[test]
fn a_task_that_moves_copies() {
    run(async {
        let (mut stream, peer) = pair().await?;
        let reader = reader(peer);
        stream.set_zero_copy(Some(1));
        {
            let mut sending = pin!(stream.write_all_owned(bytes(1 << 20, 6)));
            poll_fn(|cx| current::moving(|| sending.as_mut().poll(cx))).await.0?;
        }
        assert_eq!(stream.zero_copy(), Some(1), "no notification said anything");
        drop(stream);
        submit(ops::Timeout::new(Duration::from_millis(5))).await?;
        assert!(reader.join().expect("it read") == bytes(1 << 20, 6));
        Ok(())
    });
}

#[test]
fn both_directions_at_once() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut a = TcpStream::connect(listener.local_addr()?).await?;
        let (mut b, _) = listener.accept().await?;
        a.set_zero_copy(Some(1));
        let (mut read, mut write) = b.split();
        let echo = async {
            let mut room = vec![0; 64 << 10];
            loop {
                match read.read(&mut room).await? {
                    0 => return io::Result::Ok(()),
                    n => write.write_all(&room[..n]).await?,
                }
            }
        };
        let ask = async {
            for n in 0..20 {
                a.set_zero_copy(Some(1));
                let (sent, asked) = a.write_all_owned(bytes(50_000, n)).await;
                sent?;
                let mut answer = vec![0; asked.len()];
                a.read_exact(&mut answer).await?;
                assert!(answer == asked);
            }
            a.shutdown().await
        };
        let (mut echo, mut ask) = (pin!(echo), pin!(ask));
        let mut asked = false;
        poll_fn(|cx| {
            if !asked && let Poll::Ready(done) = ask.as_mut().poll(cx) {
                done?;
                asked = true;
            }
            echo.as_mut().poll(cx)
        })
        .await
    });
}
