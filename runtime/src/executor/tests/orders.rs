//! Every way a task can end, by every way its handle can, in every order, at home and elsewhere.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread::{self, ThreadId};

use super::super::{Home, JoinError, JoinHandle};
use super::{block_on, home, run, run_until};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    Well,
    PanicsInPoll,
    PanicsInDrop,
    PanicsInBoth,
    PanicsInOutputDrop,
}

/// What becomes of the handle.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Handled {
    Awaited,
    Dropped,
    Aborted,
    /// Aborted by an abort handle after the join handle was dropped.
    DroppedAndAborted,
}

/// When that happens.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    BeforeItRuns,
    BetweenPolls,
    InsideOfItsPoll,
    AfterItsEnd,
    AfterTheHomesEnd,
}

/// Where that happens.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Home,
    Elsewhere,
}

#[derive(Default)]
struct Counts {
    futures: AtomicUsize,
    outputs: AtomicUsize,
}

struct Probe {
    ends: Ends,
    polls: u32,
    home: ThreadId,
    counts: Arc<Counts>,
    inside: Cell<Option<Box<dyn FnOnce()>>>,
}

struct Output {
    ends: Ends,
    counts: Arc<Counts>,
}

impl Future for Probe {
    type Output = Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Output> {
        assert_eq!(thread::current().id(), self.home, "polled at home only");
        self.polls += 1;
        if self.polls == 1 {
            if let Some(inside) = self.inside.take() {
                inside();
            }
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if matches!(self.ends, Ends::PanicsInPoll | Ends::PanicsInBoth) {
            panic!("in poll");
        }
        Poll::Ready(Output { ends: self.ends, counts: self.counts.clone() })
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        assert_eq!(thread::current().id(), self.home, "dropped at home only");
        assert!(super::super::try_id().is_some(), "its id is known while it is dropped");
        self.counts.futures.fetch_add(1, Ordering::Relaxed);
        if matches!(self.ends, Ends::PanicsInDrop | Ends::PanicsInBoth) {
            panic!("in drop");
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.counts.outputs.fetch_add(1, Ordering::Relaxed);
        if self.ends == Ends::PanicsInOutputDrop && !thread::panicking() {
            panic!("in the output's drop");
        }
    }
}

fn handle_it(home: Option<&Home>, handle: JoinHandle<Output>, handled: Handled, ended: Ends) {
    match handled {
        Handled::Awaited | Handled::Aborted => {
            if handled == Handled::Aborted {
                handle.abort();
            }
            let id = handle.id();
            let result = match home {
                Some(home) => block_on(home, handle),
                None => wait(handle),
            };
            if let Err(error) = &result {
                assert_eq!(error.id(), id);
            }
            check_result(result, handled, ended);
        }
        Handled::Dropped => drop(handle),
        Handled::DroppedAndAborted => {
            let abort = handle.abort_handle();
            drop(handle);
            abort.abort();
            drop(abort.clone());
        }
    }
}

/// Awaits on a thread that runs no tasks.
fn wait<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let waker = std::task::Waker::from(Arc::new(super::Unpark(thread::current())));
    let begun = std::time::Instant::now();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        assert!(begun.elapsed() < super::PATIENCE, "waited in vain");
        thread::park_timeout(super::PATIENCE);
    }
}

fn check_result(result: Result<Output, JoinError>, handled: Handled, ends: Ends) {
    let text = |error: JoinError| *error.into_panic().downcast::<&str>().expect("a text");
    match (result, ends) {
        (Ok(output), Ends::Well) => drop(output),
        (Ok(output), Ends::PanicsInOutputDrop) => super::super::raw::swallow(|| drop(output)),
        (Err(error), _) if error.is_cancelled() => assert_ne!(handled, Handled::Awaited),
        (Err(error), Ends::PanicsInDrop) => assert_eq!(text(error), "in drop"),
        (Err(error), Ends::PanicsInPoll) => assert_eq!(text(error), "in poll"),
        // Which of the two depends on whether it came as far as to be polled.
        (Err(error), Ends::PanicsInBoth) => assert!(text(error).starts_with("in ")),
        (Ok(_), ends) => panic!("a result where it {ends:?}"),
        (Err(error), ends) => panic!("{error} where it {ends:?}"),
    }
}

fn try_one(ends: Ends, handled: Handled, when: When, place: Place) {
    let home = home();
    let entered = home.enter();
    let counts = Arc::new(Counts::default());
    let probe = |inside| Probe {
        ends,
        polls: 0,
        home: thread::current().id(),
        counts: counts.clone(),
        inside: Cell::new(inside),
    };
    if when == When::InsideOfItsPoll {
        // The handle reaches the task itself; whoever would wait leaves it to a thread.
        let slot: std::rc::Rc<Cell<Option<JoinHandle<Output>>>> = Default::default();
        let taken = slot.clone();
        let waiting: std::rc::Rc<Cell<Option<thread::JoinHandle<()>>>> = Default::default();
        let started = waiting.clone();
        let inside = move || {
            let handle = taken.take().expect("put there before it runs");
            let waits = matches!(handled, Handled::Awaited | Handled::Aborted);
            let thread = move || handle_it(None, handle, handled, ends);
            if place == Place::Home && !waits {
                thread();
            } else {
                started.set(Some(thread::spawn(thread)));
            }
        };
        slot.set(Some(home.spawn(probe(Some(Box::new(inside))))));
        run(&home);
        if let Some(thread) = waiting.take() {
            run_until(&home, || thread.is_finished());
            thread.join().expect("the other thread's checks hold");
        }
    } else {
        let handle = home.spawn(probe(None));
        match when {
            When::BetweenPolls => assert!(home.polls().poll_next(), "it was spawned"),
            When::AfterItsEnd => run(&home),
            When::AfterTheHomesEnd => home.close(),
            When::BeforeItRuns | When::InsideOfItsPoll => {}
        }
        // A task that was not done when its home closed was cancelled.
        let handled = match (handled, when) {
            (Handled::Awaited, When::AfterTheHomesEnd) => Handled::Aborted,
            (handled, _) => handled,
        };
        match place {
            Place::Home => handle_it(Some(&home), handle, handled, ends),
            Place::Elsewhere => {
                let other = thread::spawn(move || handle_it(None, handle, handled, ends));
                run_until(&home, || other.is_finished());
                other.join().expect("the other thread's checks hold");
            }
        }
    }
    run(&home);
    drop(entered);
    assert_eq!(home.alive(), 0);
    drop(home);
    let futures = counts.futures.load(Ordering::Relaxed);
    assert_eq!(futures, 1, "the future is dropped once");
    assert_eq!(Arc::strong_count(&counts), 1, "nothing is left of it");
    assert!(counts.outputs.load(Ordering::Relaxed) <= 1, "the output is dropped once");
}

#[test]
fn all_orders() {
    let mut tried = 0;
    for ends in [
        Ends::Well,
        Ends::PanicsInPoll,
        Ends::PanicsInDrop,
        Ends::PanicsInBoth,
        Ends::PanicsInOutputDrop,
    ] {
        for handled in
            [Handled::Awaited, Handled::Dropped, Handled::Aborted, Handled::DroppedAndAborted]
        {
            for when in [
                When::BeforeItRuns,
                When::BetweenPolls,
                When::InsideOfItsPoll,
                When::AfterItsEnd,
                When::AfterTheHomesEnd,
            ] {
                for place in [Place::Home, Place::Elsewhere] {
                    let order = std::panic::catch_unwind(|| try_one(ends, handled, when, place));
                    assert!(order.is_ok(), "{ends:?}, {handled:?} {when:?} at {place:?}");
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(tried, 200);
}

#[test]
fn spawned_from_elsewhere_before_and_after_the_homes_end() {
    for handled in
        [Handled::Awaited, Handled::Dropped, Handled::Aborted, Handled::DroppedAndAborted]
    {
        for closes in [false, true] {
            let home = home();
            let entered = home.enter();
            let inbox = home.inbox().clone();
            let (polled, polls) = (Arc::new(()), Arc::new(AtomicUsize::new(0)));
            let (inside, seen) = (polled.clone(), polls.clone());
            if closes {
                home.close();
            }
            let other = thread::spawn(move || {
                let handle = inbox.spawn_with(move || async move {
                    let _inside = inside;
                    seen.fetch_add(1, Ordering::Relaxed);
                    super::Rounds(2).await;
                    7
                });
                match handled {
                    Handled::Awaited => match wait(handle) {
                        Ok(value) => assert_eq!((value, closes), (7, false)),
                        Err(error) => assert!(error.is_cancelled() && closes),
                    },
                    Handled::Dropped => drop(handle),
                    Handled::Aborted => {
                        handle.abort();
                        match wait(handle) {
                            Ok(value) => assert_eq!((value, closes), (7, false)),
                            Err(error) => assert!(error.is_cancelled()),
                        }
                    }
                    Handled::DroppedAndAborted => {
                        let abort = handle.abort_handle();
                        drop(handle);
                        abort.abort();
                    }
                }
            });
            run_until(&home, || other.is_finished());
            run(&home);
            other.join().expect("the other thread's checks hold");
            drop(entered);
            drop(home);
            assert_eq!(Arc::strong_count(&polled), 1);
            assert!(polls.load(Ordering::Relaxed) <= 1);
        }
    }
}

#[test]
fn a_task_spawned_by_a_task_that_is_cancelled_at_the_end_is_cancelled_too() {
    struct Spawns(std::rc::Rc<Cell<Option<JoinHandle<()>>>>);
    impl Drop for Spawns {
        fn drop(&mut self) {
            Home::with_current(|home| {
                let home = home.expect("dropped inside of its home");
                self.0.set(Some(home.spawn(std::future::pending())));
            });
        }
    }
    let home = home();
    let slot: std::rc::Rc<Cell<Option<JoinHandle<()>>>> = Default::default();
    let spawns = Spawns(slot.clone());
    {
        let _entered = home.enter();
        drop(home.spawn(async move {
            let _spawns = spawns;
            std::future::pending::<()>().await;
        }));
        run(&home);
    }
    drop(home);
    let handle = slot.take().expect("the drop ran");
    assert!(wait(handle).expect_err("no home is left to run it").is_cancelled());
}

#[test]
fn an_error_says_what_happened() {
    let home = home();
    let _entered = home.enter();
    let handle = home.spawn(async { panic!("boom {}", 1 + 1) });
    let id = handle.id();
    let error: JoinError = block_on(&home, handle).unwrap_err();
    assert_eq!(error.to_string(), format!("task {id} panicked with message \"boom 2\""));
    assert_eq!(format!("{error:?}"), format!("JoinError::Panic({id:?}, \"boom 2\", ...)"));
    let error = std::io::Error::from(error);
    assert_eq!(error.to_string(), "task panicked");

    let handle = home.spawn(std::future::pending::<()>());
    handle.abort();
    let (id, error) = (handle.id(), block_on(&home, handle).unwrap_err());
    assert_eq!(error.to_string(), format!("task {id} was cancelled"));
    assert_eq!(format!("{error:?}"), format!("JoinError::Cancelled({id:?})"));
    assert!(error.try_into_panic().is_err_and(|error| error.is_cancelled()));
}

#[test]
#[should_panic(expected = "JoinHandle polled after completion")]
fn a_result_is_had_once() {
    let home = home();
    let _entered = home.enter();
    let mut handle = home.spawn(async {});
    assert!(block_on(&home, &mut handle).is_ok());
    drop(block_on(&home, &mut handle));
}
