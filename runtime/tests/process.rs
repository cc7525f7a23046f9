//! Child processes: nothing of them is left behind, whatever becomes of their handles.

use std::future::{Future, poll_fn};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::pin::pin;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use henge::fs::{self, File};
use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream, UdpSocket, UnixStream, unix};
use henge::process::{Child, Command};
use henge::runtime::Builder;
use henge::signal::unix::{SignalKind, signal};
use henge::time::timeout;

const LONG: Duration = Duration::from_secs(60);

fn sleeper() -> Command {
    let mut command = Command::new("sleep");
    command.arg("1000");
    command
}

/// What the system says about a process: `Z` for one that nobody has reaped.
fn state(id: u32) -> Option<char> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    text.rsplit(") ").next()?.chars().next()
}

fn eventually(what: &str, check: impl Fn() -> bool) {
    let begun = Instant::now();
    while !check() {
        assert!(begun.elapsed() < LONG, "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}

async fn eventually_here(what: &str, check: impl Fn() -> bool) {
    let begun = Instant::now();
    while !check() {
        assert!(begun.elapsed() < LONG, "{what}");
        henge::time::sleep(Duration::from_millis(2)).await;
    }
}

#[henge::test]
async fn many_at_once_end_with_their_own_status() {
    let mut children: Vec<_> = (0..40)
        .map(|n| Command::new("sh").args(["-c", &format!("exit {n}")]).spawn().unwrap())
        .collect();
    for (n, child) in children.iter_mut().enumerate() {
        let status = timeout(LONG, child.wait()).await.expect("it ends").unwrap();
        assert_eq!(status.code(), Some(n as i32));
        assert_eq!(child.id(), None);
        child.start_kill().expect("there is nothing left to kill, and nobody is");
    }
}

#[henge::test]
async fn a_wait_that_is_dropped_loses_nothing() {
    let mut child = sleeper().spawn().unwrap();
    for _ in 0..3 {
        assert!(timeout(Duration::from_millis(5), child.wait()).await.is_err());
    }
    child.kill().await.unwrap();
    assert!(!child.wait().await.unwrap().success());
    child.kill().await.unwrap();
}

#[henge::test]
async fn a_mebibyte_through_a_child() {
    let mut child =
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let sent: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut received = Vec::new();
    let feed = async {
        stdin.write_all(&sent).await.unwrap();
        drop(stdin);
    };
    let (_, read) = henge::join!(feed, stdout.read_to_end(&mut received));
    read.unwrap();
    assert!(received == sent);
    assert!(child.wait().await.unwrap().success());
}

#[henge::test]
async fn one_that_is_dropped_is_reaped_when_it_ends() {
    let child = Command::new("sleep").arg("0.05").spawn().unwrap();
    let id = child.id().unwrap();
    drop(child);
    assert!(state(id).is_some_and(|state| state != 'Z'), "it goes on");
    eventually_here("it is reaped", || state(id).is_none()).await;
}

#[henge::test]
async fn killed_on_drop_if_asked_for() {
    let child = sleeper().kill_on_drop(true).spawn().unwrap();
    let id = child.id().unwrap();
    drop(child);
    eventually_here("it is killed and reaped", || state(id).is_none()).await;

    let waiting = sleeper().kill_on_drop(true).status();
    assert!(timeout(Duration::from_millis(10), waiting).await.is_err());
}

#[test]
fn dropped_without_a_runtime_it_is_reaped_by_the_next() {
    let runtime = henge::runtime::Runtime::new().unwrap();
    let spawn = || Command::new("true").spawn().unwrap();
    let (outside, in_flight): (Child, Child) = runtime.block_on(async { (spawn(), spawn()) });
    let ids = [outside.id().unwrap(), in_flight.id().unwrap()];
    drop(outside);
    // Watched by a ring that ends.
    runtime.block_on(async move { drop(in_flight) });
    drop(runtime);
    eventually("both have ended", || ids.iter().all(|&id| matches!(state(id), None | Some('Z'))));
    let runtime = henge::runtime::Runtime::new().unwrap();
    runtime.block_on(async { Command::new("true").status().await }).unwrap();
    assert!(ids.iter().all(|&id| state(id).is_none()), "both are reaped");
}

#[test]
fn waited_for_by_another_runtime_than_before() {
    let mut child = sleeper().spawn().unwrap();
    for _ in 0..2 {
        let runtime = henge::runtime::Builder::new_current_thread().build().unwrap();
        let waited =
            runtime.block_on(async { timeout(Duration::from_millis(5), child.wait()).await });
        assert!(waited.is_err());
    }
    let runtime = henge::runtime::Runtime::new().unwrap();
    runtime.block_on(child.kill()).unwrap();
}

#[test]
fn waited_for_where_a_ring_turns_although_once_where_none_does() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let mut child = sleeper().spawn().unwrap();
    let id = child.id().unwrap().to_string();
    // This thread waits in vain, and turns its ring no more.
    let soon = Duration::from_millis(5);
    runtime.block_on(async { assert!(timeout(soon, child.wait()).await.is_err()) });
    let (tx, rx) = mpsc::channel();
    let _task = runtime.spawn(async move {
        let mut waiting = pin!(child.wait());
        poll_fn(|cx| {
            let waited = waiting.as_mut().poll(cx);
            tx.send(waited.is_ready()).unwrap();
            waited.map(drop)
        })
        .await;
    });
    assert_eq!(rx.recv_timeout(LONG), Ok(false), "it still runs");
    assert!(std::process::Command::new("kill").arg(id).status().unwrap().success());
    assert_eq!(rx.recv_timeout(LONG), Ok(true), "it has ended");
}

#[henge::test]
async fn what_is_written_to_a_child_that_has_ended_is_an_error() {
    let mut child = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    timeout(LONG, child.wait()).await.expect("it ends").unwrap();
    // A child that another test starts at this moment has the other end, too, until it is another
    // program.
    let begun = std::time::Instant::now();
    let error = loop {
        let written = async {
            stdin.write_all(b"hello?").await?;
            stdin.flush().await
        };
        match written.await {
            Err(error) => break error,
            Ok(()) => assert!(begun.elapsed() < LONG, "nobody reads it"),
        }
        henge::time::sleep(Duration::from_millis(1)).await;
    };
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

/// Runs an ignored test in a process of its own, under limits as a shell sets them.
fn in_a_process_of_its_own(test: &str, limits: &str) {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("{limits} && exec \"$0\" --exact {test} --ignored")]);
    let output = shell.arg(std::env::current_exe().unwrap()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// Ids and states of this process's children, those that nobody has reaped among them.
fn children() -> Vec<(u32, char)> {
    let parent = format!(" {} ", std::process::id());
    let ids = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name();
        name.to_str()?.parse().ok()
    });
    let child = |id: u32| {
        let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let (_, after) = text.rsplit_once(") ")?;
        after[1..].starts_with(&parent).then_some((id, after.chars().next()?))
    };
    ids.filter_map(child).collect()
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn the_descriptor_limit_is_an_error_that_leaves_no_child_behind() {
    in_a_process_of_its_own("with_few_descriptors", "ulimit -n 60");
}

#[test]
#[ignore = "run by the test above, under a limit"]
fn with_few_descriptors() {
    const EMFILE: i32 = 24;
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        // What is made on first use is there.
        assert!(sleeper().kill_on_drop(true).spawn().unwrap().kill().await.is_ok());
        let before = descriptors();
        let (mut refused, mut ended) = (0, 0);
        for free in 0..12 {
            for piped in [false, true] {
                let stdio = || if piped { Stdio::piped() } else { Stdio::inherit() };
                let mut hoard = Vec::new();
                while let Ok(file) = std::fs::File::open("/dev/null") {
                    hoard.push(file);
                }
                hoard.truncate(hoard.len() - free);
                let mut command = Command::new("true");
                match command.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn() {
                    Ok(mut child) => {
                        assert!(timeout(LONG, child.wait()).await.unwrap().unwrap().success());
                        ended += 1;
                    }
                    Err(error) => {
                        assert_eq!(error.raw_os_error(), Some(EMFILE), "{error}");
                        refused += 1;
                    }
                }
                drop(hoard);
                assert_eq!(children(), [], "{free} free, pipes: {piped}");
                assert_eq!(descriptors(), before, "{free} free, pipes: {piped}");
            }
        }
        assert!(refused > 0 && ended > 0, "{refused} refused, {ended} ended");
    });
}

#[test]
fn nothing_is_left_behind_wherever_a_future_is_dropped() {
    in_a_process_of_its_own("dropped_after_each_poll", "true");
}

#[test]
#[ignore = "run by the test above, for it counts descriptors and children"]
fn dropped_after_each_poll() {
    fn talker() -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "echo said; echo complained >&2"]).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
    type Call = fn() -> std::pin::Pin<Box<dyn Future<Output = ()>>>;
    let calls: [Call; 6] = [
        || Box::pin(async { drop(talker().status().await) }),
        || Box::pin(async { drop(talker().output().await) }),
        || Box::pin(async { drop(talker().spawn().unwrap().wait().await) }),
        || Box::pin(async { drop(talker().spawn().unwrap().wait_with_output().await) }),
        || Box::pin(async { drop(sleeper().spawn().unwrap().kill().await) }),
        || {
            Box::pin(async {
                let mut child = talker().spawn().unwrap();
                let mut said = String::new();
                drop(child.stdout.as_mut().unwrap().read_to_string(&mut said).await);
            })
        },
    ];
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        // What is made on first use is there.
        calls[1]().await;
        let before = descriptors();
        for (n, call) in calls.iter().enumerate() {
            for most in 0..8 {
                let mut future = call();
                let mut polls = 0;
                poll_fn(|cx| {
                    if polls == most || future.as_mut().poll(cx).is_ready() {
                        return std::task::Poll::Ready(());
                    }
                    polls += 1;
                    std::task::Poll::Pending
                })
                .await;
                drop(future);
                let what = format!("call {n} after {polls} polls");
                eventually_here(&what, || children().is_empty() && descriptors() == before).await;
            }
        }
    });
}

#[henge::test]
async fn a_program_that_is_not_there_is_an_error() {
    let error = Command::new("no such program").spawn().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

/// Started in the middle of everything, by the fast way and by fork and exec, with reads in the
/// kernel: rings, files and sockets are not the child's, and what is under way goes on.
#[test]
fn a_child_inherits_its_standard_descriptors_and_nothing_else() {
    let (program, argument) = ("ls", "/proc/self/fd");
    let before = std::process::Command::new(program).arg(argument).output().unwrap();
    let user = std::fs::metadata("/proc/self").unwrap().uid();
    let runtime = henge::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.run(move || async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let accepted = listener.accept().await.unwrap();
        let datagrams = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let unix = UnixStream::pair().unwrap();
        let pipe = unix::pipe::pipe().unwrap();
        let signals = signal(SignalKind::user_defined1()).unwrap();
        let file = File::open("/proc/self/exe").await.unwrap();
        let direct = fs::DirectFile::open("/proc/self/exe").await.ok();
        let clone = file.try_clone().await.unwrap();
        let folder = fs::read_dir("/proc/self").await.unwrap();
        let other = sleeper().kill_on_drop(true).stdin(Stdio::piped()).spawn().unwrap();

        let (reads, mut writers): (Vec<_>, Vec<_>) = (0..20)
            .map(|_| {
                let (reader, writer) = std::io::pipe().unwrap();
                let file = File::from(OwnedFd::from(reader));
                let read = async move { file.read_exact_at(vec![0; 5], 0).await };
                (henge::spawn(read), writer)
            })
            .unzip();
        henge::task::yield_now().await;
        // Another test may have made a ring, and be about to mark it.
        let begun = std::time::Instant::now();
        while !rings_are_not_copied() {
            assert!(begun.elapsed() < LONG, "a ring would be copied");
            henge::task::yield_now().await;
        }
        for forks in [false, true] {
            for _ in 0..10 {
                let mut command = Command::new(program);
                if forks {
                    // What the fast way cannot set: the user, the same as before.
                    command.uid(user);
                }
                let output = timeout(LONG, command.arg(argument).output()).await.unwrap().unwrap();
                assert!(output.status.success());
                assert_eq!(output.stdout, before.stdout);
            }
        }
        for writer in &mut writers {
            writer.write_all(b"whole").unwrap();
        }
        for read in reads {
            let (done, bytes) = timeout(LONG, read).await.unwrap().unwrap();
            done.unwrap();
            assert_eq!(bytes, b"whole");
        }
        drop((listener, stream, accepted, datagrams, unix, pipe, signals, file, direct, clone));
        drop((folder, other));
    });
}

/// Whether all rings' memory is left out where a child is a copy, before it is another program.
fn rings_are_not_copied() -> bool {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let (mut rings, mut is_ring) = (0, false);
    for line in maps.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            if is_ring && !flags.split(' ').any(|flag| flag == "dc") {
                return false;
            }
            is_ring = false;
        } else if line.ends_with("[io_uring]") {
            (rings, is_ring) = (rings + 1, true);
        }
    }
    assert!(rings > 0, "no ring was found");
    true
}
