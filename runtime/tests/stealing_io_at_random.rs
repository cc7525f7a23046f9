//! Streams that go from hand to hand: tasks that move and tasks that stay, on any shard, each of
//! which reads or writes a little in one way or another and ends, gives up or is aborted. Every
//! byte comes once, and in order (I3, I8), by seed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use henge::net::{TcpListener, TcpStream};
use henge::runtime::{Builder, Pinning};
use henge::shard::ShardId;
use henge::steal;
use henge::sync::Mutex;
use henge::task::{self, JoinHandle};
use henge::time::{sleep, timeout};

/// Only a hang exceeds it.
const PATIENCE: Duration = Duration::from_secs(300);
/// What goes each way of a connection.
const BYTES: usize = 96 << 10;
/// Tasks that have a half in turn, before the last one does all that is left.
const HANDS: usize = 60;

/// xorshift: a seed gives the same programs, though not the same interleavings.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    fn fork(&mut self) -> Random {
        Random::new(self.0 ^ self.below(u64::MAX))
    }

    /// From one to one of these.
    fn size(&mut self, most: [u64; 3]) -> usize {
        let most = most[self.below(3) as usize];
        1 + self.below(most) as usize
    }

    /// Nothing, or some time in which an answer may come or not.
    fn moment(&mut self) -> Duration {
        Duration::from_micros([0, 20, 200, 1_500][self.below(4) as usize])
    }
}

fn byte(at: usize) -> u8 {
    (at * 7 + at / 251) as u8
}

/// A half, and how far its bytes have come.
struct Way<H> {
    half: H,
    at: usize,
}

impl Way<OwnedReadHalf> {
    fn check(&self, bytes: &[u8]) {
        for (n, found) in bytes.iter().enumerate() {
            assert_eq!(*found, byte(self.at + n), "byte {} of what was read", self.at + n);
        }
    }

    fn took(&mut self, bytes: &[u8]) {
        self.check(bytes);
        self.at += bytes.len();
    }

    /// One of the ways to read. Dropped, it has taken nothing that is not counted.
    async fn step(&mut self, random: &mut Random) -> io::Result<()> {
        let mut buf = vec![0; random.size([3, 200, 9_000])];
        match random.below(5) {
            0 => {
                let n = self.half.peek(&mut buf).await?;
                self.check(&buf[..n]);
            }
            1 => {
                self.half.readable().await?;
                match self.half.try_read(&mut buf) {
                    Ok(n) => self.took(&buf[..n]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            _ => {
                let n = self.half.read(&mut buf).await?;
                self.took(&buf[..n]);
            }
        }
        Ok(())
    }

    async fn rest(&mut self) -> io::Result<()> {
        let mut buf = vec![0; 5_000];
        loop {
            let n = self.half.read(&mut buf).await?;
            self.took(&buf[..n]);
            if n == 0 {
                assert_eq!(self.at, BYTES, "all that was written");
                return Ok(());
            }
        }
    }
}

impl Way<OwnedWriteHalf> {
    /// One of the ways to write. Dropped, it has sent nothing that is not counted.
    async fn step(&mut self, random: &mut Random) -> io::Result<()> {
        let most = random.size([5, 700, 40_000]).min(BYTES - self.at);
        let bytes: Vec<u8> = (self.at..self.at + most).map(byte).collect();
        match random.below(4) {
            0 => {
                self.half.writable().await?;
                match self.half.try_write(&bytes) {
                    Ok(n) => self.at += n,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            1 => self.half.flush().await?,
            _ => self.at += self.half.write(&bytes).await?,
        }
        Ok(())
    }

    async fn rest(&mut self) -> io::Result<()> {
        let bytes: Vec<u8> = (self.at..BYTES).map(byte).collect();
        self.half.write_all(&bytes).await?;
        self.at = BYTES;
        self.half.shutdown().await
    }
}

/// What both kinds of halves have.
trait Steps: Send + 'static {
    /// Everything has come: the last one that had it has ended the stream.
    fn is_over(&self) -> bool;
    fn step(&mut self, random: &mut Random) -> impl Future<Output = io::Result<()>> + Send;
    fn rest(&mut self) -> impl Future<Output = io::Result<()>> + Send;
}

impl Steps for Way<OwnedReadHalf> {
    fn is_over(&self) -> bool {
        self.at == BYTES
    }

    fn step(&mut self, random: &mut Random) -> impl Future<Output = io::Result<()>> + Send {
        Way::<OwnedReadHalf>::step(self, random)
    }

    fn rest(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        Way::<OwnedReadHalf>::rest(self)
    }
}

impl Steps for Way<OwnedWriteHalf> {
    fn is_over(&self) -> bool {
        self.at == BYTES
    }

    fn step(&mut self, random: &mut Random) -> impl Future<Output = io::Result<()>> + Send {
        Way::<OwnedWriteHalf>::step(self, random)
    }

    fn rest(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        Way::<OwnedWriteHalf>::rest(self)
    }
}

/// Has the half and does a few steps, each for a moment at most. One that comes late finds the
/// stream over.
async fn hand<W: Steps>(way: Arc<Mutex<W>>, mut random: Random) {
    let mut way = way.lock().await;
    for _ in 0..=random.below(4) {
        if way.is_over() {
            return;
        }
        let moment = random.moment();
        if let Ok(done) = timeout(moment, way.step(&mut random)).await {
            done.expect("both ends live");
        }
        match random.below(8) {
            0 => task::yield_now().await,
            1 => sleep(random.moment()).await,
            _ => {}
        }
    }
}

/// A task of one kind or another, somewhere.
fn start<W: Steps>(way: &Arc<Mutex<W>>, random: &mut Random, shards: u64) -> JoinHandle<()> {
    let hand = hand(Arc::clone(way), random.fork());
    match random.below(4) {
        0 => henge::spawn(hand),
        1 => henge::spawn_on(ShardId::new(random.below(shards) as usize), move || hand),
        _ => steal::spawn(hand),
    }
}

/// Gives a half from hand to hand.
async fn pass_round<W: Steps>(way: W, mut random: Random, shards: u64) {
    let way = Arc::new(Mutex::new(way));
    for _ in 0..HANDS {
        let task = start(&way, &mut random, shards);
        if random.below(3) == 0 {
            for _ in 0..random.below(4) {
                task::yield_now().await;
            }
            if random.below(2) == 0 {
                sleep(random.moment()).await;
            }
            task.abort();
        }
        // One in four has a successor that waits for the lock.
        if random.below(4) > 0
            && let Err(error) = task.await
        {
            assert!(error.is_cancelled(), "{error}");
        }
    }
    let last = async move { way.lock().await.rest().await };
    let last = if random.below(2) == 0 { steal::spawn(last) } else { henge::spawn(last) };
    last.await.expect("no panic").expect("both ends live");
}

async fn connect(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let connected = TcpStream::connect(listener.local_addr().expect("its address")).await;
    let (accepted, _) = listener.accept().await.expect("a connection");
    (connected.expect("a connection"), accepted)
}

/// Something else to do, so that tasks move.
fn shake(stop: &Arc<AtomicBool>, mut random: Random) -> JoinHandle<()> {
    let stop = Arc::clone(stop);
    steal::spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            std::hint::black_box((0..random.below(20_000)).sum::<u64>());
            task::yield_now().await;
            sleep(random.moment()).await;
        }
    })
}

async fn play(seed: u64, shards: u64) {
    let mut random = Random::new(seed);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let stop = Arc::new(AtomicBool::new(false));
    let shaken: Vec<_> = (0..3).map(|_| shake(&stop, random.fork())).collect();
    let mut ways = Vec::new();
    for _ in 0..4 {
        let (a, b) = connect(&listener).await;
        let ((a_read, a_write), (b_read, b_write)) = (a.into_split(), b.into_split());
        for half in [a_read, b_read] {
            let way = Way { half, at: 0 };
            ways.push(henge::spawn(pass_round(way, random.fork(), shards)));
        }
        for half in [a_write, b_write] {
            let way = Way { half, at: 0 };
            ways.push(henge::spawn(pass_round(way, random.fork(), shards)));
        }
    }
    for way in ways {
        way.await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    stop.store(true, Ordering::Relaxed);
    for task in shaken {
        task.await.expect("it ends");
    }
}

#[test]
fn bytes_stay_in_order_in_the_hands_of_tasks_that_move_stay_and_are_aborted() {
    let seeds = std::env::var("HENGE_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    for seed in 1..=seeds.unwrap_or(6) {
        let shards = 1 + seed % 4;
        let runtime = Builder::new_multi_thread()
            .worker_threads(shards as usize)
            .stealing(true)
            // Where other processes have the CPUs, each turn would wait for the one it is on.
            .pinning(Pinning::None)
            .build()
            .expect("a runtime with stealing");
        runtime.run(move || async move {
            let played = timeout(PATIENCE, play(seed, shards)).await;
            assert!(played.is_ok(), "seed {seed} hangs");
        });
    }
}
