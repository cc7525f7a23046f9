//! Where tasks come from: kept for whoever wants to be told which of them keeps a shard, and only
//! then.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::id::Id;
use super::spawn_meta::SpawnMeta;

/// The tasks of a runtime that are not done. Tasks may be made and may end on any thread; so that
/// shards seldom meet, the list is in several parts.
#[derive(Debug)]
pub(crate) struct Roster {
    parts: [Mutex<HashMap<Id, Origin>>; PARTS],
}

const PARTS: usize = 16;

/// What is known of a task from the moment that it was made.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// Where it was spawned.
    pub(crate) location: &'static Location<'static>,
    /// The type of its future, which names the function that it is.
    pub(crate) future: &'static str,
    pub(crate) name: Option<Arc<str>>,
}

impl Roster {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { parts: std::array::from_fn(|_| Mutex::default()) })
    }

    fn part(&self, task: Id) -> MutexGuard<'_, HashMap<Id, Origin>> {
        // Ids are addresses, of things that are larger than 64 bytes.
        let part = (task.bits() >> 6) as usize % PARTS;
        self.parts[part].lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    pub(super) fn add<F>(&self, task: Id, meta: SpawnMeta<'_>) {
        let future = std::any::type_name::<F>();
        let name = meta.details().name.map(Arc::from);
        let origin = Origin { location: meta.location, future, name };
        self.part(task).insert(task, origin);
    }

    #[cold]
    pub(crate) fn remove(&self, task: Id) {
        self.part(task).remove(&task);
    }

    pub(crate) fn get(&self, task: Id) -> Option<Origin> {
        self.part(task).get(&task).cloned()
    }
}

#[cfg(all(test, not(henge_loom)))]
mod tests {
    use std::time::Duration;

    use crate::runtime::Builder;

    #[test]
    fn what_is_done_stands_there_no_longer_wherever_it_was_made_and_however_it_ended() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .stealing(true)
            .detect_stalls(Duration::from_secs(3600))
            .build()
            .expect("a runtime");
        let roster = runtime.handle().shared().config.watch.roster.clone().expect("it is watched");
        let mut outside: Vec<_> = (0..20).map(|_| runtime.spawn(async {})).collect();
        outside.push(runtime.spawn(std::future::pending()));
        outside[20].abort();
        runtime.run(|| async {
            for n in 0..20 {
                let local = crate::spawn(async move { assert!(n % 5 > 0, "one in five") });
                let stolen = crate::steal::spawn(async {});
                let large = crate::spawn(async { std::hint::black_box([0_u8; 20_000]) });
                let early = crate::spawn(async {});
                crate::executor::yield_now().await;
                assert!(early.is_finished(), "nobody waits for it yet");
                drop(local.await);
                stolen.await.expect("it ends");
                large.await.expect("it ends");
            }
            let aborted = crate::steal::spawn(std::future::pending::<()>());
            aborted.abort();
            assert!(aborted.await.is_err_and(|error| error.is_cancelled()));
        });
        for task in outside {
            drop(runtime.block_on(task));
        }
        let begun = std::time::Instant::now();
        let left = || roster.parts.iter().map(|part| part.lock().unwrap().len()).sum::<usize>();
        // The closure of `run` has answered before its task was done.
        while left() > 0 && begun.elapsed() < Duration::from_secs(60) {
            std::thread::yield_now();
        }
        assert_eq!(left(), 0);
    }
}
