//! The server as a whole, from outside: patience, bounds, and its end.

#[path = "common/client.rs"]
mod client;
#[path = "common/encode.rs"]
mod encode;
#[path = "common/kv.rs"]
mod kv;
#[path = "common/rng.rs"]
mod rng;

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use client::{Client, Reply};
use encode::encode;
use kv::Kv;
use rng::Rng;

const MIB: usize = 1 << 20;

fn ok() -> Reply {
    Reply::Line('+', "OK".to_owned())
}

fn ask(client: &mut Client, words: &[&str]) -> Reply {
    client.send(&encode(words));
    client.reply()
}

/// The resident memory of a process in bytes.
fn resident(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    let kib: usize = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number");
    kib * 1024
}

/// Waits for `done`, and not for ever.
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < patience, "{what} does not happen");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn ten_thousand_commands_cut_at_odd_places() {
    let kv = Kv::start(3);
    let mut rng = Rng::new(11);
    let (mut bytes, mut expected) = (Vec::new(), Vec::new());
    let mut counters = [0i64; 20];
    for _ in 0..10_000 {
        let key = rng.below(counters.len());
        counters[key] += 1;
        bytes.extend(encode(&["incr".to_owned(), format!("counter:{key}")]));
        expected.extend(format!(":{}\r\n", counters[key]).into_bytes());
    }
    for step in [1, 3, 7, 101, 65_537] {
        let mut client = Client::connect(kv.address);
        assert_eq!(ask(&mut client, &["flushall"]), ok());
        let mut writer = client.stream.get_ref().try_clone().expect("a stream has two ends");
        let sent = bytes.clone();
        let writer = thread::spawn(move || {
            for piece in sent.chunks(step) {
                writer.write_all(piece).expect("the server reads");
            }
        });
        let mut replies = vec![0; expected.len()];
        client.stream.read_exact(&mut replies).expect("the server answers");
        assert!(replies == expected, "pieces of {step}");
        writer.join().expect("all is sent");
    }
}

#[test]
fn a_client_that_does_not_read_costs_little_and_holds_nobody_up() {
    let kv = Kv::start(2);
    let process = kv.child.id();
    let mut other = Client::connect(kv.address);
    let large = vec![b'x'; MIB];
    let mut keys = Vec::new();
    for number in 0..8 {
        keys.push(format!("large:{number}"));
        other.send(&encode(&[b"set", keys[number].as_bytes(), &large]));
        assert_eq!(other.reply(), ok());
    }
    for _ in 0..100 {
        let small = encode(&["rpush", "list", &"y".repeat(100)]);
        other.send(&small.repeat(100));
        (0..100).for_each(|_| drop(other.reply()));
    }
    let before = resident(process);
    // Strings of a megabyte; then replies that have to be put together.
    let large: Vec<u8> = (0..100).flat_map(|n| encode(&["get", &keys[n % 8]])).collect();
    let small: Vec<u8> = (0..2000).flat_map(|_| encode(&["lrange", "list", "0", "499"])).collect();
    let mut stuck = Vec::new();
    let whole = encode(&["lrange", "list", "0", "-1"]).repeat(100);
    for request in [large, small, whole] {
        let mut client = Client::connect(kv.address);
        client.send(&request);
        stuck.push(client);
    }
    thread::sleep(Duration::from_millis(500));
    let grown = resident(process).saturating_sub(before);
    assert!(grown <= stuck.len() * 8 * MIB, "{} MiB for two clients", grown / MIB);
    assert_eq!(ask(&mut other, &["ping"]), Reply::Line('+', "PONG".to_owned()));
    // And when they read at last, everything comes.
    for _ in 0..100 {
        assert!(matches!(stuck[0].reply(), Reply::Bulk('$', bytes) if bytes.len() == MIB));
    }
    for _ in 0..2000 {
        assert!(matches!(stuck[1].reply(), Reply::Many('*', elements) if elements.len() == 500));
    }
}

#[test]
fn half_a_request_waits_and_holds_nobody_up() {
    let kv = Kv::start(2);
    let process = kv.child.id();
    let mut other = Client::connect(kv.address);
    let before = resident(process);
    let halves: Vec<Client> = (0..200)
        .map(|_| {
            let mut client = Client::connect(kv.address);
            client.send(b"*1000000\r\n$3\r\nset\r\n$536870912\r\nhalf");
            client
        })
        .collect();
    for number in 0..100 {
        assert_eq!(ask(&mut other, &["set", "key", &number.to_string()]), ok());
    }
    let grown = resident(process).saturating_sub(before);
    assert!(grown < 16 * MIB, "{} MiB for 200 halves", grown / MIB);
    drop(halves);
    eventually("the end of the connections", || {
        let Reply::Bulk(_, info) = ask(&mut other, &["info", "clients"]) else { return false };
        String::from_utf8_lossy(&info).contains("connected_clients:1\r\n")
    });
}

#[test]
fn clients_that_go_away_in_the_middle() {
    let kv = Kv::start(2);
    let mut other = Client::connect(kv.address);
    assert_eq!(ask(&mut other, &["set", "large", &"x".repeat(MIB)]), ok());
    for round in 0..200 {
        let mut client = Client::connect(kv.address);
        client.send(&encode(&["get", "large"]).repeat(1 + round % 20));
        if round % 2 == 0 {
            client.send(b"*2\r\n$3\r\nge");
        }
        // Unread replies turn this into a reset.
        drop(client);
    }
    eventually("the end of the connections", || {
        let Reply::Bulk(_, info) = ask(&mut other, &["info", "clients"]) else { return false };
        String::from_utf8_lossy(&info).contains("connected_clients:1\r\n")
    });
}

#[test]
fn keys_go_when_their_time_comes_though_nobody_looks() {
    let kv = Kv::start(2);
    let mut client = Client::connect(kv.address);
    for number in 0..1000 {
        let key = format!("key:{number}");
        assert_eq!(ask(&mut client, &["set", &key, "x", "px", "300"]), ok());
    }
    assert_eq!(ask(&mut client, &["set", "stays", "x", "px", "300000"]), ok());
    eventually("expiry", || ask(&mut client, &["dbsize"]) == Reply::Line(':', "1".to_owned()));
    let Reply::Bulk(_, info) = ask(&mut client, &["info", "stats"]) else { panic!("no text") };
    assert!(String::from_utf8_lossy(&info).contains("expired_keys:1000\r\n"));
}

/// `None`, and a word, where so many descriptors are not to be had.
fn raise_descriptor_limit(wanted: usize) -> Option<()> {
    let status = Command::new("prlimit")
        .args(["--pid", &std::process::id().to_string(), &format!("--nofile={wanted}:")])
        .stderr(Stdio::null())
        .status();
    if status.is_ok_and(|status| status.success()) {
        return Some(());
    }
    println!("skipped: {wanted} descriptors are not allowed here");
    None
}

#[test]
fn ten_thousand_idle_clients() {
    const CLIENTS: usize = 10_000;
    if raise_descriptor_limit(CLIENTS + 1000).is_none() {
        return;
    }
    let kv = Kv::start(2);
    let process = kv.child.id();
    let mut first = Client::connect(kv.address);
    assert_eq!(ask(&mut first, &["set", "key", "value"]), ok());
    let before = resident(process);
    let mut idle = Vec::with_capacity(CLIENTS);
    for number in 0..CLIENTS {
        // No reader with a buffer: this process has its limits too.
        let mut stream = std::net::TcpStream::connect(kv.address).expect("the server listens");
        stream.write_all(b"GET key\r\n").expect("the server reads");
        let mut reply = [0; 11];
        stream.read_exact(&mut reply).expect("the server answers");
        assert_eq!(&reply, b"$5\r\nvalue\r\n", "client {number}");
        idle.push(stream);
    }
    let each = resident(process).saturating_sub(before) / CLIENTS;
    assert!(each <= 8 * 1024, "{each} bytes for each idle client");
    assert_eq!(ask(&mut first, &["get", "key"]), Reply::Bulk('$', b"value".to_vec()));
}

/// Less than a peer that does not read is waited for when a stream is closed.
const SOON: Duration = Duration::from_secs(15);

/// Sends the signal, and waits for the end, which comes soon.
fn end(kv: &mut Kv, signal: &str) {
    let process = kv.child.id().to_string();
    let started = Instant::now();
    let sent = Command::new("kill").args([signal, &process]).status().expect("kill is there");
    assert!(sent.success());
    let mut status = None;
    eventually("the end of the server", || {
        status = kv.child.try_wait().expect("it is our child");
        status.is_some()
    });
    let (status, took) = (status.expect("it ended"), started.elapsed());
    assert_eq!(status.code(), Some(0), "{signal}: {status}");
    assert!(took < SOON, "{signal}: {took:?}");
}

#[test]
fn signals_end_it_under_load() {
    for signal in ["-TERM", "-INT"] {
        let mut kv = Kv::start(2);
        let address = kv.address;
        let load: Vec<_> = (0..8)
            .map(|number| {
                thread::spawn(move || {
                    let mut client = Client::connect(address);
                    let request = encode(&["incr", &format!("key:{number}")]).repeat(50);
                    while client.stream.get_mut().write_all(&request).is_ok()
                        && (0..50).all(|_| client.try_reply().is_ok())
                    {}
                })
            })
            .collect();
        let mut stuck = Client::connect(address);
        assert_eq!(ask(&mut stuck, &["set", "large", &"x".repeat(MIB)]), ok());
        stuck.send(&encode(&["get", "large"]).repeat(50));
        thread::sleep(Duration::from_millis(300));
        end(&mut kv, signal);
        load.into_iter().for_each(|client| client.join().expect("the load ends with the server"));
    }
}

#[test]
fn a_port_in_use_is_said_clearly() {
    let kv = Kv::start(1);
    let mut second = Command::new(env!("CARGO_BIN_EXE_kv"))
        .args(["--port", &kv.address.port().to_string(), "--shards", "2"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("kv starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while second.try_wait().expect("it is our child").is_none() {
        if Instant::now() > patience {
            second.kill().expect("it runs");
        }
        thread::sleep(Duration::from_millis(10));
    }
    let second = second.wait_with_output().expect("it is our child");
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    let expected = format!("kv: cannot serve {}: ", kv.address);
    assert!(said.starts_with(&expected) && said.to_lowercase().contains("in use"), "{said}");
}
