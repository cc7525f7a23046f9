//! Calls and channels between up to 64 shards, in programs that a seed draws: calls that call back,
//! are given up after any poll, or panic; messages that are sent, or not after all; shards that
//! stand still. Nothing hangs, everything ends on its shard, and nothing is left, whether the
//! programs come to their end or the runtime ends before them.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread::{self, ThreadId};
use std::time::Duration;

use henge::mesh::{self, CallError, Sender};
use henge::runtime::{Builder, Pinning};
use henge::shard::{self, ShardId};
use henge::task::{JoinSet, yield_now};
use henge::time::{sleep, timeout};

/// So long that only what hangs takes it.
const BOUND: Duration = Duration::from_secs(300);

/// xorshift: a seed gives the same programs, though not the same interleavings.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % below as u64) as usize
    }

    fn fork(&mut self) -> Random {
        Random::new(self.0 ^ self.below(usize::MAX) as u64)
    }

    fn moment(&mut self) -> Duration {
        Duration::from_micros([0, 50, 400, 2_000][self.below(4)])
    }
}

/// What all programs of a seed know.
#[derive(Clone)]
struct World {
    shards: usize,
    /// How many [`Token`]s and [`Pinned`]s there are.
    alive: Arc<AtomicUsize>,
    /// The runtime is being dropped: calls may end without an answer.
    ending: Arc<AtomicBool>,
}

impl World {
    fn token(&self) -> Token {
        self.alive.fetch_add(1, Ordering::SeqCst);
        Token(Arc::clone(&self.alive))
    }

    fn pinned(&self) -> Pinned {
        Pinned { thread: thread::current().id(), _token: self.token(), here: PhantomData }
    }

    fn somewhere(&self, random: &mut Random) -> ShardId {
        ShardId::new(random.below(self.shards))
    }

    /// An answer, or a reason that was to be expected.
    fn check<T>(&self, answer: Result<T, CallError>, panics: bool) {
        match answer {
            Ok(_) => assert!(!panics, "it panics over there"),
            Err(error) if error.is_panic() => assert!(panics, "{error}"),
            Err(error) => assert!(self.ending.load(Ordering::SeqCst), "{error}"),
        }
    }
}

/// Travels; whatever becomes of it, it is dropped.
struct Token(Arc<AtomicUsize>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Never leaves its thread.
struct Pinned {
    thread: ThreadId,
    _token: Token,
    here: PhantomData<*const ()>,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if thread::current().id() != self.thread {
            eprintln!("something was dropped away from its shard");
            std::process::abort();
        }
    }
}

/// Polls a future so many times at most.
async fn polled<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// A program: a few steps, which may be calls with programs of their own.
fn act(mut random: Random, depth: usize, world: World) -> Pin<Box<dyn Future<Output = Token>>> {
    Box::pin(async move {
        let _here = world.pinned();
        for _ in 0..1 + random.below(4) {
            let (to, deeper) = (world.somewhere(&mut random), depth.saturating_sub(1));
            let (seed, world, token) = (random.fork(), world.clone(), world.token());
            let inner = world.clone();
            let call = move || {
                drop(token);
                act(seed, deeper, inner)
            };
            match random.below(if depth == 0 { 5 } else { 12 }) {
                0 => yield_now().await,
                1 => sleep(random.moment()).await,
                2 => {
                    let (panics, inner) = (random.below(8) == 0, world.clone());
                    let call = to.call_sync(move || {
                        assert!(!panics, "on purpose");
                        inner.token()
                    });
                    let answer = call.await;
                    world.check(answer, panics);
                }
                3 if random.below(20) == 0 => thread::sleep(Duration::from_millis(3)),
                3 | 4 => drop(call),
                5 => _ = timeout(random.moment(), to.call(call)).await,
                6 => _ = polled(to.call(call), 1 + random.below(3)).await,
                7 => {
                    let inner = world.clone();
                    let each = move || {
                        let here = inner.pinned();
                        async move { drop(here) }
                    };
                    let answers = shard::broadcast(each).await;
                    answers.into_iter().for_each(|answer| world.check(answer, false));
                }
                _ => {
                    let answer = to.call(call).await;
                    world.check(answer, false);
                }
            }
        }
        world.token()
    })
}

/// Messages of two senders on other shards; each has its own in order, and leaves some out.
async fn talk(mut random: Random, world: World) {
    const MESSAGES: usize = 60;
    let (sender, port) =
        mesh::channel::<(usize, usize, Token)>(shard::current(), 1 + random.below(4));
    let mut receiver = port.open();
    let mut senders = JoinSet::new();
    for name in 0..2 {
        let (to, seed) = (world.somewhere(&mut random), random.fork());
        let (sender, world, inner) = (sender.clone(), world.clone(), world.clone());
        senders.spawn(async move {
            let told = to.call(move || tell(sender, name, seed, inner)).await;
            world.check(told, false);
        });
    }
    drop(sender);
    let mut next = [0; 2];
    let all = random.below(3) > 0;
    let mut came = 0;
    while let Some((name, number, _token)) = receiver.recv().await {
        assert!(number >= next[name], "message {number} of {name} after {}", next[name]);
        next[name] = number + 1;
        came += 1;
        if !all && came == MESSAGES / 2 {
            break;
        }
        if random.below(16) == 0 {
            sleep(random.moment()).await;
        }
    }
    drop(receiver);
    while senders.join_next().await.is_some() {}
}

async fn tell(to: Sender<(usize, usize, Token)>, name: usize, mut random: Random, world: World) {
    for number in 0..60 {
        let message = (name, number, world.token());
        match random.below(6) {
            0 => _ = timeout(random.moment(), to.send(message)).await,
            1 => _ = polled(to.send(message), 1).await,
            2 => drop(to.try_send(message)),
            _ => {
                if to.send(message).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Programs on every shard.
async fn play(seed: u64, world: World) {
    let mut random = Random::new(seed);
    let mut all = JoinSet::new();
    for on in 0..world.shards {
        for _ in 0..2 {
            let (seed, inner) = (random.fork(), world.clone());
            all.spawn(henge::spawn_on(ShardId::new(on), move || act(seed, 4, inner)));
        }
        let (seed, inner) = (random.fork(), world.clone());
        all.spawn(async move {
            let talk = move || async move {
                talk(seed, inner.clone()).await;
                inner.token()
            };
            henge::spawn_on(ShardId::new(on), talk).await
        });
    }
    while let Some(done) = all.join_next().await {
        drop(done.expect("no panic").expect("no panic over there"));
    }
}

fn programs(shards: usize, seed: u64) {
    let mut random = Random::new(seed ^ 0xda7a);
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(shards).pinning(Pinning::None).thread_stack_size(512 << 10);
    let runtime = builder.lane_capacity(1 + random.below(4)).build().expect("a runtime");
    let (alive, ending) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let world = World { shards, alive: Arc::clone(&alive), ending: Arc::clone(&ending) };
    if seed % 2 == 0 {
        let played = runtime.run(move || async move { timeout(BOUND, play(seed, world)).await });
        assert!(played.is_ok(), "{shards} shards, seed {seed}: it hangs");
    } else {
        // It is over in the middle of it all.
        let playing = runtime.spawn(async move {
            let there = henge::spawn_on(ShardId::new(0), move || play(seed, world));
            _ = there.await;
        });
        thread::sleep(Duration::from_millis(random.below(40) as u64));
        ending.store(true, Ordering::SeqCst);
        playing.abort();
    }
    drop(runtime);
    assert_eq!(alive.load(Ordering::SeqCst), 0, "{shards} shards, seed {seed}: what is left");
}

#[test]
fn what_is_drawn_ends_and_nothing_is_left() {
    let seeds = std::env::var("HENGE_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    for seed in 0..seeds.unwrap_or(6) {
        for shards in [2, 3, 8] {
            programs(shards, seed);
        }
    }
    for seed in 0..seeds.unwrap_or(6).div_ceil(4) {
        programs(64, seed);
    }
}
