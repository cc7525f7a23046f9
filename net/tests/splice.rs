//! Files, pipes and sockets, inside of the kernel: every byte, in order, whatever is dropped.

use std::fs::File;
use std::future::{Future, poll_fn};
use std::io::{self, Seek as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream as StdStream;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use henge_driver::sys::file::Advice;
use henge_driver::{Driver, Fd, current, ops, submit};
use henge_net::splice::{SpliceDestination, SpliceSource, splice, tee};
use henge_net::unix::pipe;
use henge_net::{TcpListener, TcpStream, UnixStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Only a hang exceeds it.
const PATIENCE: Duration = Duration::from_secs(60);

fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    let driver = Driver::new().expect("a ring");
    driver.block_on(future).expect("the driver turns").expect("no error")
}

/// As a task that may be at another thread at its next poll.
async fn moving<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| current::moving(|| future.as_mut().poll(cx))).await
}

/// A file of a test's own.
struct Scratch {
    path: PathBuf,
    file: File,
    bytes: Vec<u8>,
}

impl Scratch {
    fn of(len: usize) -> Scratch {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("henge-splice-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let bytes: Vec<u8> = (0..len).map(|n| (n / 251 + n % 251) as u8).collect();
        std::fs::write(&path, &bytes).expect("room on the disk");
        let file = File::options().read(true).write(true).open(&path).expect("it was made");
        Scratch { path, file, bytes }
    }

    /// Has the kernel forget what it has of the file in memory.
    async fn forget(&self) -> io::Result<()> {
        self.file.sync_all()?;
        let fd = Arc::new(Fd::from(std::os::fd::OwnedFd::from(self.file.try_clone()?)));
        submit(ops::Advise::new(fd, Advice::DontNeed, 0, 0)).await
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_file(&self.path).expect("it is still there");
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("proc is there").count()
}

/// Reads all there is, a little at a time.
fn slow_reader(mut from: impl io::Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let (mut got, mut room) = (Vec::new(), vec![0; 50_000]);
        loop {
            match from.read(&mut room) {
                Ok(0) => return got,
                Ok(n) => got.extend_from_slice(&room[..n]),
                Err(error) => panic!("{error}"),
            }
            if got.len() % 3 == 0 {
                thread::sleep(Duration::from_micros(200));
            }
        }
    })
}

async fn tcp() -> io::Result<(TcpStream, std::net::TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let peer = thread::spawn(move || std::net::TcpStream::connect(address));
    let (stream, _) = listener.accept().await?;
    Ok((stream, peer.join().expect("it connects")?))
}

fn unix() -> io::Result<(UnixStream, StdStream)> {
    let (ours, theirs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs))
}

/// The same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        ((self.0 >> 33) as usize) % end
    }
}

/// Parts of a file and words of the program's own, in turns.
async fn parts_and_words(
    scratch: &Scratch,
    mut send: impl AsyncFnMut(std::ops::Range<u64>, &[u8]) -> io::Result<u64>,
) -> io::Result<Vec<u8>> {
    let mut random = Random(7);
    let mut expected = Vec::new();
    for n in 0..60 {
        let word = vec![n; [0, 1, 100, 5_000, 100_000][random.below(5)]];
        let from = random.below(scratch.bytes.len());
        // Beyond the end of the file now and then.
        let most = [2, 4_097, 70_000, 1_500_000][random.below(4)];
        let to = from + random.below(most);
        let there = to.min(scratch.bytes.len());
        assert_eq!(send(from as u64..to as u64, &word).await?, (there - from) as u64);
        expected.extend_from_slice(&word);
        expected.extend_from_slice(&scratch.bytes[from..there]);
    }
    Ok(expected)
}

#[test]
fn a_file_goes_behind_what_was_written_and_before_what_is_written_next() {
    let scratch = Scratch::of(2_000_003);
    run(async {
        let (mut stream, peer) = tcp().await?;
        let reader = slow_reader(peer);
        let expected = parts_and_words(&scratch, async |range, word| {
            stream.write_all(word).await?;
            stream.send_file(&scratch.file, range).await
        });
        let expected = expected.await?;
        stream.shutdown().await?;
        assert!(reader.join().expect("it read") == expected);

        let (mut stream, peer) = unix()?;
        let reader = slow_reader(peer);
        let expected = parts_and_words(&scratch, async |range, word| {
            stream.write_all(word).await?;
            stream.send_file(&scratch.file, range).await
        });
        let expected = expected.await?;
        drop(stream);
        assert!(reader.join().expect("it read") == expected);
        Ok(())
    });
}

#[test]
fn it_does_in_a_task_that_moves() {
    let scratch = Scratch::of(1_000_003);
    run(moving(async {
        let (mut stream, peer) = tcp().await?;
        let reader = slow_reader(peer);
        let expected = parts_and_words(&scratch, async |range, word| {
            stream.write_all(word).await?;
            stream.send_file(&scratch.file, range).await
        });
        let expected = expected.await?;
        stream.shutdown().await?;
        assert!(reader.join().expect("it read") == expected);
        Ok(())
    }));
}

#[test]
fn what_is_not_in_memory_is_waited_for() {
    let scratch = Scratch::of(3_000_001);
    run(async {
        for range in [0..3_000_001, 5..1_000_000, 2_999_999..4_000_000] {
            scratch.forget().await?;
            let (mut stream, peer) = tcp().await?;
            let reader = slow_reader(peer);
            stream.write_all(b"first").await?;
            let sent = stream.send_file(&scratch.file, range.clone()).await?;
            stream.write_all(b"last").await?;
            stream.shutdown().await?;
            let part = range.start as usize..scratch.bytes.len().min(range.end as usize);
            assert_eq!(sent, part.len() as u64);
            let expected = [b"first", &scratch.bytes[part], b"last"].concat();
            assert!(reader.join().expect("it read") == expected, "{range:?}");
        }
        Ok(())
    });
}

#[test]
fn what_is_no_plain_file_is_read_and_sent() {
    run(async {
        let (mut stream, peer) = tcp().await?;
        let reader = slow_reader(peer);
        let file = File::open("/proc/self/cmdline")?;
        let expected = std::fs::read("/proc/self/cmdline")?;
        assert_eq!(stream.send_file(&file, 0..u64::MAX).await?, expected.len() as u64);
        let (no_file, _) = io::pipe()?;
        let refused = stream.send_file(&no_file, 0..1).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::NotSeekable);
        stream.shutdown().await?;
        assert_eq!(reader.join().expect("it read"), expected);
        Ok(())
    });
}

#[test]
fn places_past_four_gib_and_ranges_without_an_end() {
    const FAR: u64 = (5 << 30) + 12_345;
    let scratch = Scratch::of(0);
    run(async {
        let mut file = &scratch.file;
        file.seek(io::SeekFrom::Start(FAR))?;
        file.write_all(b"the end")?;
        let (mut stream, peer) = tcp().await?;
        let reader = slow_reader(peer);
        assert_eq!(stream.send_file(file, FAR - 100_000..u64::MAX).await?, 100_007);
        assert_eq!(stream.send_file(file, FAR..FAR + (3 << 30)).await?, 7);
        assert_eq!(stream.send_file(file, FAR + 7..u64::MAX).await?, 0);
        assert_eq!(stream.send_file(file, u64::MAX - 1..u64::MAX).await.ok(), None);
        assert_eq!(stream.send_file(file, 7..7).await?, 0);
        stream.shutdown().await?;
        let got = reader.join().expect("it read");
        assert!(got[..100_000].iter().all(|&byte| byte == 0));
        assert_eq!(&got[100_000..], b"the endthe end");
        Ok(())
    });
}

#[test]
fn a_file_that_is_cut_meanwhile_ends_there() {
    let scratch = Scratch::of(64 << 20);
    run(async {
        let (mut stream, peer) = tcp().await?;
        let mut sending = Box::pin(stream.send_file(&scratch.file, 0..64 << 20));
        // The socket fills up, for nobody reads.
        for _ in 0..100 {
            let polled = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await;
            assert!(polled.is_pending(), "no socket takes that much");
            submit(ops::Nop::new()).await?;
        }
        scratch.file.set_len(32 << 20)?;
        let reader = slow_reader(peer);
        let sent = sending.await? as usize;
        assert!(sent <= 32 << 20, "{sent}");
        stream.write_all(b"and more").await?;
        stream.shutdown().await?;
        let got = reader.join().expect("it read");
        assert_eq!(got.len(), sent + 8);
        assert_eq!(&got[sent..], b"and more");
        Ok(())
    });
}

#[test]
fn a_drop_at_any_poll_leaves_a_beginning_and_what_comes_after() {
    let scratch = Scratch::of(30_000_000);
    for cold in [false, true] {
        for polls in [1, 2, 3, 5, 8, 20, 60] {
            run(async {
                if cold {
                    scratch.forget().await?;
                }
                let (mut stream, peer) = tcp().await?;
                stream.write_all(b"before").await?;
                let mut sending = Box::pin(stream.send_file(&scratch.file, 0..30_000_000));
                let mut reader = None;
                let mut peer = Some(peer);
                for n in 0..polls {
                    let _polled = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await;
                    if n > 2
                        && let Some(peer) = peer.take()
                    {
                        reader = Some(slow_reader(peer));
                    }
                    submit(ops::Nop::new()).await?;
                }
                drop(sending);
                let reader = reader.unwrap_or_else(|| slow_reader(peer.expect("not yet read")));
                stream.write_all(b"after").await?;
                stream.shutdown().await?;
                let got = reader.join().expect("it read");
                let sent = got.len() - b"beforeafter".len();
                assert!(got.starts_with(b"before") && got.ends_with(b"after"), "{polls} polls");
                assert!(got[6..6 + sent] == scratch.bytes[..sent], "{polls} polls, {sent} bytes");
                Ok(())
            });
        }
    }
}

#[test]
fn a_future_that_is_forgotten_keeps_what_the_kernel_has_of_it() {
    // What nobody frees, where the leak checker finds it.
    static FORGOTTEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let scratch = Scratch::of(10_000_000);
    run(async {
        scratch.forget().await?;
        let (mut stream, peer) = tcp().await?;
        let file = scratch.file.try_clone()?;
        let mut sending = Box::pin(async move { stream.send_file(&file, 0..10_000_000).await });
        let polled = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await;
        assert!(polled.is_pending(), "it is not in memory");
        let place = Box::leak(Box::new(sending));
        FORGOTTEN.lock().expect("no panic holds it").push((&raw const *place).addr());
        submit(ops::Timeout::new(Duration::from_millis(20))).await?;
        drop(peer);
        submit(ops::Timeout::new(Duration::from_millis(20))).await
    });
}

#[test]
fn no_descriptor_is_left_over() {
    let scratch = Scratch::of(1_000_000);
    run(async {
        let (mut stream, peer) = tcp().await?;
        let reader = slow_reader(peer);
        let before = descriptors();
        for n in 0..200 {
            scratch.forget().await?;
            let (sender, receiver) = pipe::pipe()?;
            let mut sending = Box::pin(stream.send_file(&scratch.file, 0..100_000));
            let mut splicing = Box::pin(sender.splice_from_file(&scratch.file, 0, 100_000));
            for _ in 0..n % 3 {
                // One that is ready, since the file was in memory all the same, is polled no more.
                let polled = poll_fn(|cx| {
                    let sent = sending.as_mut().poll(cx).is_ready();
                    Poll::Ready(splicing.as_mut().poll(cx).is_ready() || sent)
                });
                if polled.await {
                    break;
                }
            }
            drop((sending, splicing, receiver));
        }
        submit(ops::Timeout::new(Duration::from_millis(50))).await?;
        let after = descriptors();
        // Other tests of this binary open some too.
        assert!(after <= before + 60, "{before} descriptors before, {after} after");
        drop(stream);
        reader.join().expect("it read");
        Ok(())
    });
}

#[test]
fn a_peer_that_is_gone_is_an_error() {
    let scratch = Scratch::of(1_000_000);
    run(async {
        let (mut stream, peer) = tcp().await?;
        drop(peer);
        // The first may still be taken, before the answer to it comes.
        let mut refused = Ok(0);
        for _ in 0..1_000 {
            refused = stream.send_file(&scratch.file, 0..1_000_000).await;
            if refused.is_err() {
                break;
            }
            submit(ops::Timeout::new(Duration::from_millis(1))).await?;
        }
        let kind = refused.expect_err("nobody is there").kind();
        assert!(
            matches!(kind, io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset),
            "{kind:?}"
        );
        let (mut stream, peer) = unix()?;
        drop(peer);
        let refused = stream.send_file(&scratch.file, 0..1_000_000).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::BrokenPipe);
        stream.write_all(b"x").await?;
        assert!(stream.flush().await.is_err());
        Ok(())
    });
}

#[test]
fn a_proxy_by_a_pipe_loses_nothing_to_drops() {
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 253) as u8).collect();
    run(async {
        let (mut from, mut client) = tcp().await?;
        let (to, server) = tcp().await?;
        let reader = slow_reader(server);
        let all = bytes.clone();
        let (waits, waited) = mpsc::channel();
        let writer = thread::spawn(move || {
            for (n, run) in all.chunks(77_777).enumerate() {
                // However slow the proxy is, it has to wait for this, and to drop what waits.
                if n == 1 {
                    waited.recv_timeout(PATIENCE).expect("a transfer is dropped");
                }
                client.write_all(run).expect("the proxy reads");
                thread::sleep(Duration::from_micros(n as u64 % 7 * 100));
            }
            client.shutdown(Shutdown::Write).expect("it is connected");
            client
        });
        // Some of it is received as usual, and more than was asked for by that.
        let mut beginning = [0; 10];
        from.read_exact(&mut beginning).await?;
        let (sender, receiver) = pipe::pipe()?;
        // Polls it once or twice; if that does not do, drops it, and tells of it, once to somebody.
        let impatient = async |future: &mut (dyn Future<Output = io::Result<usize>> + Unpin)| {
            for _ in 0..2 {
                if let Poll::Ready(done) =
                    poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx))).await
                {
                    return Some(done);
                }
                submit(ops::Nop::new()).await.expect("it does nothing");
            }
            _ = waits.send(());
            None
        };
        let mut left = 0;
        let mut moved = 0;
        loop {
            if left == 0 {
                match impatient(&mut Box::pin(splice(&from, &sender, 1 << 20))).await {
                    None => continue,
                    Some(n) => left = n?,
                }
                if left == 0 {
                    break;
                }
            }
            if let Some(n) = impatient(&mut Box::pin(splice(&receiver, &to, left))).await {
                let n = n?;
                moved += n;
                left -= n;
            }
        }
        assert_eq!(moved, bytes.len() - 10);
        drop(to);
        writer.join().expect("it wrote");
        assert!(reader.join().expect("it read") == bytes[10..]);
        Ok(())
    });
}

#[test]
fn pipes_files_and_streams_in_a_row() {
    let scratch = Scratch::of(300_000);
    let copy = Scratch::of(0);
    run(async {
        for cold in [false, true] {
            if cold {
                scratch.forget().await?;
            }
            let (sender, receiver) = pipe::pipe()?;
            let (to_twin, mut twin) = pipe::pipe()?;
            let (ours, theirs) = StdStream::pair()?;
            ours.set_nonblocking(true)?;
            let stream = UnixStream::from_std(ours)?;
            let reader = slow_reader(theirs);
            let mut at = 0;
            while at < scratch.bytes.len() {
                let n = sender.splice_from_file(&scratch.file, at as u64, 20_000).await?;
                assert!(n > 0);
                let part = &scratch.bytes[at..at + n];
                assert_eq!(tee(&receiver, &to_twin, n).await?, n);
                let mut same = vec![0; n];
                twin.read_exact(&mut same).await?;
                assert!(same == part);
                assert_eq!(tee(&receiver, &to_twin, n).await?, n);
                let mut left = n;
                while left > 0 {
                    left -= splice(&receiver, &stream, left).await?;
                }
                assert_eq!(twin.splice_to_file(&copy.file, at as u64, 1 << 20).await?, n);
                at += n;
            }
            assert_eq!(sender.splice_from_file(&scratch.file, at as u64, 1).await?, 0);
            drop((sender, stream, to_twin));
            assert_eq!(twin.splice_to_file(&copy.file, 0, 1).await?, 0);
            assert!(reader.join().expect("it read") == scratch.bytes);
            assert!(std::fs::read(&copy.path)? == scratch.bytes);
            copy.file.set_len(0)?;
        }
        Ok(())
    });
}

#[test]
fn what_cannot_be_spliced_is_refused() {
    run(async {
        let (mut a, mut b) = UnixStream::pair()?;
        let (c, _d) = UnixStream::pair()?;
        let refused = splice(&a, &c, 1).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        // Nor are bytes that have been received already.
        b.write_all(b"two").await?;
        assert_eq!(a.read_u8().await?, b't');
        let refused = splice(&a, &c, 1).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        let (sender, receiver) = pipe::pipe()?;
        assert_eq!(splice(&a, &sender, 100).await?, 2);
        assert_eq!(
            splice(&receiver, &sender, 1).await.unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(splice(&receiver, &sender, 0).await?, 0);
        drop(receiver);
        b.write_all(b"more").await?;
        assert_eq!(splice(&a, &sender, 100).await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        Ok(())
    });
}

/// Moves everything from one to the other, through a pipe; each transfer is dropped where it waits,
/// once, before it is waited for.
async fn forward(
    from: &impl SpliceSource,
    to: &impl SpliceDestination,
    dropped: mpsc::Sender<()>,
) -> io::Result<usize> {
    async fn dropped_first<F: Future<Output = io::Result<usize>>>(
        mut make: impl FnMut() -> F,
        dropped: &mpsc::Sender<()>,
    ) -> io::Result<usize> {
        let mut first = Box::pin(make());
        if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx))).await {
            return done;
        }
        drop(first);
        // Whoever waits for it is told once, and listens no more.
        _ = dropped.send(());
        make().await
    }
    let (sender, receiver) = pipe::pipe()?;
    let mut moved = 0;
    loop {
        let mut left = dropped_first(|| splice(from, &sender, 50_000), &dropped).await?;
        if left == 0 {
            return Ok(moved);
        }
        while left > 0 {
            let n = dropped_first(|| splice(&receiver, to, left), &dropped).await?;
            left -= n;
            moved += n;
        }
    }
}

#[test]
fn halves_are_as_good_as_streams() {
    const LEN: usize = 2_000_003;
    let bytes: Vec<u8> = (0..LEN).map(|n| (n % 241) as u8).collect();
    // However slow the proxy is, it has to wait for the second part, and to drop what waits.
    let write = |mut client: std::net::TcpStream, waited: mpsc::Receiver<()>| {
        let all = bytes.clone();
        thread::spawn(move || {
            for (n, run) in all.chunks(99_991).enumerate() {
                if n == 1 {
                    waited.recv_timeout(PATIENCE).expect("a transfer is dropped");
                }
                client.write_all(run).expect("it is read");
                thread::sleep(Duration::from_micros(50));
            }
            client.shutdown(Shutdown::Write).expect("it is connected");
        })
    };
    let expected = [b"head", &bytes[4..]].concat();
    run(async {
        // Owned halves, as a proxy has them; what is read and written before keeps its place.
        let (from, client) = tcp().await?;
        let (to, server) = unix()?;
        let (dropped, waited) = mpsc::channel();
        let (writer, reader) = (write(client, waited), slow_reader(server));
        let ((mut from, _kept), (_read, mut to)) = (from.into_split(), to.into_split());
        from.read_exact(&mut [0; 4]).await?;
        to.write_all(b"head").await?;
        assert_eq!(forward(&from, &to, dropped).await?, LEN - 4);
        drop(to);
        writer.join().expect("it wrote");
        assert!(reader.join().expect("it read") == expected);

        // Borrowed halves, of the other kinds.
        let (mut from, client) = tcp().await?;
        let (mut between, mut second) = UnixStream::pair()?;
        let (mut to, server) = tcp().await?;
        let (dropped, waited) = mpsc::channel();
        let (writer, reader) = (write(client, waited), slow_reader(server));
        {
            let ((mut from, _), (_, mut between)) = (from.split(), between.split());
            let ((second, _), (_, to)) = (second.split(), to.split());
            from.read_exact(&mut [0; 4]).await?;
            between.write_all(b"head").await?;
            let mut there = pin!(async {
                let moved = forward(&from, &between, dropped).await?;
                between.shutdown().await?;
                io::Result::Ok(moved)
            });
            let mut on = pin!(forward(&second, &to, mpsc::channel().0));
            let (mut first, mut last) = (None, None);
            poll_fn(|cx| {
                if first.is_none()
                    && let Poll::Ready(done) = there.as_mut().poll(cx)
                {
                    first = Some(done);
                }
                if last.is_none()
                    && let Poll::Ready(done) = on.as_mut().poll(cx)
                {
                    last = Some(done);
                }
                if first.is_some() && last.is_some() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            assert_eq!(first.transpose()?, Some(LEN - 4));
            assert_eq!(last.transpose()?, Some(LEN));
        }
        to.shutdown().await?;
        writer.join().expect("it wrote");
        assert!(reader.join().expect("it read") == expected);
        Ok(())
    });
}
