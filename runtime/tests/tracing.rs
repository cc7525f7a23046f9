//! With the feature `tracing`, a subscriber sees each task's span, its polls and its wakers, as
//! tokio's console wants them told.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use henge::runtime::Builder;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What a subscriber has seen of one task.
#[derive(Clone, Debug, Default)]
struct Seen {
    fields: HashMap<String, String>,
    polls: usize,
    is_closed: bool,
    steps: Vec<String>,
}

/// Keeps what it is told, of tasks alone. A span has one reference: nobody clones those of tasks.
#[derive(Clone, Default)]
struct Log {
    next: Arc<AtomicU64>,
    tasks: Arc<Mutex<HashMap<u64, Seen>>>,
}

impl Log {
    /// The tasks that were spawned here, by their names.
    fn named(&self, name: &str) -> Seen {
        let tasks = self.tasks.lock().unwrap();
        let of_name = |seen: &&Seen| seen.fields.get("task.name").is_some_and(|is| is == name);
        let found: Vec<&Seen> = tasks.values().filter(of_name).collect();
        assert_eq!(found.len(), 1, "{name}: {tasks:?}");
        found[0].clone()
    }

    fn of_kind(&self, kind: &str) -> Vec<Seen> {
        let tasks = self.tasks.lock().unwrap();
        tasks.values().filter(|seen| seen.fields["kind"] == kind).cloned().collect()
    }
}

struct Fields<'a>(&'a mut HashMap<String, String>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        (metadata.is_span() && metadata.name() == "runtime.spawn")
            || (metadata.is_event() && metadata.target() == "runtime::waker")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut seen = Seen::default();
        span.record(&mut Fields(&mut seen.fields));
        self.tasks.lock().unwrap().insert(id, seen);
        Id::from_u64(id)
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = HashMap::new();
        event.record(&mut Fields(&mut fields));
        let task: u64 = fields["task.id"].parse().unwrap();
        let mut tasks = self.tasks.lock().unwrap();
        tasks.get_mut(&task).unwrap().steps.push(fields.remove("op").unwrap());
    }

    fn enter(&self, span: &Id) {
        self.tasks.lock().unwrap().get_mut(&span.into_u64()).unwrap().polls += 1;
    }

    fn try_close(&self, span: Id) -> bool {
        self.tasks.lock().unwrap().get_mut(&span.into_u64()).unwrap().is_closed = true;
        true
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_span_says_what_the_task_is_and_where_it_comes_from() {
    let log = Log::default();
    let line = tracing::subscriber::with_default(log.clone(), || {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let builder = || henge::task::Builder::new();
            let line = line!() + 1;
            let task = builder().name("pinned").spawn(async { [0_u8; 100].len() }).unwrap();
            let stealable = henge::steal::spawn(async {});
            let local = builder().name("local").spawn_local(async {}).unwrap();
            let blocking = builder().name("blocking").spawn_blocking(|| ()).unwrap();
            assert_eq!(task.await.unwrap(), 100);
            stealable.await.unwrap();
            local.await.unwrap();
            blocking.await.unwrap();
            line
        })
    });
    let pinned = log.named("pinned");
    assert_eq!(pinned.fields["kind"], "task");
    assert_eq!(pinned.fields["loc.file"], file!());
    assert_eq!(pinned.fields["loc.line"], line.to_string());
    assert!(pinned.fields["loc.col"].parse::<u32>().unwrap() > 1);
    assert!(pinned.fields["size.bytes"].parse::<usize>().unwrap() > 0);
    assert_eq!(log.named("local").fields["kind"], "local");
    assert_eq!(log.named("blocking").fields["kind"], "blocking");
    assert_eq!(log.named("blocking").fields["loc.file"], file!());
    assert_eq!(log.of_kind("block_on").len(), 1);
    let tasks = log.tasks.lock().unwrap();
    assert_eq!(tasks.len(), 5, "{tasks:?}");
    for seen in tasks.values() {
        assert_eq!(seen.fields["loc.file"], file!(), "{seen:?}");
        assert!(seen.is_closed, "{seen:?}");
    }
}

#[test]
fn polls_and_wakers_are_told_of_wherever_they_are_woken() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
            let kept = Arc::clone(&waker);
            let mut polls = 0;
            let task = std::future::poll_fn(move |cx| {
                polls += 1;
                if polls == 1 {
                    let clone = cx.waker().clone();
                    drop(clone.clone());
                    *kept.lock().unwrap() = Some(clone);
                }
                if polls < 3 { Poll::Pending } else { Poll::Ready(()) }
            });
            let task = henge::task::Builder::new().name("sleeper").spawn(task).unwrap();
            henge::task::yield_now().await;
            waker.lock().unwrap().as_ref().unwrap().wake_by_ref();
            henge::task::yield_now().await;
            let dispatch = tracing::dispatcher::get_default(Clone::clone);
            let elsewhere = std::thread::spawn(move || {
                let waker = waker.lock().unwrap().take().unwrap();
                tracing::dispatcher::with_default(&dispatch, || waker.wake());
            });
            task.await.unwrap();
            elsewhere.join().unwrap();
        });
    });
    let seen = log.named("sleeper");
    let expected =
        ["clone", "clone", "drop", "wake_by_ref", "wake"].map(|op| format!("waker.{op}"));
    assert_eq!(seen.steps, expected);
    // Three polls, and the drop of the future.
    assert_eq!((seen.polls, seen.is_closed), (4, true));
}

#[test]
fn without_a_subscriber_tasks_run_as_ever() {
    let runtime = Builder::new_multi_thread().worker_threads(2).stealing(true).build().unwrap();
    let sum = runtime.run(|| async {
        let tasks: Vec<_> = (0..100).map(|n| henge::steal::spawn(async move { n })).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 4_950);
}
