//! Tasks with keys, and tasks with names.

use std::future::pending;

use henge::runtime::{Builder, Runtime};
use henge::task::{self, JoinMap, JoinSet, LocalSet};

fn one() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[test]
fn a_task_that_takes_anothers_place_is_the_one_that_is_joined() {
    one().block_on(async {
        let mut map = JoinMap::new();
        map.spawn("key", async { 1 });
        // The first one is done, and waits to be joined.
        task::yield_now().await;
        map.spawn("key", async { 2 });
        map.spawn("other", async { 3 });
        assert_eq!(map.len(), 2);
        let mut results = Vec::new();
        while let Some((key, result)) = map.join_next().await {
            results.push((key, result.unwrap()));
        }
        results.sort_unstable();
        assert_eq!(results, [("key", 2), ("other", 3)]);
        assert!(map.is_empty() && map.try_join_next().is_none());
    });
}

#[test]
fn a_thousand_keys_that_come_and_go_against_a_naive_map() {
    one().block_on(async {
        let mut seed = 7_u64;
        let mut next = move |below: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let mut map = JoinMap::new();
        let mut naive = std::collections::HashMap::new();
        for round in 0..20_000_u64 {
            let key = next(1_000);
            match next(4) {
                0 | 1 => {
                    map.spawn(key, async move { round });
                    naive.insert(key, Some(round));
                }
                2 => {
                    map.spawn(key, pending());
                    naive.insert(key, None);
                    map.abort(&key);
                }
                _ => {
                    if let Some((key, result)) = map.try_join_next() {
                        assert_eq!(naive.remove(&key), Some(result.ok()), "of {key}");
                    }
                }
            }
            if round % 16 == 0 {
                task::yield_now().await;
            }
            assert_eq!(map.len(), naive.len());
            assert_eq!(map.contains_key(&key), naive.contains_key(&key));
        }
        while let Some((key, result)) = map.join_next().await {
            assert_eq!(naive.remove(&key), Some(result.ok()), "of {key}");
        }
        assert!(naive.is_empty());
    });
}

#[test]
fn every_way_of_spawning_gives_the_name_along() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let handle = runtime.handle().clone();
    runtime.run(move || async move {
        assert_eq!(task::name(), None);
        let set = LocalSet::new();
        let here = || async { task::name() };
        let named = |name| task::Builder::new().name(name);
        let tasks = [
            named("a").spawn(here()).unwrap(),
            named("b").spawn_on(here(), &handle).unwrap(),
            named("c").spawn_local(here()).unwrap(),
            named("d").spawn_local_on(here(), &set).unwrap(),
            named("e").spawn_blocking(task::name).unwrap(),
            named("f").spawn_blocking_on(task::name, &handle).unwrap(),
        ];
        set.await;
        for (task, name) in tasks.into_iter().zip(["a", "b", "c", "d", "e", "f"]) {
            assert_eq!(task.await.unwrap().as_deref(), Some(name));
        }
        let nameless = task::Builder::new().spawn(here()).unwrap();
        assert_eq!(nameless.await.unwrap(), None);
        // What a named task spawns has no name unless it is given one.
        let child = named("parent").spawn(async { task::spawn(async { task::name() }).await });
        assert_eq!(child.unwrap().await.unwrap().unwrap(), None);
    });
}

#[test]
fn members_of_a_set_have_names_too() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let handle = runtime.handle().clone();
    runtime.run(move || async move {
        let local = LocalSet::new();
        let mut set = JoinSet::new();
        let here = || async { task::name() };
        set.build_task().name("a").spawn(here()).unwrap();
        set.build_task().name("b").spawn_on(here(), &handle).unwrap();
        set.build_task().name("c").spawn_local(here()).unwrap();
        set.build_task().name("d").spawn_local_on(here(), &local).unwrap();
        set.build_task().name("e").spawn_blocking(task::name).unwrap();
        set.build_task().name("f").spawn_blocking_on(task::name, &handle).unwrap();
        local.await;
        let mut names: Vec<_> = set.join_all().await.into_iter().flatten().collect();
        names.sort_unstable();
        assert_eq!(names.iter().map(|name| &**name).collect::<String>(), "abcdef");
    });
}
