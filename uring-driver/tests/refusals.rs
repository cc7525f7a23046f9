//! A driver that cannot be made says why, and what to do: each cause is brought about in a child.
//!
//! The child is this test binary again, running the one test that prints how making a driver went.
//! Restrictions are put on it between fork and exec, so nothing else feels them.

use std::fs::{self, File};
use std::io;
use std::mem::offset_of;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Mutex;

use henge_driver::Driver;

const CHILD: &str = "child_makes_a_driver";
const EXHAUST: &str = "HENGE_TEST_EXHAUST_DESCRIPTORS";

#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn child_makes_a_driver() {
    let mut hoard = Vec::new();
    if let Ok(left) = std::env::var(EXHAUST) {
        while let Ok(file) = File::open("/dev/null") {
            hoard.push(file);
        }
        hoard.truncate(hoard.len() - left.parse::<usize>().unwrap());
    }
    let outcome = match Driver::new() {
        Ok(_) => "made".to_owned(),
        Err(error) => format!("refused ({:?}): {error}", error.kind()),
    };
    // Descriptors are needed again to end in order.
    drop(hoard);
    println!("\noutcome: {outcome}");
}

/// What came of making a driver in a child that `restrict` was called in.
/// The sysctl is the whole machine's: while a test sets it the others of this file wait.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn outcome(
    set: impl FnOnce(&mut Command),
    restrict: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) -> String {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    outcome_alone(set, restrict)
}

fn outcome_alone(
    set: impl FnOnce(&mut Command),
    restrict: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", CHILD, "--nocapture", "--test-threads=1"]);
    set(&mut command);
    // SAFETY: every `restrict` of this file makes system calls only, which is all that is allowed
    // between fork and exec.
    unsafe { command.pre_exec(restrict) };
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("outcome: ")).map(str::to_owned);
    line.unwrap_or_else(|| {
        panic!("no outcome: {text}\n{}", String::from_utf8_lossy(&output.stderr))
    })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Has `io_uring_setup` answer `errno` from now on, as a container's profile does.
fn filter(errno: i32) -> io::Result<()> {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const SKIP_UNLESS: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const ANSWER: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, k, jf| libc::sock_filter { code, jt: 0, jf, k };
    let mut steps = [
        step(LOAD, offset_of!(libc::seccomp_data, nr) as u32, 0),
        step(SKIP_UNLESS, libc::SYS_io_uring_setup as u32, 1),
        step(ANSWER, libc::SECCOMP_RET_ERRNO | errno as u32, 0),
        step(ANSWER, libc::SECCOMP_RET_ALLOW, 0),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: integers only.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    // SAFETY: the program and its steps outlive the call, which copies them.
    check(unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) })
}

fn set_limit(resource: libc::__rlimit_resource_t, to: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: to, rlim_max: to };
    // SAFETY: the struct outlives the call, which reads it.
    check(unsafe { libc::setrlimit(resource, &limit) })
}

#[test]
fn without_restrictions_it_is_made() {
    assert_eq!(outcome(|_| (), || Ok(())), "made");
}

#[test]
fn a_filter_that_answers_eperm() {
    let text = outcome(|_| (), || filter(libc::EPERM));
    assert!(text.starts_with("refused (PermissionDenied): io_uring is not available"), "{text}");
    assert!(text.contains("seccomp filter") && text.contains("--security-opt seccomp="), "{text}");
}

#[test]
fn a_filter_that_answers_enosys() {
    let text = outcome(|_| (), || filter(libc::ENOSYS));
    assert!(text.starts_with("refused (Unsupported): io_uring is not available"), "{text}");
    assert!(text.contains("seccomp filter"), "{text}");
}

/// The ring is only the first of the descriptors that a driver needs.
#[test]
fn no_descriptors_left() {
    for left in 0..3 {
        let text = outcome(
            |command| {
                command.env(EXHAUST, left.to_string());
            },
            || set_limit(libc::RLIMIT_NOFILE, 64),
        );
        assert!(text.contains("as many descriptors open as it may (64)"), "{left}: {text}");
        assert!(text.contains("ulimit -n"), "{left}: {text}");
    }
}

/// Rings are charged to what the user may lock in memory, but for kernels from 5.12 to 6.13.
#[test]
fn a_process_that_may_lock_no_memory() {
    let text = outcome(
        |_| (),
        || {
            set_limit(libc::RLIMIT_MEMLOCK, 0)?;
            // SAFETY: integers only. CAP_IPC_LOCK, which lifts the limit, is number 14. It fails
            // where there is no capability to give up, and then there is no need.
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, 14, 0, 0, 0) };
            Ok(())
        },
    );
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map(|number| number.parse().unwrap_or(0));
    let version: (u32, u32) = (numbers.next().unwrap(), numbers.next().unwrap());
    if version < (6, 14) {
        return assert_eq!(text, "made");
    }
    assert!(text.starts_with("refused (OutOfMemory): io_uring is not available"), "{text}");
    assert!(text.contains("the limit is 0 bytes") && text.contains("ulimit -l"), "{text}");
}

const SYSCTL: &str = "/proc/sys/kernel/io_uring_disabled";

/// Puts the sysctl back, whatever the test does.
struct Restore(String);

impl Drop for Restore {
    fn drop(&mut self) {
        fs::write(SYSCTL, &self.0).expect("it was written before");
    }
}

/// The value 1 leaves everybody alone who has CAP_SYS_ADMIN, so that what else this machine does
/// (other tests, as the same user) goes on; the child gives the capability up. The value 2 would
/// stop them all; its message is checked beside the function that finds it.
#[test]
fn the_sysctl() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let Ok(before) = fs::read_to_string(SYSCTL) else {
        return eprintln!("skipped: this kernel does not have {SYSCTL}");
    };
    if before.trim() != "0" || fs::write(SYSCTL, "1").is_err() {
        return eprintln!("skipped: {SYSCTL} cannot be set by this user");
    }
    let restore = Restore(before);
    // SAFETY: integers only. CAP_SYS_ADMIN is number 21.
    let text =
        outcome_alone(|_| (), || check(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, 21, 0, 0, 0) }));
    drop(restore);
    assert!(text.starts_with("refused (PermissionDenied): io_uring is not available"), "{text}");
    assert!(text.contains("kernel.io_uring_disabled is 1"), "{text}");
    assert!(text.contains("sysctl -w kernel.io_uring_disabled=0"), "{text}");
}
