//! What waits for no descriptor of its own: time, threads, processes, signals, and each other.

use std::future::pending;
use std::io;
use std::process::{Command as StdCommand, Stdio};
use std::sync::Arc;
use std::time::Duration;

use henge::process::Command;
use henge::signal::unix::{SignalKind, signal};
use henge::sync::{
    Barrier, CancellationToken, Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, oneshot, watch,
};
use henge::time;

use super::{Event, LONG, Make, Waits, boxed, check_all, event, none, same};

const SOON: Duration = Duration::from_millis(8);

/// Drops what came of it.
fn done<T>(_: T) -> io::Result<()> {
    Ok(())
}

fn sleep() -> io::Result<(Waits, Event)> {
    let waits = async {
        time::sleep(SOON).await;
        Ok(())
    };
    Ok((boxed(waits), none()))
}

fn timeout() -> io::Result<(Waits, Event)> {
    let waits = async { same(time::timeout(SOON, pending::<()>()).await.is_err(), true) };
    Ok((boxed(waits), none()))
}

fn interval() -> io::Result<(Waits, Event)> {
    let waits = async {
        let mut interval = time::interval(SOON);
        interval.tick().await;
        interval.tick().await;
        Ok(())
    };
    Ok((boxed(waits), none()))
}

fn delay_queue() -> io::Result<(Waits, Event)> {
    let waits = async {
        let mut queue = time::DelayQueue::new();
        queue.insert(7, SOON);
        let expired = std::future::poll_fn(|cx| queue.poll_expired(cx)).await;
        same(expired.map(|expired| expired.into_inner()), Some(7))
    };
    Ok((boxed(waits), none()))
}

fn spawn_blocking() -> io::Result<(Waits, Event)> {
    let blocking = henge::task::spawn_blocking(|| std::thread::sleep(SOON));
    Ok((boxed(async { blocking.await.map_err(io::Error::other) }), none()))
}

fn lookup_host() -> io::Result<(Waits, Event)> {
    let waits = async { henge::net::lookup_host("localhost:1").await.map(drop) };
    Ok((boxed(waits), none()))
}

/// A task on a shard, which nobody leaves.
fn join() -> io::Result<(Waits, Event)> {
    let (tell, told) = oneshot::channel::<()>();
    let task = super::elsewhere().spawn(told);
    let waits = async { same(task.await.is_ok_and(|told| told.is_ok()), true) };
    Ok((boxed(waits), event(move || tell.send(()).map_err(|()| io::ErrorKind::Other.into()))))
}

fn child() -> io::Result<(Waits, Event)> {
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let stdin = child.stdin.take();
    let waits = async move { same(child.wait().await?.success(), true) };
    Ok((boxed(waits), event(move || done(stdin))))
}

fn child_output() -> io::Result<(Waits, Event)> {
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let stdin = child.stdin.take();
    let waits = async move { same(child.wait_with_output().await?.status.success(), true) };
    Ok((boxed(waits), event(move || done(stdin))))
}

fn signalled() -> io::Result<(Waits, Event)> {
    let mut signal = signal(SignalKind::window_change())?;
    let waits = async move { same(signal.recv().await, Some(())) };
    let event = event(|| {
        let me = std::process::id().to_string();
        StdCommand::new("kill").args(["-WINCH", &me]).status().map(drop)
    });
    Ok((boxed(waits), event))
}

fn mpsc_recv() -> io::Result<(Waits, Event)> {
    let (tx, mut rx) = mpsc::channel(1);
    let waits = async move { same(rx.recv().await, Some(1)) };
    Ok((boxed(waits), event(move || tx.try_send(1).map_err(io::Error::other))))
}

fn mpsc_send() -> io::Result<(Waits, Event)> {
    let (tx, rx) = mpsc::channel(1);
    tx.try_send(1).map_err(io::Error::other)?;
    // The receiver is there until the second is sent.
    let rx = Arc::new(Mutex::new(rx));
    let kept = Arc::clone(&rx);
    let waits = async move {
        let sent = tx.send(2).await;
        drop(kept);
        sent.map_err(io::Error::other)
    };
    Ok((boxed(waits), event(move || same(rx.blocking_lock().try_recv(), Ok(1)))))
}

fn broadcast_recv() -> io::Result<(Waits, Event)> {
    let (tx, mut rx) = broadcast::channel(1);
    let waits = async move { same(rx.recv().await, Ok(1)) };
    Ok((boxed(waits), event(move || tx.send(1).map(drop).map_err(io::Error::other))))
}

fn watch_changed() -> io::Result<(Waits, Event)> {
    let (tx, mut rx) = watch::channel(0);
    let waits = async move { rx.changed().await.map_err(io::Error::other) };
    Ok((boxed(waits), event(move || tx.send(1).map_err(io::Error::other))))
}

fn notified() -> io::Result<(Waits, Event)> {
    let (notify, theirs) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let both = (Arc::clone(&notify), Arc::clone(&theirs));
    let waits = async move {
        notify.notified().await;
        theirs.notified().await;
        Ok(())
    };
    let event = event(move || {
        both.0.notify_one();
        both.1.notify_one();
        Ok(())
    });
    Ok((boxed(waits), event))
}

fn mutex() -> io::Result<(Waits, Event)> {
    let mutex = Arc::new(Mutex::new(()));
    let guard = Arc::clone(&mutex).try_lock_owned().map_err(io::Error::other)?;
    Ok((boxed(async move { done(mutex.lock().await) }), event(move || done(guard))))
}

fn rw_lock() -> io::Result<(Waits, Event)> {
    let lock = Arc::new(RwLock::new(()));
    let guard = Arc::clone(&lock).try_read_owned().map_err(io::Error::other)?;
    Ok((boxed(async move { done(lock.write().await) }), event(move || done(guard))))
}

fn semaphore() -> io::Result<(Waits, Event)> {
    let semaphore = Arc::new(Semaphore::new(0));
    let theirs = Arc::clone(&semaphore);
    let waits = async move { semaphore.acquire().await.map(drop).map_err(io::Error::other) };
    Ok((
        boxed(waits),
        event(move || {
            theirs.add_permits(1);
            Ok(())
        }),
    ))
}

fn barrier() -> io::Result<(Waits, Event)> {
    let barrier = Arc::new(Barrier::new(2));
    let theirs = Arc::clone(&barrier);
    let waits = async move { done(barrier.wait().await) };
    let event = event(move || {
        drop(super::elsewhere().spawn(async move { theirs.wait().await }));
        Ok(())
    });
    Ok((boxed(waits), event))
}

fn cancelled() -> io::Result<(Waits, Event)> {
    let token = CancellationToken::new();
    let theirs = token.clone();
    let waits = async move {
        token.cancelled().await;
        Ok(())
    };
    let event = event(move || {
        theirs.cancel();
        Ok(())
    });
    Ok((boxed(waits), event))
}

fn join_set() -> io::Result<(Waits, Event)> {
    let mut set = henge::task::JoinSet::new();
    let (tell, told) = oneshot::channel::<()>();
    set.spawn_on(told, &super::elsewhere());
    let waits = async move { same(set.join_next().await.is_some(), true) };
    Ok((boxed(waits), event(move || tell.send(()).map_err(|()| io::ErrorKind::Other.into()))))
}

/// The bound waits, too.
fn bounded() -> io::Result<(Waits, Event)> {
    let (tell, told) = oneshot::channel::<()>();
    let waits = async move {
        let told = time::timeout(LONG, told).await.map_err(io::Error::other)?;
        told.map_err(io::Error::other)
    };
    Ok((boxed(waits), event(move || tell.send(()).map_err(|()| io::ErrorKind::Other.into()))))
}

const TABLE: &[(&str, Make)] = &[
    ("sleep", sleep),
    ("timeout", timeout),
    ("interval", interval),
    ("delay_queue", delay_queue),
    ("spawn_blocking", spawn_blocking),
    ("lookup_host", lookup_host),
    ("join", join),
    ("join_set", join_set),
    ("child", child),
    ("child_output", child_output),
    ("signalled", signalled),
    ("mpsc_recv", mpsc_recv),
    ("mpsc_send", mpsc_send),
    ("broadcast_recv", broadcast_recv),
    ("watch_changed", watch_changed),
    ("notified", notified),
    ("mutex", mutex),
    ("rw_lock", rw_lock),
    ("semaphore", semaphore),
    ("barrier", barrier),
    ("cancelled", cancelled),
    ("bounded", bounded),
];

#[test]
fn waiting_for_no_descriptor() {
    check_all(TABLE);
}
