//! Where shards run: on the CPUs that the process may use, and what it starts on all of them.
//!
//! Each case runs in a child with another affinity mask, or in a cgroup with another cpuset or
//! quota where this test may make one.

use std::process::Command;
use std::thread;

use henge::driver::sys::cpu;
use henge::runtime::{Builder, Pinning, Runtime};

const V1_CPUSET: &str = "echo 0 > cpuset.mems && echo 0 > cpuset.cpus";
const V1_QUOTA: &str = "echo 100000 > cpu.cfs_period_us && echo 100000 > cpu.cfs_quota_us";

/// The CPUs of this thread, by the kernel's numbers.
fn mine() -> Vec<usize> {
    cpu::affinity().expect("it can be asked").iter().collect()
}

/// The CPUs of each shard.
fn placed(runtime: &Runtime) -> Vec<Vec<usize>> {
    let shards = runtime.metrics().num_workers();
    let on = |index| {
        runtime.run(move || async move {
            henge::spawn_on(henge::shard::ShardId::new(index), || async { mine() }).await
        })
    };
    (0..shards).map(|index| on(index).expect("no panic")).collect()
}

fn child() -> bool {
    std::env::var_os("HENGE_CHILD").is_some()
}

/// Runs the test of this name again in a child, through these words of a shell.
fn in_child(name: &str, shell: &str) {
    let me = std::env::current_exe().expect("this program");
    let script = format!("{shell} {} {name} --exact --nocapture", me.display());
    let mut command = Command::new("sh");
    let output = command.args(["-c", &script]).env("HENGE_CHILD", "1").output();
    let output = output.expect("a shell starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shell}: {text}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[test]
fn the_default_is_a_pinned_shard_a_cpu() {
    let all = mine();
    if thread::available_parallelism().map_or(1, usize::from) < all.len() {
        return; // A quota is set here: the other test's case.
    }
    let runtime = Runtime::new().expect("a runtime");
    let mut cpus = placed(&runtime).concat();
    cpus.sort_unstable();
    assert_eq!(cpus, all);
}

#[test]
fn an_affinity_mask_is_honoured() {
    let last = *mine().last().expect("this runs somewhere");
    if !child() {
        let mask = format!("exec taskset -c {last}");
        return in_child("an_affinity_mask_is_honoured", &mask);
    }
    assert_eq!(mine(), [last]);
    assert_eq!(placed(&Runtime::new().expect("a runtime")), [[last]]);
    // More shards than CPUs are not pinned: the kernel knows better.
    let crowd = Builder::new_multi_thread().worker_threads(3).build().expect("a runtime");
    assert_eq!(placed(&crowd), vec![vec![last]; 3]);
    let refused = Builder::new_multi_thread().pinning(Pinning::Cpus(vec![last + 1])).build();
    let text = refused.expect_err("a CPU that it may not use").to_string();
    assert!(text.contains(&format!("CPU {}", last + 1)), "{text}");
}

/// A thread that sends to a task runs on the CPU on which the task's shard looks for messages: it
/// gets to send many before the shard sleeps, and each sleep would be a call to wake it.
#[test]
fn on_one_cpu_a_shard_that_looks_lets_others_run() {
    const MESSAGES: u64 = 50_000;
    if !child() {
        let mask = format!("exec taskset -c {}", mine()[0]);
        return in_child("on_one_cpu_a_shard_that_looks_lets_others_run", &mask);
    }
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let (tx, mut rx) = henge::sync::mpsc::channel(64);
    let sender = thread::spawn(move || (0..MESSAGES).try_for_each(|n| tx.blocking_send(n)));
    let received = runtime.block_on(async {
        let mut received = 0;
        while rx.recv().await.is_some() {
            received += 1;
        }
        received
    });
    sender.join().expect("no panic").expect("the task receives all");
    assert_eq!(received, MESSAGES);
    let shard = runtime.metrics().shard(0);
    assert!(shard.parks() < MESSAGES / 10, "{} sleeps", shard.parks());
}

#[test]
fn more_shards_than_cpus_are_not_pinned() {
    let all = mine();
    let mut builder = Builder::new_multi_thread();
    let crowd = builder.worker_threads(all.len() + 1).build().expect("a runtime");
    assert!(placed(&crowd).into_iter().all(|cpus| cpus == all));
}

#[test]
fn pinning_can_be_chosen() {
    let all = mine();
    let build = |pinning| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(all.len()).pinning(pinning).build().expect("a runtime")
    };
    assert!(placed(&build(Pinning::None)).into_iter().all(|cpus| cpus == all));
    for pinning in [Pinning::Compact, Pinning::Spread, Pinning::Cpus(all.clone())] {
        let mut cpus = placed(&build(pinning)).concat();
        cpus.sort_unstable();
        assert_eq!(cpus, all);
    }
    let first = all[0];
    let one = Builder::new_multi_thread().pinning(Pinning::Cpus(vec![first])).build();
    assert_eq!(placed(&one.expect("a runtime")), [[first]], "as many shards as CPUs are named");
}

#[test]
fn what_a_pinned_shard_starts_has_all_cpus() {
    let all = mine();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .pinning(Pinning::Spread)
        .build()
        .expect("a runtime");
    let (inherited, given_back, pool, nested) = runtime.run(|| async {
        assert_eq!(mine().len(), 1);
        let inherited = thread::spawn(mine).join();
        let given_back = henge::thread::spawn(mine).expect("a thread").join();
        let pool = henge::task::spawn_blocking(mine).await;
        // A runtime that is built on a shard is not confined to that shard's CPU.
        let nested = Builder::new_multi_thread().build().expect("a runtime");
        let shards = nested.metrics().num_workers();
        nested.shutdown_background();
        (inherited, given_back, pool, shards)
    });
    assert_eq!(inherited.map_or(0, |cpus| cpus.len()), 1, "what std starts inherits the one");
    assert_eq!(given_back.ok().as_ref(), Some(&all));
    assert_eq!(pool.ok().as_ref(), Some(&all));
    assert_eq!(nested, Runtime::new().expect("a runtime").metrics().num_workers());
}

#[test]
fn a_child_of_a_pinned_shard_has_all_cpus() {
    let ours = cpus_in(&std::fs::read_to_string("/proc/self/status").expect("a status"));
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .pinning(Pinning::Spread)
        .build()
        .expect("a runtime");
    let (child, shard) = runtime.run(|| async {
        let output = henge::process::Command::new("cat").arg("/proc/self/status").output().await;
        (output.expect("a child").stdout, mine())
    });
    assert_eq!(cpus_in(&String::from_utf8_lossy(&child)), ours);
    assert_eq!(shard.len(), 1, "the shard has its one back");
}

/// The CPUs that a process may use, of its status.
fn cpus_in(status: &str) -> String {
    let line = status.lines().find(|line| line.starts_with("Cpus_allowed:"));
    line.expect("the kernel says so").to_owned()
}

#[test]
fn the_thread_of_a_lone_runtime_is_not_pinned() {
    let all = mine();
    let runtime = Builder::new_current_thread().pinning(Pinning::Spread).build();
    assert_eq!(runtime.expect("a runtime").block_on(async { mine() }), all);
    assert_eq!(mine(), all);
}

/// Makes a cgroup and writes to its files, in the second version's hierarchy or else in the
/// first's; or says that neither is allowed here.
fn cgroup(controller: &str, second: &str, first: &str) -> Option<String> {
    let name = format!("henge-{}", std::process::id());
    let roots =
        [("/sys/fs/cgroup".to_owned(), second), (format!("/sys/fs/cgroup/{controller}"), first)];
    for (root, files) in roots {
        let group = format!("{root}/{name}-{controller}");
        let enable = format!("echo +{controller} > {root}/cgroup.subtree_control");
        // What is made below something else than a cgroup is an ordinary folder.
        let make = format!(
            "test -e {root}/cgroup.procs || exit 1; test -e {root}/tasks || {enable}; \
             mkdir {group} && cd {group} && {files}"
        );
        let made = Command::new("sh").args(["-c", &make]).output().expect("a shell starts");
        if made.status.success() {
            return Some(group);
        }
        drop(std::fs::remove_dir(&group));
    }
    // Without the rights there is nothing to be tested.
    eprintln!("no cgroup for {controller} can be made here");
    None
}

#[test]
fn a_cpuset_is_honoured() {
    let name = "a_cpuset_is_honoured";
    if !child() {
        let Some(group) = cgroup("cpuset", "echo 0 > cpuset.cpus", V1_CPUSET) else { return };
        in_child(name, &format!("echo $$ > {group}/cgroup.procs; exec"));
        std::fs::remove_dir(group).expect("nobody is in it");
        return;
    }
    assert_eq!(mine(), [0]);
    assert_eq!(placed(&Runtime::new().expect("a runtime")), [[0]]);
}

#[test]
fn under_a_quota_there_are_fewer_shards_and_none_is_pinned() {
    let name = "under_a_quota_there_are_fewer_shards_and_none_is_pinned";
    let all = mine();
    if !child() {
        if all.len() < 2 {
            return;
        }
        let Some(group) = cgroup("cpu", "echo 100000 100000 > cpu.max", V1_QUOTA) else { return };
        in_child(name, &format!("echo $$ > {group}/cgroup.procs; exec"));
        std::fs::remove_dir(group).expect("nobody is in it");
        return;
    }
    assert_eq!(placed(&Runtime::new().expect("a runtime")), [all]);
}
