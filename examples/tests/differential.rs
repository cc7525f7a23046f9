//! kv and a real Redis server answer the same random commands with the same replies.
//!
//! Skipped, with a word, where `redis-server` is not installed.

#[path = "common/client.rs"]
mod client;
#[path = "common/encode.rs"]
mod encode;
#[path = "common/kv.rs"]
mod kv;
#[path = "common/rng.rs"]
mod rng;

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::{Client, Reply};
use encode::encode;
use kv::{Kv, free_address};
use rng::Rng;

/// A Redis server, ended with the test.
struct Redis {
    child: Child,
    address: std::net::SocketAddr,
}

impl Redis {
    fn start() -> Option<Redis> {
        let address = free_address();
        let child = Command::new("redis-server")
            // SORT ALPHA is by bytes then.
            .env("LC_ALL", "C")
            .args(["--port", &address.port().to_string(), "--save", "", "--daemonize", "no"])
            .stdout(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            println!("skipped: redis-server is not installed");
            return None;
        };
        let redis = Redis { child, address };
        let patience = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < patience, "redis-server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(redis)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Templates, a word each: `K` a key, `M` a member, field or value, `I` an integer or nearly, `F` a
/// score or nearly, `P` a pattern, `T` a time to live (none that
/// runs out), `G` one that no other is like, `Z` a bound of ZRANGE, `N` an integer.
// Sorted by number are lists of integers only: a Redis server refuses anything else after a number,
// in whatever command, that was too large for a double.
// By name a range is only specified where all scores are one, as those of `lex` are.
const TEMPLATES: &[&str] = &[
    "get K",
    "set K M",
    "set K I",
    "set K M ex T",
    "set K M px T nx",
    "set K M xx",
    "set K M nx",
    "set K M keepttl",
    "set K M get",
    "set K I xx get",
    "set K M nx get",
    "set K M ex",
    "set K M ex 0",
    "set K M nx xx",
    "set K M bogus",
    "set K M px T ex T",
    "set K M exat 99999999999",
    "setnx K M",
    "getset K M",
    "getdel K",
    "mget K K K",
    "mget K",
    "mset K M K M K I",
    "mset K M K",
    "del K K",
    "del K",
    "exists K K K",
    "incr K",
    "decr K",
    "incrby K I",
    "decrby K I",
    "append K M",
    "strlen K",
    "expire K T",
    "expire K T nx",
    "expire K T xx",
    "expire K G gt",
    "expire K G lt",
    "expire K T nx xx",
    "expire K T gt lt",
    "expire K T bogus",
    "expire K I",
    "pexpire K T",
    "pexpire K -1",
    "ttl K",
    "pttl K",
    "persist K",
    "dbsize",
    "keys P",
    "type K",
    "lpush K M M M",
    "rpush K M",
    "rpush K M M",
    "lpop K",
    "rpop K",
    "lpop K I",
    "rpop K I",
    "lpop K 2 2",
    "lrange K I I",
    "lrange K 0 -1",
    "lrange K 1 -2",
    "llen K",
    "sadd K M M M",
    "sadd K M",
    "srem K M M",
    "spop K",
    "spop K 2",
    "spop K -1",
    "spop K 1 1",
    "smembers K",
    "sismember K M",
    "scard K",
    "hset K M M",
    "hset K M M M M",
    "hset K M M M",
    "hget K M",
    "hdel K M M",
    "hgetall K",
    "hlen K",
    "zadd K F M",
    "zadd K F M F M F M",
    "zadd K nx F M",
    "zadd K xx ch F M",
    "zadd K gt F M F M",
    "zadd K lt ch F M",
    "zadd K incr F M",
    "zadd K nx incr F M",
    "zadd K xx incr F M",
    "zadd K gt lt F M",
    "zadd K nx xx F M",
    "zadd K incr F M F M",
    "zadd K F M F",
    "zadd K nx",
    "zcard K",
    "zpopmin K",
    "zpopmin K I",
    "zpopmin K 2",
    "zpopmin K 1 1",
    "zrange K I I",
    "zrange K 0 -1 withscores",
    "zrange K I I rev withscores",
    "zrange K Z Z byscore",
    "zrange K Z Z byscore rev withscores limit I I",
    "sort K alpha",
    "sort K alpha desc limit I I",
    "sort K alpha limit 0 3 store K",
    "rpush numbers N N N",
    "sort numbers",
    "sort numbers desc",
    "sort numbers limit I I desc",
    "sort numbers store K",
    "rpop numbers 2",
    "sort K store",
    "sort K limit 1",
    "sort K limit x 1",
    "sort K bogus",
    "sort",
    "zadd lex 0 M 0 M",
    "zrange lex Z Z bylex",
    "zrange lex Z Z bylex rev limit 0 2",
    "zrange K 0 -1 limit 0 1",
    "zrange K - + bylex withscores",
    "zrange K 0 -1 bogus",
    "zrange K Z Z byscore limit 1",
    "zrange K Z Z byscore limit 1 x",
    "flushdb bogus",
    "flushall bogus bogus",
    "select 1",
    "select 0",
    "select I",
    "select 99",
    "ping",
    "ping M",
    "ping M M",
    "echo M",
    "echo",
    "get",
    "get K K",
    "bogus",
    "bogus K M",
    "client getname",
    "client setname M",
    "client bogus",
    "client id x",
    "client",
    "config",
    "config bogus",
    "config get save",
    "config get appendonly",
    "config get bogus",
    "config get",
    "config set bogus M",
    "config resetstat",
    "command count x",
    "command bogus",
    "hello 4",
    "hello x",
    "hello 3 bogus",
    "hello 2 setname",
    "scan x",
    "scan 0 count 0",
    "scan 0 count x",
    "scan 0 match",
    "scan 0 bogus 1",
    "scan",
];

fn fill(template: &str, rng: &mut Rng) -> Vec<String> {
    const KEYS: &[&str] = &["a", "b", "c", "d", "e", "f", "key:1", "key:2", "key:3", "{x}y"];
    const MEMBERS: &[&str] =
        &["m1", "m2", "m3", "7", "-3", "longer member", "\u{fc}\r\n", "", "0012"];
    const INTEGERS: &[&str] = &[
        "0",
        "1",
        "2",
        "-1",
        "-2",
        "5",
        "100",
        "+1",
        "007",
        "x",
        "",
        "1.5",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        " 1",
    ];
    const SCORES: &[&str] = &[
        "0",
        "1",
        "-1",
        "2",
        "3.1",
        "1.5",
        "1e10",
        "-2.5e-7",
        "inf",
        "-inf",
        "+inf",
        "nan",
        "x",
        "",
        "1e999",
        "0.1",
        "123456789012345678",
        "-0",
        "1e17",
        "1e16",
        ".5",
        "5.",
    ];
    const PATTERNS: &[&str] =
        &["*", "key:*", "?", "[a-c]", "[^a-c]", "k*[12]", "\\a", "nothing", "*y"];
    const TIMES: &[&str] = &["900000", "100000", "500000", "0", "-5", "x", "9223372036854775807"];
    const BOUNDS: &[&str] =
        &["-inf", "+inf", "0", "(1", "2", "(-1", "x", "-", "+", "[m1", "(m2", "[7", "m1", "", "("];
    let pick = |rng: &mut Rng, from: &[&str]| from[rng.below(from.len())].to_owned();
    template
        .split(' ')
        .map(|word| match word {
            "K" => pick(rng, KEYS),
            "M" => pick(rng, MEMBERS),
            "I" => pick(rng, INTEGERS),
            "F" => pick(rng, SCORES),
            "P" => pick(rng, PATTERNS),
            "T" => pick(rng, TIMES),
            "Z" => pick(rng, BOUNDS),
            "N" => (rng.below(1000) as i64 - 500).to_string(),
            "G" => (1_000_000 + rng.below(1_000_000)).to_string(),
            fixed => fixed.to_owned(),
        })
        .collect()
}

/// A reply without what is not specified: the order of sets, and the exact time left.
fn canonical(command: &[String], reply: Reply) -> Reply {
    match (command[0].as_str(), reply) {
        ("keys" | "smembers" | "spop", Reply::Many(kind, mut elements)) => {
            elements.sort();
            Reply::Many(kind, elements)
        }
        ("hgetall", Reply::Many(kind, elements)) => {
            let mut pairs: Vec<_> = elements.chunks(2).map(<[Reply]>::to_vec).collect();
            pairs.sort();
            Reply::Many(kind, pairs.concat())
        }
        ("ttl" | "pttl", Reply::Line(':', left)) => {
            let left: i64 = left.parse().expect("an integer");
            let unit = if command[0] == "ttl" { 1 } else { 1000 };
            // Ours are a thousand seconds and more apart, or milliseconds and hardly any left.
            let about = if left < 0 { left } else { (left / unit + 30) / 1000 };
            Reply::Line(':', about.to_string())
        }
        (_, reply) => reply,
    }
}

/// What SPOP leaves is up to the server; the key goes, so that both go on alike.
fn after(command: &[String], rng: &mut Rng) -> Option<Vec<String>> {
    let sets_apart = command[0] == "spop" && command.len() > 1;
    let forget = sets_apart.then(|| vec!["del".to_owned(), command[1].clone()]);
    // Data of many types piles up; now and then all begins anew.
    forget.or_else(|| (rng.below(400) == 0).then(|| vec!["flushall".to_owned()]))
}

/// How many elements a reply of SPOP has, whichever they are.
fn sized(command: &[String], reply: Reply) -> Reply {
    match (command[0].as_str(), reply) {
        ("spop", Reply::Many(kind, elements)) => {
            Reply::Line(kind, format!("{} members", elements.len()))
        }
        ("spop", Reply::Bulk(kind, _)) => Reply::Line(kind, "a member".to_owned()),
        (_, reply) => canonical(command, reply),
    }
}

fn compare(seed: u64, shards: usize, hello: &str, rounds: usize) {
    let Some(redis) = Redis::start() else { return };
    let kv = Kv::start(shards);
    let mut rng = Rng::new(seed);
    let mut ours = Client::connect(kv.address);
    let mut theirs = Client::connect(redis.address);
    for client in [&mut ours, &mut theirs] {
        client.send(&encode(&["hello", hello]));
        client.reply();
    }
    for round in 0..rounds {
        let mut pass: Vec<Vec<String>> = Vec::new();
        for _ in 0..1 + rng.below(20) {
            let command = fill(TEMPLATES[rng.below(TEMPLATES.len())], &mut rng);
            let next = after(&command, &mut rng);
            pass.push(command);
            pass.extend(next);
        }
        let bytes: Vec<u8> = pass.iter().flat_map(|command| encode(command)).collect();
        ours.send(&bytes);
        theirs.send(&bytes);
        for command in &pass {
            let (our, their) = (sized(command, ours.reply()), sized(command, theirs.reply()));
            assert_eq!(our, their, "seed {seed} round {round}: {command:?} in {pass:?}");
        }
    }
}

#[test]
fn one_shard_and_resp2() {
    compare(1, 1, "2", 3000);
}

#[test]
fn one_shard_and_resp3() {
    compare(2, 1, "3", 3000);
}

#[test]
fn three_shards_and_resp2() {
    compare(3, 3, "2", 3000);
}

#[test]
fn three_shards_and_resp3() {
    compare(4, 3, "3", 3000);
}

/// What is no request ends the connection, with the same last words.
#[test]
fn broken_requests() {
    let Some(redis) = Redis::start() else { return };
    let kv = Kv::start(2);
    let long = "1".repeat(70_000);
    let requests: Vec<Vec<u8>> = [
        "*1\r\n$-1\r\n",
        "*1\r\n$x\r\n",
        "*x\r\n",
        "*99999999999\r\n",
        "*2\r\n$4\r\nping\r\n:1\r\n",
        "*1\r\n$536870913\r\n",
        "get \"unbalanced\r\n",
        "get 'a'b\r\n",
        "*-1\r\n*0\r\n\r\nping\r\n*1\r\n$1\r\nxyz\r\nquit\r\n",
        "ping \"\\x41\\n\" \r\nquit\r\n",
        "*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\nb\r\n*1\r\n!\r\n",
        "post / http/1.1\r\nping\r\n",
        "host: x\r\nping\r\n",
    ]
    .iter()
    .map(|request| request.as_bytes().to_vec())
    .chain([long.clone(), format!("*{long}"), format!("*1\r\n${long}")].map(String::into_bytes))
    .collect();
    for request in requests {
        let answers = [kv.address, redis.address].map(|address| {
            let mut client = Client::connect(address);
            client.send(&request);
            let mut replies = Vec::new();
            while let Ok(reply) = client.try_reply() {
                replies.push(reply);
            }
            replies
        });
        let shown = String::from_utf8_lossy(&request[..request.len().min(60)]).into_owned();
        assert_eq!(answers[0], answers[1], "{shown:?}");
    }
}
