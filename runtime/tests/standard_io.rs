//! Standard input, output and error, as a child process of this test has them.

use std::fs::{self, File};
use std::io::{BufRead, ErrorKind, Read, Seek, SeekFrom, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use henge::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, stderr, stdin, stdout};
use henge::time::timeout;

/// This test binary once more, running one of the tests that are ignored.
fn command(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command
}

/// The same between pipes.
fn child(test: &str) -> Child {
    let mut command = command(test);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
#[ignore = "the child of another test"]
fn copies() {
    henge::runtime::Runtime::new().unwrap().block_on(async {
        let mut to = stderr();
        henge::io::copy(&mut stdin(), &mut to).await.unwrap();
        to.flush().await.unwrap();
        let mut out = stdout();
        out.write_all(b"[all copied]").await.unwrap();
        out.flush().await.unwrap();
    });
}

#[test]
fn everything_arrives_in_order() {
    let mut child = child("copies");
    let sent: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut stdin, mut stderr) = (child.stdin.take().unwrap(), child.stderr.take().unwrap());
    let feeding = thread::spawn({
        let sent = sent.clone();
        move || stdin.write_all(&sent)
    });
    let mut received = Vec::new();
    stderr.read_to_end(&mut received).unwrap();
    feeding.join().unwrap().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{}", String::from_utf8_lossy(&received));
    assert!(received == sent, "{} bytes of {}", received.len(), sent.len());
    assert!(said.contains("[all copied]"), "{said}");
}

#[test]
#[ignore = "the child of another test"]
fn gives_up_and_reads_on() {
    henge::runtime::Runtime::new().unwrap().block_on(async {
        let mut stdin = stdin();
        let mut bytes = [0; 8];
        let nothing = timeout(Duration::from_millis(20), stdin.read(&mut bytes)).await;
        assert!(nothing.is_err());
        eprint!("?");
        stdin.read_exact(&mut bytes[..4]).await.unwrap();
        assert_eq!(&bytes[..4], b"four");
        // A read that nobody waits for keeps nothing from ending.
        let pending = henge::spawn(async move { stdin.read(&mut [0; 8]).await });
        henge::task::yield_now().await;
        drop(pending);
    });
}

#[test]
fn a_read_that_is_dropped_loses_nothing_and_holds_nothing_up() {
    let mut child = child("gives_up_and_reads_on");
    let mut question = [0; 1];
    child.stderr.as_mut().unwrap().read_exact(&mut question).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"four").unwrap();
    // It stays open: the child ends by itself.
    assert!(child.wait().unwrap().success());
}

/// From where the one file stands to the end of the other, which has something already.
#[test]
fn files_are_read_and_written_where_they_stand() {
    let folder = std::env::temp_dir().join(format!("henge-standard-io-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let (from, to) = (folder.join("from"), folder.join("to"));
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    fs::write(&from, &bytes).unwrap();
    fs::write(&to, "before ").unwrap();
    let mut input = File::open(&from).unwrap();
    input.seek(SeekFrom::Start(1_000)).unwrap();
    let output = File::options().append(true).open(&to).unwrap();
    let mut copies = command("copies");
    copies.stdin(input.try_clone().unwrap()).stderr(output).stdout(Stdio::null());
    assert!(copies.status().unwrap().success());
    assert!(fs::read(&to).unwrap() == [b"before ", &bytes[1_000..]].concat());
    assert_eq!(input.stream_position().unwrap(), 300_000, "the position is the open file's");

    // Nothing to read, and nowhere to write.
    let mut copies = command("copies");
    copies.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::null());
    assert!(copies.status().unwrap().success());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
#[ignore = "the child of another test"]
fn writes_until_nobody_reads() {
    henge::runtime::Runtime::new().unwrap().block_on(async {
        let mut out = stdout();
        let error = loop {
            if let Err(error) = out.write_all(&[b'x'; 4096]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
    // What the harness prints at the end has nowhere to go.
    std::process::exit(42);
}

#[test]
fn a_reader_that_goes_is_an_error() {
    let mut child = child("writes_until_nobody_reads");
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 10_000]).unwrap();
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(42));
}

#[test]
#[ignore = "the child of another test"]
fn talks_to_a_terminal() {
    henge::runtime::Runtime::new().unwrap().block_on(async {
        let mut lines = BufReader::new(stdin()).lines();
        let mut out = stdout();
        out.write_all(b"[ready]\n").await.unwrap();
        // Others go on while nobody types, and a wait that is given up loses nothing.
        for _ in 0..3 {
            let nothing = timeout(Duration::from_millis(10), lines.next_line()).await;
            assert!(nothing.is_err());
        }
        out.write_all(b"[asked]\n").await.unwrap();
        while let Some(line) = lines.next_line().await.unwrap() {
            out.write_all(format!("[heard {line}]\n").as_bytes()).await.unwrap();
            out.flush().await.unwrap();
            if line == "bye" {
                break;
            }
        }
    });
}

#[test]
fn a_terminal_is_talked_to_line_by_line() {
    let program = std::env::current_exe().unwrap();
    let run = format!("'{}' --exact talks_to_a_terminal --ignored --nocapture", program.display());
    // It makes a terminal, and is the one who types there.
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &run, "/dev/null"]);
    let script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut script = match script {
        Ok(script) => script,
        Err(error) => {
            println!("skipped: no terminal can be made without the program `script`: {error}");
            return;
        }
    };
    let mut keys = script.stdin.take().unwrap();
    let mut screen = std::io::BufReader::new(script.stdout.take().unwrap()).lines();
    let mut shown =
        |text: &str| assert!(screen.any(|line| line.unwrap().contains(text)), "no {text}");
    shown("[asked]");
    keys.write_all(b"hello\n").unwrap();
    shown("[heard hello]");
    keys.write_all(b"two lines\nbye\n").unwrap();
    shown("[heard two lines]");
    shown("[heard bye]");
    drop(keys);
    assert!(screen.all(|line| line.is_ok()));
    assert!(script.wait().unwrap().success());
}
