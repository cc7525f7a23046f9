//! A future that one thread has polled in its `block_on`, which it then leaves for ever, is
//! finished by another: one of each kind that waits for something.
//!
//! Nobody else may turn the first thread's ring, so nothing that is under way there is ever heard
//! of again, unless it ends before the thread leaves, or is asked for anew where the future is now.

mod files;
mod others;
mod props;
mod sockets;
mod streams;

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{LazyLock, mpsc};
use std::task::Poll;
use std::time::Duration;

use henge::runtime::{Builder, Handle, Runtime};

use props::{Place, full_pipe, same, take};

/// Nothing takes so long, on whatever machine.
const LONG: Duration = Duration::from_secs(60);

type Waits = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;
/// Brings about what is waited for.
type Event = Box<dyn FnOnce() -> io::Result<()> + Send>;
/// Made in async context. The future waits for the event, or for nothing that takes long.
type Make = fn() -> io::Result<(Waits, Event)>;

/// What happens between the first poll and the second one.
#[derive(Clone, Copy, Debug)]
enum Between {
    /// The thread leaves at once.
    Nothing,
    /// It turns its ring for a moment before.
    Turns,
    /// It has left when that comes which is waited for.
    Event,
}

/// Who finishes it.
#[derive(Clone, Copy, Debug)]
enum Finishes {
    Pinned,
    Stealable,
    Guest,
}

fn boxed<F>(waits: F) -> Waits
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    Box::pin(waits)
}

fn event(event: impl FnOnce() -> io::Result<()> + Send + 'static) -> Event {
    Box::new(event)
}

/// For what is over without anybody's doing.
fn none() -> Event {
    Box::new(|| Ok(()))
}

fn shards() -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).stealing(true).build();
    runtime.expect("a runtime")
}

/// Shards that nobody leaves.
fn elsewhere() -> Handle {
    static SHARDS: LazyLock<Runtime> = LazyLock::new(shards);
    SHARDS.handle().clone()
}

fn finish(on: &Handle, who: Finishes, mut waits: Waits) -> mpsc::Receiver<io::Result<()>> {
    let (tell, told) = mpsc::channel();
    let mut polled = Some(tell.clone());
    let future = async move {
        let finished = henge::time::timeout(LONG, async {
            poll_fn(|cx| {
                let poll = waits.as_mut().poll(cx);
                // It is asked for here now.
                if let Some(polled) = polled.take() {
                    let _nobody_listens = polled.send(Ok(()));
                }
                poll
            })
            .await
        });
        let finished = finished.await.unwrap_or_else(|late| Err(io::Error::other(late)));
        let _nobody_listens = tell.send(finished);
    };
    match who {
        Finishes::Pinned => drop(on.spawn(future)),
        Finishes::Stealable => drop(on.spawn(async { drop(henge::steal::spawn(future).await) })),
        Finishes::Guest => {
            let on = on.clone();
            std::thread::spawn(move || on.block_on(future));
        }
    }
    told
}

/// Lets it happen. It may have to wait for the other side.
fn happen(event: Event) -> mpsc::Receiver<io::Result<()>> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(event()));
    told
}

/// `first` is the runtime of one thread that this thread leaves. Whether there was anything left to
/// wait for.
fn check(make: Make, first: &Runtime, then: &Handle, between: Between, who: Finishes) -> bool {
    let made: io::Result<_> = first.block_on(async {
        let (mut waits, event) = make()?;
        let polled = poll_fn(|cx| Poll::Ready(waits.as_mut().poll(cx))).await;
        if let Between::Turns = between {
            henge::time::sleep(Duration::from_millis(3)).await;
        }
        polled.is_pending().then_some(Ok((waits, event))).transpose()
    });
    let Some((waits, event)) = made.expect("it can be made") else { return false };
    let answer = |told: &mpsc::Receiver<io::Result<()>>| match told.recv_timeout(2 * LONG) {
        Ok(answer) => answer.unwrap_or_else(|error| panic!("{between:?}, {who:?}: {error}")),
        Err(_) => panic!("{between:?}, {who:?}: it hangs"),
    };
    let (happened, finished);
    if let Between::Event = between {
        happened = happen(event);
        std::thread::sleep(Duration::from_millis(3));
        finished = finish(then, who, waits);
        answer(&finished);
    } else {
        finished = finish(then, who, waits);
        answer(&finished);
        happened = happen(event);
    }
    answer(&finished);
    answer(&happened);
    true
}

/// In all orders. Returns the kinds that had nothing to wait for, in any of them.
fn check_each<'a>(kinds: &[(&'a str, Make)]) -> Vec<&'a str> {
    let (first, then) = (Builder::new_current_thread().build().expect("a runtime"), shards());
    let mut ready = Vec::new();
    for (name, make) in kinds {
        let mut waited = false;
        for between in [Between::Nothing, Between::Turns, Between::Event] {
            for who in [Finishes::Pinned, Finishes::Stealable, Finishes::Guest] {
                println!("{name}, {between:?}, {who:?}");
                waited |= check(*make, &first, then.handle(), between, who);
            }
        }
        if !waited {
            ready.push(*name);
        }
    }
    ready
}

fn check_all(kinds: &[(&str, Make)]) {
    assert!(check_each(kinds).is_empty(), "something waits for nothing");
}
