//! Signals of the process, in children that are sent them.

use std::future::poll_fn;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use henge::fs::{Advice, File};
use henge::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use henge::runtime::Builder;
use henge::signal::unix::{SignalKind, signal};

/// Runs the test of this name again, in a process of its own, as a child that says when it is
/// ready. None in that child.
fn child(name: &str) -> Option<Child> {
    if std::env::var_os("HENGE_CHILD").is_some() {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([name, "--exact", "--nocapture"]).env("HENGE_CHILD", "1");
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    wait_for(&mut child, "ready");
    Some(child)
}

fn wait_for(child: &mut Child, word: &str) {
    let stdout = child.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(stdout);
    let mut line = String::new();
    while !line.contains(word) {
        line.clear();
        let read = lines.read_line(&mut line).expect("it is readable");
        assert!(read > 0, "the child ended before it was ready");
    }
    child.stdout = Some(lines.into_inner());
}

fn send(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(status.expect("it starts").success());
}

/// The child's end, which must come soon.
fn end(mut child: Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return status;
        }
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().expect("it is our child");
            panic!("the child did not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn sigterm_and_ctrl_c_end_a_server_well() {
    for name in ["-TERM", "-INT"] {
        let Some(child) = child("sigterm_and_ctrl_c_end_a_server_well") else {
            let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
            runtime.run(|| async {
                let mut terminate = signal(SignalKind::terminate()).expect("a listener");
                let mut ctrl_c = Box::pin(henge::signal::ctrl_c());
                henge::select! {
                    biased;
                    _ = &mut ctrl_c => return,
                    // Only now is Ctrl-C listened to.
                    () = async { println!("ready") } => {}
                }
                henge::select! {
                    stop = &mut ctrl_c => assert!(stop.is_ok()),
                    stop = terminate.recv() => assert!(stop.is_some()),
                }
            });
            return;
        };
        send(&child, name);
        assert!(end(child).success(), "{name}");
    }
}

#[test]
fn signals_that_come_together_are_received_once_and_none_is_lost() {
    let Some(child) = child("signals_that_come_together_are_received_once_and_none_is_lost") else {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut hangup = signal(SignalKind::hangup()).expect("a listener");
            let mut user = signal(SignalKind::user_defined1()).expect("a listener");
            println!("ready");
            // What came while nobody waited is received.
            henge::time::sleep(Duration::from_millis(50)).await;
            assert!(hangup.recv().await.is_some());
            // A wait that is given up loses nothing.
            loop {
                let wait = henge::time::timeout(Duration::from_micros(100), user.recv());
                if wait.await.is_ok() {
                    break;
                }
            }
        });
        return;
    };
    send(&child, "-HUP");
    send(&child, "-HUP");
    std::thread::sleep(Duration::from_millis(100));
    send(&child, "-USR1");
    assert!(end(child).success());
}

#[test]
fn a_signal_that_nobody_asked_for_ends_the_process() {
    use std::os::unix::process::ExitStatusExt;
    let Some(child) = child("a_signal_that_nobody_asked_for_ends_the_process") else {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            println!("ready");
            henge::time::sleep(Duration::from_secs(60)).await;
        });
        return;
    };
    send(&child, "-TERM");
    assert_eq!(end(child).signal(), Some(15));
}

#[test]
fn waited_for_where_a_ring_turns_although_once_where_none_does() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let mut resized = signal(SignalKind::window_change()).expect("it can be handled");
    // This thread waits in vain, and turns its ring no more.
    let soon = Duration::from_millis(5);
    runtime.block_on(async {
        assert!(henge::time::timeout(soon, resized.recv()).await.is_err());
    });
    let (tx, rx) = mpsc::channel();
    let _task = runtime.spawn(async move {
        let waits = tx.clone();
        poll_fn(move |cx| {
            let received = resized.poll_recv(cx);
            waits.send(received.is_ready()).expect("somebody listens");
            received
        })
        .await
    });
    let bound = Duration::from_secs(20);
    assert_eq!(rx.recv_timeout(bound), Ok(false), "none has come");
    let me = std::process::id().to_string();
    assert!(Command::new("kill").args(["-WINCH", &me]).status().expect("it starts").success());
    assert_eq!(rx.recv_timeout(bound), Ok(true), "one has come");
}

#[test]
fn what_cannot_be_handled_is_refused() {
    for number in [9, 19, 11, 0, 1000] {
        assert!(signal(SignalKind::from_raw(number)).is_err());
    }
}

/// Thousands of signals, sent to the thread that waits and transfers.
#[test]
fn signals_interrupt_no_transfer() {
    let path = std::env::temp_dir().join(format!("henge-signals-{}", std::process::id()));
    let bytes: Vec<u8> = (0..1_u32 << 20).map(|n| (n % 251) as u8).collect();
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let heard = runtime.block_on(async {
        let mut heard = signal(SignalKind::user_defined2()).expect("a listener");
        let thread = std::fs::read_link("/proc/thread-self").expect("a thread");
        // To the thread of that number if it listens, which it does.
        let mut storm = Command::new("sh");
        storm.args(["-c", "while kill -USR2 \"$0\"; do :; done"]);
        storm.arg(thread.file_name().expect("a number")).stderr(Stdio::null());
        let mut storm = Storm(storm.spawn().expect("it starts"));
        heard.recv().await.expect("the first");
        for _ in 0..20 {
            transfer(&path, &bytes).await.expect("no transfer is interrupted");
        }
        assert!(storm.0.try_wait().expect("it is our child").is_none(), "it went on until now");
        heard.recv().await
    });
    assert_eq!(heard, Some(()));
    std::fs::remove_file(path).expect("it is there");
}

/// Ends with the test, however that ends.
struct Storm(Child);

impl Drop for Storm {
    fn drop(&mut self) {
        let killed = self.0.kill().and_then(|()| self.0.wait());
        assert!(killed.is_ok() || std::thread::panicking());
    }
}

/// Through a file by every way, and through a pipe that is waited for.
async fn transfer(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().read(true).write(true).create(true).open(path).await?;
    file.write_all(bytes).await?;
    file.sync_data().await?;
    file.fadvise(Advice::DontNeed, 0, 0).await?;
    file.rewind().await?;
    let mut got = Vec::new();
    file.read_to_end(&mut got).await?;
    assert!(got == bytes);
    file.fadvise(Advice::DontNeed, 0, 0).await?;
    let (done, got) = file.read_exact_at(vec![0; bytes.len()], 0).await;
    done?;
    assert!(got == bytes);
    assert!(henge::fs::read(path).await? == bytes);
    assert_eq!(henge::fs::canonicalize(path).await?.file_name(), path.file_name());
    file.set_len(0).await?;
    let (mut sender, mut receiver) = henge::net::unix::pipe::pipe()?;
    let mut got = Vec::new();
    let send = async {
        sender.write_all(bytes).await?;
        drop(sender);
        std::io::Result::Ok(())
    };
    let (sent, read) = henge::join!(send, receiver.read_to_end(&mut got));
    sent?;
    read?;
    assert!(got == bytes);
    Ok(())
}
