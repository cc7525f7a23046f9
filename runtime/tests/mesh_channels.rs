//! Channels to a shard: order, fairness, back-pressure, and the ends of either side.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use henge::mesh::{self, Receiver, Sender};
use henge::runtime::{Builder, Pinning, Runtime};
use henge::shard::{self, ShardId};
use henge::sync::mpsc::error::{TryRecvError, TrySendError};
use henge::task::{JoinSet, yield_now};
use henge::time::timeout;

/// So long that only what hangs takes it.
const BOUND: Duration = Duration::from_secs(120);

fn shards(count: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    // Not pinned: where other processes have the CPUs, each hop would wait for the one it is on.
    builder.worker_threads(count).pinning(Pinning::None).thread_stack_size(256 << 10);
    builder.build().expect("a runtime")
}

async fn once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

/// Receives `(from, number)` until all senders are gone: each shard's numbers come as they went.
async fn receive_in_order(mut receiver: Receiver<(usize, u64)>, shards: usize) -> Vec<u64> {
    let mut next = vec![0; shards];
    while let Some((from, number)) = receiver.recv().await {
        assert_eq!(next[from], number, "from shard {from}");
        next[from] += 1;
    }
    next
}

async fn send_all(sender: Sender<(usize, u64)>, messages: u64) {
    let own = shard::current().index();
    for number in 0..messages {
        assert!(sender.send((own, number)).await.is_ok());
    }
}

/// Every shard sends to every shard.
fn full_mesh(count: usize, capacity: usize, messages: u64) {
    let runtime = shards(count);
    runtime.run(move || async move {
        let mut receivers = JoinSet::new();
        let mut tasks = JoinSet::new();
        for to in 0..count {
            let (sender, port) = mesh::channel(ShardId::new(to), capacity);
            receivers.spawn_local(henge::spawn_on(ShardId::new(to), move || {
                receive_in_order(port.open(), count)
            }));
            for from in 0..count {
                let sender = sender.clone();
                tasks.spawn_local(henge::spawn_on(ShardId::new(from), move || {
                    send_all(sender, messages)
                }));
            }
        }
        let all = async {
            while let Some(sent) = tasks.join_next().await {
                assert!(matches!(sent, Ok(Ok(()))));
            }
            while let Some(received) = receivers.join_next().await {
                let Ok(Ok(received)) = received else { panic!("a receiver panicked") };
                assert_eq!(received, vec![messages; count]);
            }
        };
        assert!(timeout(BOUND, all).await.is_ok(), "it locked up");
    });
}

#[test]
fn nothing_is_lost_or_overtaken_between_2_shards() {
    for capacity in [1, 2, 7, 64] {
        full_mesh(2, capacity, 2_000);
    }
}

#[test]
fn nothing_is_lost_or_overtaken_between_4_shards() {
    full_mesh(4, 1, 200);
    full_mesh(4, 5, 1_000);
}

#[test]
fn nothing_is_lost_or_overtaken_between_8_shards() {
    full_mesh(8, 3, 200);
}

#[test]
fn nothing_is_lost_or_overtaken_between_64_shards() {
    full_mesh(64, 2, 5);
}

#[test]
fn what_waits_is_bounded_by_the_lane() {
    shards(2).run(|| async {
        let (sender, port) = mesh::channel(ShardId::new(1), 5);
        for number in 0..5 {
            assert_eq!(sender.try_send(number), Ok(()));
        }
        assert_eq!(sender.try_send(5), Err(TrySendError::Full(5)));
        let mut waits = sender.send(5);
        assert!(once(&mut waits).await.is_pending());
        assert_eq!(sender.try_send(6), Err(TrySendError::Full(6)), "behind the one who waits");
        let received = henge::spawn_on(ShardId::new(1), move || async move {
            let mut receiver = port.open();
            let mut all = Vec::new();
            while all.len() < 6 {
                all.extend(receiver.recv().await);
            }
            (all, receiver.try_recv())
        });
        assert!(matches!(timeout(BOUND, waits).await, Ok(Ok(()))));
        let (all, then) = received.await.expect("no panic");
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
        assert_eq!(then, Err(TryRecvError::Empty), "the sender lives");
        drop(sender);
    });
}

#[test]
fn who_waits_for_room_is_served_in_order_and_may_leave() {
    shards(1).run(|| async {
        let (sender, port) = mesh::channel(shard::current(), 1);
        let mut receiver = port.open();
        assert_eq!(sender.try_send(0), Ok(()));
        let mut waits: Vec<_> = (1..=5).map(|number| sender.send(number)).collect();
        for wait in &mut waits {
            assert!(once(wait).await.is_pending());
        }
        // The first, the last, and one in between.
        drop(waits.remove(4));
        drop(waits.remove(2));
        drop(waits.remove(0));
        let (mut second, mut fourth) = (waits.remove(0), waits.remove(0));
        assert!(once(&mut fourth).await.is_pending());
        yield_now().await;
        assert_eq!(receiver.recv().await, Some(0));
        yield_now().await;
        assert!(once(&mut fourth).await.is_pending(), "it is not its turn");
        assert!(matches!(timeout(BOUND, &mut second).await, Ok(Ok(()))));
        assert!(once(&mut fourth).await.is_pending());
        assert!(matches!(timeout(BOUND, receiver.recv()).await, Ok(Some(2))));
        assert!(matches!(timeout(BOUND, &mut fourth).await, Ok(Ok(()))));
        assert!(matches!(timeout(BOUND, receiver.recv()).await, Ok(Some(4))));
    });
}

#[test]
fn one_who_was_woken_and_leaves_passes_its_turn_on() {
    shards(1).run(|| async {
        for _ in 0..50 {
            let (sender, port) = mesh::channel(shard::current(), 1);
            let mut receiver = port.open();
            assert_eq!(sender.try_send(0), Ok(()));
            let mut first = sender.send(1);
            assert!(once(&mut first).await.is_pending());
            let other = sender.clone();
            let second = henge::spawn(async move { other.send(2).await });
            yield_now().await;
            assert_eq!(receiver.recv().await, Some(0));
            // The first one is told of the room, and goes.
            yield_now().await;
            yield_now().await;
            drop(first);
            assert!(matches!(timeout(BOUND, receiver.recv()).await, Ok(Some(2))));
            assert!(matches!(second.await, Ok(Ok(()))));
        }
    });
}

#[test]
fn a_guest_that_goes_away_while_it_waits_holds_nobody_up() {
    let runtime = shards(1);
    let (sender, port) = runtime.run(|| async { mesh::channel(shard::current(), 1) });
    let mut first = Box::pin(sender.send(1));
    runtime.block_on(async {
        assert_eq!(sender.try_send(0), Ok(()));
        assert!(once(&mut first).await.is_pending());
    });
    let mut second = Box::pin(sender.send(2));
    runtime.block_on(async { assert!(once(&mut second).await.is_pending()) });
    // Outside of the loop.
    drop(first);
    let received = runtime.handle().clone();
    let received = std::thread::spawn(move || {
        received.block_on(henge_on(0, move || async move {
            let mut receiver = port.open();
            let both = (receiver.recv().await, receiver.recv().await);
            (both, receiver)
        }))
    });
    let sent = runtime.block_on(async { timeout(BOUND, second).await });
    assert!(matches!(sent, Ok(Ok(()))));
    assert_eq!(received.join().expect("no panic"), (Some(0), Some(2)));
}

/// Runs on a shard, and leaves there what is second.
async fn henge_on<M, F, A, B>(shard: usize, make: M) -> A
where
    M: FnOnce() -> F + Send + 'static,
    F: Future<Output = (A, B)> + 'static,
    A: Send + 'static,
{
    let there = henge::spawn_on(ShardId::new(shard), || async { make().await.0 });
    timeout(BOUND, there).await.expect("in time").expect("no panic")
}

#[test]
fn messages_come_back_when_the_receiver_goes() {
    shards(2).run(|| async {
        for round in 0..50_u64 {
            let witness = Arc::new(());
            let (sender, port) = mesh::channel::<Arc<()>>(ShardId::new(1), 4);
            let receiver = henge::spawn_on(ShardId::new(1), move || async move {
                let mut receiver = port.open();
                for _ in 0..round {
                    assert!(receiver.recv().await.is_some());
                }
            });
            let mut sent = 0;
            let all = async {
                while let Ok(()) = sender.send(Arc::clone(&witness)).await {
                    sent += 1;
                }
            };
            assert!(timeout(BOUND, all).await.is_ok(), "nobody told the sender");
            assert!(sent >= round);
            assert!(sender.is_closed());
            assert!(matches!(sender.try_send(Arc::clone(&witness)), Err(TrySendError::Closed(_))));
            assert!(receiver.await.is_ok());
            let dropped = async {
                while Arc::strong_count(&witness) > 1 {
                    henge::time::sleep(Duration::from_millis(1)).await;
                }
            };
            assert!(
                timeout(BOUND, dropped).await.is_ok(),
                "a message is kept though nobody has it"
            );
        }
    });
}

#[test]
fn what_was_sent_before_the_last_sender_went_arrives() {
    shards(3).run(|| async {
        for _ in 0..200 {
            let (sender, port) = mesh::channel(ShardId::new(1), 8);
            let received = henge::spawn_on(ShardId::new(1), move || async move {
                let mut receiver = port.open();
                let mut sum = 0;
                while let Some(number) = receiver.recv().await {
                    sum += number;
                }
                sum
            });
            let other = sender.clone();
            let second = henge::spawn_on(ShardId::new(2), move || async move {
                // Dropped in the same poll: nothing was published by then.
                other.try_send(1).is_ok()
            });
            assert_eq!(sender.try_send(2), Ok(()));
            drop(sender);
            assert!(matches!(second.await, Ok(true)));
            assert!(matches!(timeout(BOUND, received).await, Ok(Ok(3))));
        }
    });
}

#[test]
fn a_lane_that_is_never_empty_does_not_starve_the_others() {
    shards(3).run(|| async {
        let (sender, port) = mesh::channel(ShardId::new(0), 256);
        let mut receiver = port.open();
        let flood = sender.clone();
        let flooding = henge::spawn_on(ShardId::new(1), move || async move {
            while flood.send(1).await.is_ok() {}
        });
        let seldom = henge::spawn_on(ShardId::new(2), move || async move {
            for _ in 0..20 {
                assert!(sender.send(2).await.is_ok());
            }
        });
        let all = async {
            let (mut seen, mut floods) = (0, 0_u64);
            while seen < 20 {
                match receiver.recv().await {
                    Some(1) => floods += 1,
                    Some(_) => seen += 1,
                    None => break,
                }
            }
            (seen, floods)
        };
        assert!(matches!(timeout(BOUND, all).await, Ok((20, _))));
        drop(receiver);
        assert!(seldom.await.is_ok());
        assert!(matches!(timeout(BOUND, flooding).await, Ok(Ok(()))));
    });
}

/// How often a task that keeps giving way has had its turn while `work` was done.
async fn turns_of_a_neighbour<R>(work: impl Future<Output = R>) -> usize {
    let turns = Rc::new(Cell::new(0));
    let counts = Rc::clone(&turns);
    let neighbour = henge::spawn(async move {
        loop {
            counts.set(counts.get() + 1);
            yield_now().await;
        }
    });
    yield_now().await;
    let before = turns.get();
    work.await;
    neighbour.abort();
    turns.get() - before
}

#[test]
fn a_budget_is_spent_for_messages_that_are_sent_or_received_in_a_row() {
    const MESSAGES: usize = 1024;
    shards(1).run(|| async {
        let (sender, port) = mesh::channel(shard::current(), MESSAGES);
        let mut receiver = port.open();
        let sent = turns_of_a_neighbour(async {
            for number in 0..MESSAGES {
                assert!(sender.send(number).await.is_ok(), "there is room for all");
            }
        });
        let sent = sent.await;
        let received = turns_of_a_neighbour(async {
            for number in 0..MESSAGES {
                assert_eq!(receiver.recv().await, Some(number));
            }
        });
        // A poll has 128 units, and may go past its end by the messages of a run: 32.
        let least = MESSAGES / (128 + 32) - 1;
        let received = received.await;
        assert!(sent >= least && received >= least, "{sent} and {received} turns");
    });
}

#[test]
fn a_runtime_that_is_dropped_drops_all_messages() {
    for round in 0..20_u64 {
        let runtime = shards(4);
        let witness = Arc::new(AtomicUsize::new(0));
        let kept = Arc::clone(&witness);
        runtime.run(move || async move {
            for to in 0..4 {
                let (sender, port) = mesh::channel(ShardId::new(to), 2);
                drop(henge::spawn_on(ShardId::new(to), move || async move {
                    let mut receiver = port.open();
                    while let Some(message) = receiver.recv().await {
                        let message: Arc<AtomicUsize> = message;
                        message.fetch_add(1, Ordering::Relaxed);
                    }
                }));
                for from in 0..4 {
                    let (sender, witness) = (sender.clone(), Arc::clone(&kept));
                    drop(henge::spawn_on(ShardId::new(from), move || async move {
                        while sender.send(Arc::clone(&witness)).await.is_ok() {}
                    }));
                }
            }
        });
        std::thread::sleep(Duration::from_micros(500 * round));
        drop(runtime);
        assert_eq!(Arc::strong_count(&witness), 1, "a message was left somewhere");
    }
}

#[test]
fn a_port_is_opened_on_its_shard_alone() {
    shards(2).run(|| async {
        let (sender, port) = mesh::channel::<u8>(ShardId::new(1), 1);
        assert_eq!(port.shard(), ShardId::new(1));
        let elsewhere = henge::spawn(async move { drop(port.open()) });
        assert!(elsewhere.await.is_err_and(|error| error.is_panic()));
        assert!(sender.is_closed());
    });
}

#[test]
fn handles_are_send_and_the_receiver_is_not() {
    fn is_send<T: Send>() {}
    is_send::<Sender<u8>>();
    is_send::<mesh::Port<u8>>();
    is_send::<mesh::Sending<'static, u8>>();
    trait Ambiguous<A> {
        fn some() {}
    }
    impl<T: ?Sized> Ambiguous<()> for T {}
    struct IsSend;
    impl<T: ?Sized + Send> Ambiguous<IsSend> for T {}
    // Ambiguous, and so refused by the compiler, if a receiver were Send.
    <Receiver<u8> as Ambiguous<_>>::some();
}

#[test]
fn a_waiting_send_may_move_to_another_shard() {
    shards(3).run(|| async {
        let (sender, port) = mesh::channel(ShardId::new(1), 1);
        assert_eq!(sender.try_send(0), Ok(()));
        let moving = sender.clone();
        let mut waits = Box::pin(async move { moving.send(1).await });
        assert!(once(&mut waits).await.is_pending());
        let behind = pin!(sender.send(2));
        let mut behind = behind;
        assert!(once(&mut behind).await.is_pending());
        let moved = henge::spawn_on(ShardId::new(2), move || waits);
        let received = henge::spawn_on(ShardId::new(1), move || async move {
            let mut receiver = port.open();
            let mut all = Vec::new();
            while all.len() < 3 {
                all.extend(receiver.recv().await);
            }
            all
        });
        assert!(matches!(timeout(BOUND, moved).await, Ok(Ok(Ok(())))));
        assert!(matches!(timeout(BOUND, behind).await, Ok(Ok(()))));
        let mut all = timeout(BOUND, received).await.expect("in time").expect("no panic");
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
    });
}

#[test]
fn a_message_that_panics_when_nobody_receives_it_keeps_no_other_from_being_told() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a message that panics");
        }
    }
    shards(2).run(|| async {
        let there = ShardId::new(1);
        let (doomed, goes) = mesh::channel(there, 8);
        let (other, stays) = mesh::channel(there, 8);
        let (say, said) = std::sync::mpsc::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let stays = henge::spawn_on(there, || async move { stays.open().recv().await });
        let goes = henge::spawn_on(there, || async move {
            let receiver = goes.open();
            say.send(()).expect("the sender waits");
            told.recv_timeout(BOUND).expect("it is told");
            drop(receiver);
            say.send(()).expect("the sender waits");
        });
        while said.try_recv().is_err() {
            yield_now().await;
        }
        // In one turn of this shard, whose second message nobody has been shown yet.
        assert!(doomed.try_send(None).is_ok() && doomed.try_send(Some(Bomb)).is_ok());
        tell.send(()).expect("the receiver waits");
        said.recv_timeout(BOUND).expect("it is gone");
        assert!(doomed.is_closed() && other.try_send(7).is_ok());
        assert!(matches!(timeout(BOUND, stays).await, Ok(Ok(Some(7)))));
        assert!(matches!(timeout(BOUND, goes).await, Ok(Ok(()))));
    });
}

#[test]
fn a_receiver_that_stands_still_holds_up_nobody_but_those_who_send_to_it() {
    shards(3).run(|| async {
        let (still, stands) = mesh::channel(ShardId::new(1), 4);
        let (quick, runs) = mesh::channel(ShardId::new(2), 4);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let stands = henge::spawn_on(ShardId::new(1), move || async move {
            let mut receiver = stands.open();
            assert_eq!(receiver.recv().await, Some(0));
            // The whole shard: it neither looks nor sleeps, so nobody wakes it either.
            assert!(held.recv_timeout(BOUND).is_ok());
            let mut sum = 0;
            while let Some(number) = receiver.recv().await {
                sum += number;
            }
            sum
        });
        let runs = henge::spawn_on(ShardId::new(2), move || async move {
            let mut receiver = runs.open();
            let mut count = 0;
            while receiver.recv().await.is_some() {
                count += 1;
            }
            count
        });
        let sends = henge::spawn(async move {
            for number in 0..100 {
                assert!(still.send(number).await.is_ok());
            }
        });
        // From the same shard as those who are held up, and by the same turns.
        let others = async {
            for number in 0..2_000 {
                assert!(quick.send(number).await.is_ok());
            }
            drop(quick);
            runs.await
        };
        assert!(matches!(timeout(BOUND, others).await, Ok(Ok(2_000))));
        assert!(!sends.is_finished(), "its lane has room for four");
        assert!(release.send(()).is_ok());
        assert!(matches!(timeout(BOUND, sends).await, Ok(Ok(()))));
        assert!(matches!(timeout(BOUND, stands).await, Ok(Ok(sum)) if sum == (0..100).sum()));
    });
}

/// As much room as no memory has is refused where it is asked for, and not found out by a message
/// that is written nowhere.
#[test]
fn room_for_more_messages_than_there_are_addresses_is_refused() {
    for capacity in [usize::MAX, usize::MAX / 2 + 2, usize::MAX / 8] {
        let made = shards(1).run(move || async move {
            std::panic::catch_unwind(|| drop(mesh::channel::<u64>(shard::current(), capacity)))
        });
        let refused = made.expect_err("there is no such memory");
        let why = refused.downcast_ref::<String>().expect("a message");
        assert_eq!(*why, format!("a channel cannot have room for {capacity} messages"));
        let lanes = std::panic::catch_unwind(|| {
            let _ = Builder::new_multi_thread().lane_capacity(capacity);
        });
        assert!(lanes.is_err(), "{capacity} places of a lane");
    }
}
