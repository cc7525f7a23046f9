//! The append-only files: what a client was told is still true after a kill, a restart, another
//! number of shards, a damaged tail, a full disk.

#[path = "common/client.rs"]
mod client;
#[path = "common/encode.rs"]
mod encode;
#[path = "common/kv.rs"]
mod kv;
#[path = "common/rng.rs"]
mod rng;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use client::{Client, Reply};
use encode::encode;
use henge_kv::aof::replay::Replay;
use henge_kv::store::{Part, Store};
use kv::Kv;
use rng::Rng;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Relaxed);
        let name = format!("kv-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).expect("the target folder can be written");
        Folder(path)
    }

    fn names(&self, end: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).expect("it is there");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.to_string_lossy().ends_with(end)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is in the target folder.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

fn start(folder: &Folder, shards: usize, fsync: &str) -> Kv {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kv"));
    command.args(["--appendfsync", fsync, "--dir"]).arg(&folder.0);
    Kv::start_as(command, shards)
}

/// Ends a server as an operator does.
fn stop(mut kv: Kv) {
    let killed = Command::new("kill").args(["-TERM", &kv.child.id().to_string()]).status();
    assert!(killed.expect("kill runs").success());
    assert!(kv.child.wait().expect("it ends").success());
}

fn ask(client: &mut Client, words: &[&str]) -> Reply {
    client.send(&encode(words));
    client.reply()
}

fn integer(reply: Reply) -> u64 {
    match reply {
        Reply::Line(':', text) => text.parse().expect("an integer"),
        Reply::Bulk(_, bytes) => String::from_utf8(bytes).unwrap().parse().expect("an integer"),
        Reply::Null(_) => 0,
        other => panic!("not an integer: {other:?}"),
    }
}

/// The clients of a round begin together, and then the time runs until the kill.
static START: Barrier = Barrier::new(4);

/// Counts up and appends, one at a time, until the server is gone: how many were answered.
fn work(mut client: Client, name: &str, rewrites: bool) -> u64 {
    let mut answered = integer(ask(&mut client, &["GET", name]));
    START.wait();
    let list = format!("{name}:list");
    loop {
        let next = (answered + 1).to_string();
        let mut commands = encode(&["INCR", name]);
        commands.extend(encode(&["RPUSH", &list, &next]));
        commands.extend(encode(&["SET", &format!("{name}:{}", answered % 7), &next, "EX", "900"]));
        if rewrites && answered % 50 == 49 {
            commands.extend(encode(&["BGREWRITEAOF"]));
        }
        if client.stream.get_mut().write_all(&commands).is_err() {
            return answered;
        }
        for _ in 0..3 + usize::from(rewrites && answered % 50 == 49) {
            match client.try_reply() {
                Ok(Reply::Line('-', error)) => panic!("{error}"),
                Ok(_) => {}
                Err(_) => return answered,
            }
        }
        answered += 1;
    }
}

/// `KV_KILLS` says how often; a few times by default, since each takes a tenth of a second.
#[test]
fn killed_at_any_moment_it_keeps_what_it_answered() {
    let kills = std::env::var("KV_KILLS").map_or(15, |kills| kills.parse().expect("a number"));
    let folder = Folder::new();
    let mut rng = Rng::new(7);
    for round in 0..kills {
        let shards = 1 + rng.below(3);
        let mut kv = start(&folder, shards, "always");
        let address = kv.address;
        let clients: Vec<_> = (0..3)
            .map(|n| {
                let client = Client::connect(address);
                thread::spawn(move || work(client, &format!("client{n}"), n == 0))
            })
            .collect();
        START.wait();
        thread::sleep(Duration::from_micros(rng.below(60_000) as u64));
        kv.child.kill().expect("it runs");
        kv.child.wait().expect("it ends");
        let answered: Vec<u64> =
            clients.into_iter().map(|client| client.join().expect("no error")).collect();

        let kv = start(&folder, 1 + rng.below(3), "always");
        let mut client = Client::connect(kv.address);
        for (n, answered) in answered.into_iter().enumerate() {
            let name = format!("client{n}");
            let counted = integer(ask(&mut client, &["GET", &name]));
            let context = format!("round {round}, {name}: {answered} answered, {counted} counted");
            assert!((answered..=answered + 1).contains(&counted), "{context}");
            let list = format!("{name}:list");
            let Reply::Many(_, listed) = ask(&mut client, &["LRANGE", &list, "0", "-1"]) else {
                panic!("{context}: no list");
            };
            assert!(listed.len() as u64 >= answered, "{context}, {} listed", listed.len());
            for (at, element) in listed.iter().enumerate() {
                let expected = Reply::Bulk('$', (at + 1).to_string().into_bytes());
                assert_eq!(*element, expected, "{context}");
            }
            // The next round goes on from the same number for both.
            ask(&mut client, &["SET", &name, &listed.len().to_string()]);
        }
    }
}

/// Everything that there is, in an order of its own.
fn dump(client: &mut Client) -> Vec<(String, Reply)> {
    let Reply::Many(_, keys) = ask(client, &["KEYS", "*"]) else { panic!("KEYS has an array") };
    let mut dump: Vec<_> = keys
        .into_iter()
        .map(|key| {
            let Reply::Bulk(_, key) = key else { panic!("a key is a string") };
            let key = String::from_utf8(key).expect("these are text");
            let Reply::Line(_, kind) = ask(client, &["TYPE", &key]) else { panic!("a line") };
            let words = match kind.as_str() {
                "string" => vec!["GET", &key],
                "list" => vec!["LRANGE", &key, "0", "-1"],
                "set" => vec!["SMEMBERS", &key],
                "hash" => vec!["HGETALL", &key],
                _ => vec!["ZRANGE", &key, "0", "-1", "WITHSCORES"],
            };
            let mut value = ask(client, &words);
            if let (Reply::Many(_, members), "set" | "hash") = (&mut value, kind.as_str()) {
                members.sort();
            }
            // To ten seconds: what is left of it passes.
            let left = match ask(client, &["TTL", &key]) {
                Reply::Line(_, text) if text == "-1" => -1,
                Reply::Line(_, text) => text.parse::<i64>().expect("seconds") / 100,
                other => panic!("{other:?}"),
            };
            (format!("{key} {left}"), value)
        })
        .collect();
    dump.sort();
    dump
}

fn fill(client: &mut Client) {
    let mut rng = Rng::new(3);
    for n in 0..400 {
        let (key, member) = (format!("k{}", rng.below(40)), format!("m{}", rng.below(200)));
        let number = n.to_string();
        let long = "x".repeat(rng.below(40_000));
        let score = format!("{}", rng.below(1_000_000) as f64 / 7.0);
        let words: Vec<&str> = match rng.below(14) {
            0 => vec!["SET", &key, &long],
            1 => vec!["SET", &key, &member, "EX", "950"],
            2 => vec!["RPUSH", &key, &member, &number],
            3 => vec!["SADD", &key, &member, &number, "a", "b"],
            4 => vec!["SPOP", &key, "2"],
            5 => vec!["HSET", &key, &member, &number],
            6 => vec!["ZADD", &key, &score, &member],
            7 => vec!["EXPIRE", &key, "950"],
            8 => vec!["PERSIST", &key],
            9 => vec!["DEL", &key],
            10 => vec!["LPOP", &key],
            11 => vec!["ZPOPMIN", &key],
            12 => vec!["EXPIRE", &key, "10", "LT", "XX"],
            _ => vec!["MSET", &key, "1", &member, "2"],
        };
        // Many are refused, for the key holds another type: that is as it should be.
        ask(client, &words);
    }
    ask(client, &["RPUSH", "unsorted", "3", "1", "2"]);
    for n in 0..4 {
        ask(client, &["SORT", "unsorted", "STORE", &format!("sorted{n}")]);
    }
    ask(client, &["SELECT", "5"]);
    ask(client, &["SET", "fifth", "5"]);
    ask(client, &["SELECT", "0"]);
}

#[test]
fn everything_comes_back() {
    for (fsync, rewrites) in [("always", false), ("everysec", false), ("no", true)] {
        let folder = Folder::new();
        let kv = start(&folder, 2, fsync);
        let mut client = Client::connect(kv.address);
        fill(&mut client);
        if rewrites {
            ask(&mut client, &["BGREWRITEAOF"]);
            let begun = Instant::now();
            while folder.names(".base").len() < 2 {
                assert!(begun.elapsed() < Duration::from_secs(60), "both shards write a base");
                thread::sleep(Duration::from_millis(10));
            }
            ask(&mut client, &["SET", "after", "the rewrite"]);
        }
        let before = dump(&mut client);
        assert!(before.len() > 20, "{}", before.len());
        stop(kv);
        for shards in [2, 3, 1] {
            let kv = start(&folder, shards, fsync);
            let mut client = Client::connect(kv.address);
            assert_eq!(dump(&mut client), before, "{fsync}, on {shards} shards");
            ask(&mut client, &["SELECT", "5"]);
            assert_eq!(ask(&mut client, &["GET", "fifth"]), Reply::Bulk('$', b"5".to_vec()));
            stop(kv);
        }
    }
}

#[test]
fn what_has_expired_does_not_come_back() {
    let folder = Folder::new();
    let kv = start(&folder, 1, "always");
    let mut client = Client::connect(kv.address);
    ask(&mut client, &["SET", "counter", "5", "PX", "20"]);
    thread::sleep(Duration::from_millis(60));
    assert_eq!(integer(ask(&mut client, &["INCR", "counter"])), 1, "it began anew");
    stop(kv);
    let kv = start(&folder, 1, "always");
    let mut client = Client::connect(kv.address);
    assert_eq!(integer(ask(&mut client, &["GET", "counter"])), 1);
    assert_eq!(ask(&mut client, &["TTL", "counter"]), Reply::Line(':', "-1".to_owned()));
}

#[test]
fn a_damaged_tail_is_cut_and_kept() {
    for tail in
        [&b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9\r\nhal"[..], &[0; 5000], b"\xff\xfegarbage\r\n"]
    {
        let folder = Folder::new();
        let kv = start(&folder, 1, "always");
        let mut client = Client::connect(kv.address);
        ask(&mut client, &["SET", "k", "whole"]);
        stop(kv);
        let [file] = &folder.names(".incr")[..] else { panic!("one file") };
        fs::OpenOptions::new().append(true).open(file).unwrap().write_all(tail).unwrap();
        for _ in 0..2 {
            let kv = start(&folder, 1, "always");
            let mut client = Client::connect(kv.address);
            assert_eq!(ask(&mut client, &["GET", "k"]), Reply::Bulk('$', b"whole".to_vec()));
            ask(&mut client, &["SET", "other", "1"]);
            stop(kv);
            let [cut] = &folder.names(".cut")[..] else { panic!("the tail is kept") };
            assert_eq!(fs::read(cut).unwrap(), tail);
        }
    }
}

/// A file that ends anywhere is replayed up to its last whole command, whatever the pieces.
#[test]
fn every_prefix_replays_to_a_whole_number_of_commands() {
    let commands: Vec<Vec<u8>> =
        (0..30).map(|n| encode(&["SET", &format!("key{n}"), &"v".repeat(n * 3)])).collect();
    let bytes = commands.concat();
    for end in 0..=bytes.len() {
        let mut store = Store::replaying(Part::WHOLE, || 0);
        let mut replay = Replay::default();
        for piece in bytes[..end].chunks(1 + end % 13) {
            assert!(replay.feed(piece, &mut store));
        }
        let done = replay.finish();
        let mut whole = 0;
        let expected = commands
            .iter()
            .take_while(|command| {
                whole += command.len();
                whole <= end
            })
            .count();
        assert_eq!(done.commands, expected as u64, "{end} bytes");
        assert_eq!(done.damage.is_some(), done.valid != end as u64, "{end} bytes");
        assert_eq!(store.db(0).len(), expected);
    }
}

/// Where no more can be written, changes are refused, and reads go on.
#[test]
fn a_full_disk_refuses_changes() {
    let folder = Folder::new();
    let mut command = Command::new("sh");
    // A limit of the shell stands for the end of the disk: 64 KiB a file.
    command.args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""]);
    command.arg(env!("CARGO_BIN_EXE_kv")).args(["--appendfsync", "everysec", "--dir"]);
    command.arg(&folder.0);
    // The log is on that disk, too, and finds no room either.
    let log = folder.0.join("log");
    std::fs::write(&log, [b'\n'; 64 << 10]).unwrap();
    command.stderr(std::fs::OpenOptions::new().append(true).open(&log).unwrap());
    let kv = Kv::start_as(command, 1);
    let mut client = Client::connect(kv.address);
    let value = "x".repeat(8 << 10);
    let begun = Instant::now();
    let refused = loop {
        assert!(begun.elapsed() < Duration::from_secs(60), "it refuses in the end");
        match ask(&mut client, &["SET", "key", &value]) {
            Reply::Line('-', error) => break error,
            _ => thread::sleep(Duration::from_millis(1)),
        }
    };
    assert!(refused.starts_with("MISCONF Errors writing to the AOF file"), "{refused}");
    assert!(matches!(ask(&mut client, &["GET", "key"]), Reply::Bulk(..)));
}

#[test]
fn the_socket_file_serves_too() {
    let folder = Folder::new();
    let path = folder.0.join("kv.sock");
    // One that a server which was killed has left.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_kv"));
    command.arg("--unixsocket").arg(&path);
    let kv = Kv::start_as(command, 2);
    let clients: Vec<_> = (0..8)
        .map(|n| {
            let mut stream = UnixStream::connect(&path).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream.write_all(&encode(&["SET", &format!("key{n}"), "value"])).unwrap();
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"+OK\r\n");
            stream
        })
        .collect();
    let mut client = Client::connect(kv.address);
    assert_eq!(integer(ask(&mut client, &["DBSIZE"])), 8);
    let mut first = BufReader::new(&clients[0]);
    (&clients[0]).write_all(&encode(&["CLIENT", "INFO"])).unwrap();
    let mut line = String::new();
    first.read_line(&mut line).unwrap();
    line.clear();
    first.read_line(&mut line).unwrap();
    assert!(line.contains("addr=unixsocket:0"), "{line}");
    stop(kv);
    assert!(!path.exists(), "it is removed");
}

#[test]
fn unasked_nothing_is_written() {
    let kv = Kv::start(2);
    let mut client = Client::connect(kv.address);
    let Reply::Line('-', refused) = ask(&mut client, &["BGREWRITEAOF"]) else { panic!("an error") };
    assert!(refused.contains("--appendfsync"), "{refused}");
    let config = ask(&mut client, &["CONFIG", "GET", "appendonly"]);
    let words = ["appendonly", "no"].map(|word| Reply::Bulk('$', word.into()));
    assert_eq!(config, Reply::Many('*', words.into()));
}
