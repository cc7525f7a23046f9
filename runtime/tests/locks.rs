//! Mutexes and read-write locks by event: who is next, who goes away, who panics, who forgets.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use henge::runtime::Builder;
use henge::sync::{
    MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard,
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
use henge::task::yield_now;

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn the_lock_goes_to_who_has_waited_longest() {
    let mutex = Mutex::new(());
    let held = mutex.try_lock().unwrap();
    let (mut a, mut b) = (pin!(mutex.lock()), pin!(mutex.lock()));
    assert!(poll(a.as_mut()).is_pending());
    assert!(poll(b.as_mut()).is_pending());
    drop(held);
    assert!(mutex.try_lock().is_err(), "it was handed over, nobody overtakes");
    assert!(poll(b.as_mut()).is_pending());
    let Poll::Ready(held) = poll(a.as_mut()) else { panic!("it is a's turn") };
    assert!(poll(b.as_mut()).is_pending());
    drop(held);
    assert!(poll(b).is_ready());
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn who_goes_away_with_the_lock_passes_it_on() {
    let mutex = Mutex::new(());
    let held = mutex.try_lock().unwrap();
    let mut a = Box::pin(mutex.lock());
    let mut b = pin!(mutex.lock());
    assert!(poll(a.as_mut()).is_pending());
    assert!(poll(b.as_mut()).is_pending());
    drop(held);
    drop(a); // it has the lock and was never polled again
    assert!(poll(b).is_ready());
}

#[test]
fn who_goes_away_from_the_middle_of_the_line_holds_nobody_up() {
    let mutex = Mutex::new(());
    let held = mutex.try_lock().unwrap();
    let mut line: Vec<_> = (0..5).map(|_| Box::pin(mutex.lock())).collect();
    for waiting in &mut line {
        assert!(poll(waiting.as_mut()).is_pending());
    }
    drop(line.remove(2));
    drop(held);
    for mut waiting in line {
        assert!(poll(waiting.as_mut()).is_ready(), "and it unlocks at once");
    }
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn a_forgotten_guard_leaves_it_locked() {
    let mutex = Mutex::new(());
    std::mem::forget(mutex.try_lock().unwrap());
    assert!(mutex.try_lock().is_err());
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
    let lock = RwLock::new(());
    std::mem::forget(lock.try_read().unwrap());
    assert!(lock.try_write().is_err());
    assert!(lock.try_read().is_ok());
}

#[test]
fn a_panic_unlocks() {
    let mutex = Mutex::new(1);
    let panics = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = mutex.try_lock().unwrap();
        *guard = 2;
        panic!("on purpose");
    }));
    assert!(panics.is_err());
    assert_eq!(*mutex.try_lock().unwrap(), 2);
}

#[test]
fn a_panic_in_map_unlocks() {
    fn no_part(_: &mut u32) -> &mut u32 {
        panic!("on purpose")
    }
    let mutex = Mutex::new(1);
    let guard = mutex.try_lock().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| MutexGuard::map(guard, no_part))).is_err());
    assert!(mutex.try_lock().is_ok());
    let lock = RwLock::new(1);
    let guard = lock.try_write().unwrap();
    let panics = catch_unwind(AssertUnwindSafe(|| {
        RwLockWriteGuard::downgrade_map(guard, |_| -> &u32 { panic!("on purpose") })
    }));
    assert!(panics.is_err());
    assert!(lock.try_write().is_ok());
}

#[test]
fn a_writer_who_waits_holds_back_later_readers() {
    let lock = RwLock::new(());
    let reading = lock.try_read().unwrap();
    let mut writer = Box::pin(lock.write());
    let mut reader = pin!(lock.read());
    assert!(poll(writer.as_mut()).is_pending());
    assert!(lock.try_read().is_err());
    assert!(poll(reader.as_mut()).is_pending());
    drop(reading);
    let Poll::Ready(writing) = poll(writer.as_mut()) else { panic!("it is the writer's turn") };
    assert!(poll(reader.as_mut()).is_pending());
    drop(writing);
    assert!(poll(reader).is_ready());
}

#[test]
fn a_writer_who_goes_away_lets_the_readers_behind_it_in() {
    let lock = RwLock::new(());
    let reading = lock.try_read().unwrap();
    let mut writer = Box::pin(lock.write());
    let mut reader = pin!(lock.read());
    assert!(poll(writer.as_mut()).is_pending());
    assert!(poll(reader.as_mut()).is_pending());
    drop(writer);
    assert!(poll(reader).is_ready());
    drop(reading);
    assert!(lock.try_write().is_ok());
}

#[test]
fn a_downgrade_lets_readers_in_and_no_writer() {
    let lock = Arc::new(RwLock::new([1, 2]));
    let writing = lock.clone().try_write_owned().unwrap();
    let mut reader = pin!(lock.read());
    let mut writer = pin!(lock.write());
    assert!(poll(reader.as_mut()).is_pending());
    assert!(poll(writer.as_mut()).is_pending());
    let downgraded = OwnedRwLockWriteGuard::downgrade_map(writing, |pair| &pair[1]);
    let Poll::Ready(reading) = poll(reader) else { panic!("readers read together") };
    assert_eq!((*downgraded, reading[1]), (2, 2));
    drop(reading);
    assert!(poll(writer.as_mut()).is_pending());
    drop(downgraded);
    assert!(poll(writer).is_ready());
}

#[test]
fn more_readers_than_there_may_be_wait() {
    let lock = RwLock::with_max_readers((), 2);
    let (a, _b) = (lock.try_read().unwrap(), lock.try_read().unwrap());
    let mut c = pin!(lock.read());
    assert!(poll(c.as_mut()).is_pending());
    drop(a);
    assert!(poll(c).is_ready());
}

#[test]
fn mapped_guards_unlock_once() {
    let mutex = Mutex::new([[1, 2], [3, 4]]);
    let row = MutexGuard::map(mutex.try_lock().unwrap(), |rows| &mut rows[1]);
    let cell = MappedMutexGuard::map(row, |row| &mut row[0]);
    assert!(mutex.try_lock().is_err());
    drop(cell);
    let _first = mutex.try_lock().unwrap();
    assert!(mutex.try_lock().is_err(), "one drop gave back one permit");
}

#[test]
fn guards_of_unsized_values() {
    let slice: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    OwnedMutexGuard::map(slice.clone().try_lock_owned().unwrap(), |all| &mut all[1..])[0] = 7;
    assert_eq!(*slice.try_lock().unwrap(), [1, 7, 3]);
    let show: Box<RwLock<dyn std::fmt::Debug>> = Box::new(RwLock::new("shown"));
    assert_eq!(format!("{show:?}"), r#"RwLock { data: "shown" }"#);
}

#[test]
fn a_guard_keeps_its_lock_and_the_value_alive() {
    let dropped = Arc::new(());
    let mutex = Arc::new(Mutex::new((dropped.clone(), 1)));
    let part = OwnedMutexGuard::map(mutex.clone().try_lock_owned().unwrap(), |pair| &mut pair.1);
    drop(mutex);
    assert_eq!((Arc::strong_count(&dropped), *part), (2, 1));
    drop(part);
    assert_eq!(Arc::strong_count(&dropped), 1);
}

#[test]
fn a_task_without_budget_keeps_its_place_in_line() {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mutex = Arc::new(Mutex::new(Vec::new()));
        let first = henge::spawn({
            let mutex = mutex.clone();
            async move {
                while henge::task::coop::has_budget_remaining() {
                    henge::task::coop::consume_budget().await;
                }
                mutex.lock().await.push("first");
            }
        });
        let second = henge::spawn({
            let mutex = mutex.clone();
            async move { mutex.lock().await.push("second") }
        });
        first.await.unwrap();
        second.await.unwrap();
        assert_eq!(*mutex.lock().await, ["first", "second"]);
    });
}

/// What is behind the lock is a plain number: with a lock that lets two in, increments are lost
/// (and the sanitizers complain).
#[test]
fn shards_and_plain_threads_take_turns() {
    const ROUNDS: u64 = 50;
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let mutex = Arc::new(Mutex::new(0_u64));
    let lock = Arc::new(RwLock::new((0_u64, 0_u64)));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (mutex, lock) = (mutex.clone(), lock.clone());
            runtime.spawn(async move {
                for n in 0..ROUNDS {
                    let mut count = mutex.lock().await;
                    *count += 1;
                    if n % 8 == 0 {
                        yield_now().await;
                    }
                    drop(count);
                    let mut pair = lock.write().await;
                    pair.0 += 1;
                    pair.1 += 1;
                    let pair = pair.downgrade();
                    assert_eq!(pair.0, pair.1);
                }
            })
        })
        .collect();
    for _ in 0..ROUNDS {
        *mutex.blocking_lock() += 1;
        let pair = lock.blocking_read();
        assert_eq!(pair.0, pair.1);
    }
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    assert_eq!(*mutex.blocking_lock(), 5 * ROUNDS);
    assert_eq!(*lock.blocking_write(), (4 * ROUNDS, 4 * ROUNDS));
}

/// Says which auto traits a type has: the inherent constants are there only where the bounds hold,
/// and otherwise the trait's are found.
struct Has<T: ?Sized>(std::marker::PhantomData<T>);

trait HasNot {
    const SEND: bool = false;
    const SYNC: bool = false;
}

impl<T: ?Sized> HasNot for Has<T> {}

impl<T: ?Sized + Send> Has<T> {
    const SEND: bool = true;
}

impl<T: ?Sized + Sync> Has<T> {
    const SYNC: bool = true;
}

macro_rules! bounds {
    ($($type:ty: $send:literal $sync:literal,)*) => {
        $(
            const { assert!(<Has<$type>>::SEND == $send, concat!(stringify!($type), ": Send")) };
            const { assert!(<Has<$type>>::SYNC == $sync, concat!(stringify!($type), ": Sync")) };
        )*
    };
}

/// Neither `Send` nor `Sync`; `Send` alone; `Sync` alone.
type Local = *const u8;
type Moves = std::cell::Cell<u8>;
type Shares = std::sync::MutexGuard<'static, u8>;

#[test]
fn auto_traits() {
    bounds! {
        Mutex<Local>: false false,
        Mutex<Moves>: true true,
        Mutex<Shares>: false false,
        MutexGuard<'static, Local>: false false,
        MutexGuard<'static, Moves>: true false,
        MutexGuard<'static, Shares>: false false,
        MutexGuard<'static, u8>: true true,
        MappedMutexGuard<'static, Local>: false false,
        MappedMutexGuard<'static, Moves>: true false,
        MappedMutexGuard<'static, u8>: true true,
        OwnedMutexGuard<Local>: false false,
        OwnedMutexGuard<Moves>: true false,
        OwnedMutexGuard<u8>: true true,
        OwnedMappedMutexGuard<Local, u8>: false false,
        OwnedMappedMutexGuard<Moves, u8>: true false,
        OwnedMappedMutexGuard<u8, Local>: false false,
        OwnedMappedMutexGuard<u8, Moves>: true false,
        OwnedMappedMutexGuard<u8, u8>: true true,

        RwLock<Local>: false false,
        RwLock<Moves>: true false,
        RwLock<Shares>: false false,
        RwLock<u8>: true true,
        RwLockReadGuard<'static, Local>: false false,
        RwLockReadGuard<'static, Moves>: false false,
        RwLockReadGuard<'static, Shares>: true false,
        RwLockReadGuard<'static, u8>: true true,
        OwnedRwLockReadGuard<Moves, u8>: false false,
        OwnedRwLockReadGuard<Shares, u8>: false false,
        OwnedRwLockReadGuard<u8, Moves>: false false,
        OwnedRwLockReadGuard<u8, Shares>: true false,
        OwnedRwLockReadGuard<u8, u8>: true true,
        RwLockWriteGuard<'static, Moves>: false false,
        RwLockWriteGuard<'static, Shares>: false false,
        RwLockWriteGuard<'static, u8>: true true,
        RwLockMappedWriteGuard<'static, Moves>: false false,
        RwLockMappedWriteGuard<'static, u8>: true true,
        OwnedRwLockWriteGuard<Moves>: false false,
        OwnedRwLockWriteGuard<u8>: true true,
        OwnedRwLockMappedWriteGuard<Moves, u8>: false false,
        OwnedRwLockMappedWriteGuard<u8, Moves>: false false,
        OwnedRwLockMappedWriteGuard<u8, u8>: true true,
    }
}

/// A reader's guard of `'static` text is one of text that lives as long as needed, as a reference
/// would be. (A writer's must not be: it could put shorter-lived text in.)
#[test]
fn a_readers_guard_is_covariant() {
    fn shorter<'a>(
        guard: RwLockReadGuard<'a, &'static str>,
        _: &'a str,
    ) -> RwLockReadGuard<'a, &'a str> {
        guard
    }
    let text = String::from("short");
    let lock = RwLock::new("long");
    assert_eq!(*shorter(lock.try_read().unwrap(), &text), "long");
}
