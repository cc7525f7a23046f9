//! Who is polled when: tasks and the future of `block_on` that signal each other, yield and spawn.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use super::runtime::Builder;
use super::spawn;
use super::sync::Semaphore;
use super::task::yield_now;
use crate::harness::{Log, Rng};

/// The first one is the future of `block_on`.
const ACTORS: usize = 5;

#[derive(Clone, Copy, Debug)]
enum Step {
    Signal(usize),
    /// Takes a signal. Somebody sends it, whatever the order: the steps were drawn in one in which
    /// it was there.
    Wait,
    Yield,
    /// Spawns a task that signals.
    Spawn(usize),
}

/// What an actor does, or one that it has spawned.
type Done = Arc<Mutex<Vec<(usize, Step)>>>;

/// Spawns others of its own kind.
type Act = Pin<Box<dyn Future<Output = ()> + Send>>;

fn act(me: usize, steps: Vec<Step>, signals: Arc<[Semaphore; ACTORS]>, done: Done) -> Act {
    Box::pin(async move {
        for step in steps {
            match step {
                Step::Signal(to) => signals[to].add_permits(1),
                Step::Wait => signals[me].acquire().await.expect("it stays open").forget(),
                Step::Yield => yield_now().await,
                Step::Spawn(to) => {
                    let (signals, done) = (Arc::clone(&signals), Arc::clone(&done));
                    spawn(act(ACTORS + me, vec![Step::Signal(to)], signals, done));
                }
            }
            done.lock().expect("nobody panics").push((me, step));
        }
    })
}

pub(crate) fn order(rng: &mut Rng, log: &mut Log) {
    let mut steps = [const { Vec::new() }; ACTORS];
    let mut signalled = [0_u32; ACTORS];
    for _ in 0..4 + rng.below(20) {
        let actor = rng.below(ACTORS);
        let to = rng.below(ACTORS);
        let step = match rng.below(8) {
            0..=2 => {
                signalled[to] += 1;
                Step::Signal(to)
            }
            3..=5 if signalled[actor] > 0 => {
                signalled[actor] -= 1;
                Step::Wait
            }
            6 => {
                signalled[to] += 1;
                Step::Spawn(to)
            }
            // Of several tasks that gave way tokio takes the last one first.
            _ if actor < 2 => Step::Yield,
            _ => continue,
        };
        steps[actor].push(step);
    }
    let runtime = Builder::new_current_thread().build().expect("a runtime of one thread");
    let signals = Arc::new([const { Semaphore::const_new(0) }; ACTORS]);
    let done = Done::default();
    let mut actors = steps.into_iter().enumerate().map(|(me, steps)| {
        log.note("steps", (me, &steps));
        act(me, steps, Arc::clone(&signals), Arc::clone(&done))
    });
    let root = actors.next().expect("there are some");
    let others: Vec<_> = actors.collect();
    runtime.block_on(async {
        // A ring that is new has something to do, which may end its first turn early.
        yield_now().await;
        let tasks: Vec<_> = others.into_iter().map(spawn).collect();
        root.await;
        for task in tasks {
            task.await.expect("no panic");
        }
    });
    for did in done.lock().expect("nobody panics").iter() {
        log.note("did", did);
    }
}
