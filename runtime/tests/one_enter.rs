//! A turn enters the ring once, with all that it queued, and not at all without need: counted.

use std::hint;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use henge::driver::{Driver, Remote, current, ops, submit};
use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::TcpListener;
use henge::runtime::{Builder, Runtime};
use henge::task::{JoinHandle, yield_now};

/// Sleeps at once when it is idle, so that nothing but need makes it enter.
fn lone() -> Runtime {
    Builder::new_current_thread().spin_before_park(Duration::ZERO).build().expect("a runtime")
}

/// How often the shard entered its ring meanwhile.
fn enters(runtime: &Runtime, work: impl AsyncFnOnce()) -> u64 {
    runtime.block_on(async {
        // What came before is counted by now.
        yield_now().await;
        let before = now(runtime);
        work().await;
        now(runtime) - before
    })
}

fn now(runtime: &Runtime) -> u64 {
    runtime.metrics().shard(0).enters()
}

#[test]
fn what_many_tasks_queue_goes_with_one_enter() {
    let runtime = lone();
    let enters = enters(&runtime, async || {
        let spawn = |_| henge::spawn(submit(ops::Nop::new()));
        let tasks: Vec<JoinHandle<_>> = (0..50).map(spawn).collect();
        for task in tasks {
            assert!(task.await.is_ok_and(|result| result.is_ok()));
        }
    });
    // One takes them all; the kernel runs about twenty completions an enter, and a slow machine
    // ends a turn early, after 200 µs. One an operation would be fifty.
    assert!((1..=12).contains(&enters), "{enters} enters for 50 operations");
}

#[test]
fn tasks_that_have_no_business_with_the_ring_do_not_enter_it() {
    let runtime = lone();
    let enters = enters(&runtime, async || {
        let task = henge::spawn(async {
            for _ in 0..10_000 {
                yield_now().await;
            }
        });
        for _ in 0..10_000 {
            yield_now().await;
        }
        assert!(task.await.is_ok());
    });
    assert_eq!(enters, 0);
}

#[test]
fn a_sequence_of_operations_enters_once_each() {
    let runtime = lone();
    let enters = enters(&runtime, async || {
        for _ in 0..1_000 {
            assert!(submit(ops::Nop::new()).await.is_ok());
        }
    });
    assert!((1_000..=1_010).contains(&enters), "{enters} enters for 1,000 operations");
}

#[test]
fn a_timer_takes_one_sleep() {
    let runtime = lone();
    let enters = || {
        enters(&runtime, async || {
            henge::time::sleep(Duration::from_millis(30)).await;
        })
    };
    // None if something else had the CPU all that time.
    let enters = (0..100).map(|_| enters()).find(|enters| *enters > 0);
    // The wheel may look once on the way.
    assert!(enters.is_some_and(|enters| enters <= 3), "{enters:?} enters for one timer");
}

/// An answer goes with the enter that waits for the next request. A completion of its own would end
/// that wait, which is one more enter each.
#[test]
fn a_lone_answer_leaves_no_completion() {
    const ROUNDS: u64 = 200;
    let (tell, told) = mpsc::channel::<SocketAddr>();
    let client = thread::spawn(move || {
        let address = told.recv().expect("the server listens");
        let mut stream = std::net::TcpStream::connect(address)?;
        let mut answer = [0; 64];
        for _ in 0..ROUNDS {
            stream.write_all(&[7; 64])?;
            stream.read_exact(&mut answer)?;
            assert_eq!(answer, [7; 64]);
        }
        std::io::Result::Ok(())
    });
    let runtime = lone();
    let before = runtime.metrics().shard(0).completions();
    let enters = enters(&runtime, async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        tell.send(listener.local_addr().expect("its address")).expect("the client lives");
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut buffer = [0; 256];
        while let Ok(n @ 1..) = stream.read(&mut buffer).await {
            stream.write_all(&buffer[..n]).await.expect("the client reads");
        }
    });
    client.join().expect("no panic").expect("all answers");
    let completions = runtime.metrics().shard(0).completions() - before;
    // Of receives, and a few for accepting; by the ring it would be twice as many of both.
    assert!((ROUNDS..ROUNDS + 20).contains(&completions), "{completions} completions");
    assert!((ROUNDS..ROUNDS + 40).contains(&enters), "{enters} enters");
}

/// The kernel raises its flag for deferred work after it has queued the work. If an enter comes in
/// between, the flag stays up for nothing, and a shard that believed it would enter for ever.
#[test]
fn a_flag_that_is_up_for_nothing_does_not_keep_an_idle_shard_awake() {
    /// It stays up in one of a few thousand.
    const TRIES: u64 = 100_000;
    /// On a slow machine, what fits into this has to do.
    const EFFORT: Duration = Duration::from_secs(10);
    let runtime = lone();
    let remote = runtime.block_on(async { current::with(|driver| driver.remote().clone()) });
    let (waker, remote) = (Waker::default(), remote.expect("a shard has a driver"));
    thread::scope(|scope| {
        let waking = scope.spawn(|| waker.run(&remote));
        let _end = End(&waker);
        runtime.block_on(async {
            let (begun, mut found) = (Instant::now(), 0);
            for round in 1..=TRIES {
                waker.ask(round);
                let stays_up = current::with(|driver| {
                    while !waker.has_done(round) {
                        assert!(!waking.is_finished(), "the waker has failed");
                        // It says that it sleeps, so that it is woken, and enters without waiting.
                        driver.park(None, || true).expect("it enters");
                    }
                    // From here on there is nothing new, and one enter brings what there is.
                    (0..3).all(|_| {
                        driver.turn().expect("it enters");
                        driver.completion_pending()
                    })
                });
                if stays_up.expect("a shard has a driver") {
                    let enters = enters_of_a_pause().await;
                    // One that does nothing else makes thousands in that time.
                    assert!(enters < 50, "{enters} enters of an idle shard, in try {round}");
                    found += 1;
                }
                if found == 3 || begun.elapsed() > EFFORT {
                    break;
                }
            }
        });
    });
}

/// How often the shard enters while it waits for a thread that sleeps.
async fn enters_of_a_pause() -> u64 {
    // The driver's own count: the metrics have not been told of turns that a task made.
    let enters = || current::with(Driver::enters).expect("a shard has a driver");
    let before = enters();
    let pause = henge::task::spawn_blocking(|| thread::sleep(Duration::from_millis(50)));
    let ended = henge::time::timeout(Duration::from_secs(60), pause).await;
    assert!(ended.is_ok_and(|ended| ended.is_ok()), "nobody has woken it");
    enters() - before
}

/// Wakes a shard by its ring whenever it is asked to. Rounds are counted from 1.
#[derive(Default)]
struct Waker {
    asked: AtomicU64,
    done: AtomicU64,
}

impl Waker {
    const END: u64 = u64::MAX;

    fn run(&self, remote: &Remote) {
        let driver = Driver::new().expect("a ring");
        let _current = driver.enter();
        loop {
            match self.asked.load(Ordering::Relaxed) {
                Self::END => break,
                round if round == self.done.load(Ordering::Relaxed) => hint::spin_loop(),
                round => {
                    for _ in 0..3 {
                        remote.wake();
                        driver.turn().expect("it is submitted");
                    }
                    // Release: who sees this sees what the wakes have left in its ring.
                    self.done.store(round, Ordering::Release);
                }
            }
        }
    }

    fn ask(&self, round: u64) {
        self.asked.store(round, Ordering::Relaxed);
    }

    fn has_done(&self, round: u64) -> bool {
        // Acquire: pairs with the store in `run`.
        self.done.load(Ordering::Acquire) == round
    }
}

/// Ends the waker's thread, also if the test fails.
struct End<'a>(&'a Waker);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.ask(Waker::END);
    }
}
