//! What takes long is done in pieces, here or on whichever shards have time, with the same replies.

#[path = "common/client.rs"]
mod client;
#[path = "common/encode.rs"]
mod encode;
#[path = "common/kv.rs"]
mod kv;
#[path = "common/rng.rs"]
mod rng;

use std::process::Command;
use std::time::{Duration, Instant};

use client::{Client, Reply};
use encode::encode;
use kv::Kv;
use rng::Rng;

/// Several pieces, the last of them not full.
const MANY: usize = 30_000;

fn start(steal: bool) -> Kv {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kv"));
    if steal {
        command.arg("--steal");
    }
    Kv::start_as(command, 3)
}

fn ask(client: &mut Client, words: &[&str]) -> Reply {
    client.send(&encode(words));
    client.reply()
}

fn bulk(text: impl AsRef<str>) -> Reply {
    Reply::Bulk('$', text.as_ref().as_bytes().to_vec())
}

fn many<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Reply {
    Reply::Many('*', texts.into_iter().map(bulk).collect())
}

fn number(count: usize) -> Reply {
    Reply::Line(':', count.to_string())
}

/// Fills a list, a set and a sorted set with numbers in a random order, all different.
fn fill(client: &mut Client) -> Vec<i64> {
    let mut rng = Rng::new(5);
    let mut numbers: Vec<i64> = (0..MANY as i64).map(|n| n * 7 - 50_000).collect();
    for place in (1..numbers.len()).rev() {
        numbers.swap(place, rng.below(place + 1));
    }
    for part in numbers.chunks(1000) {
        let words: Vec<String> = part.iter().map(i64::to_string).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let scored: Vec<&str> = words.iter().flat_map(|word| [*word, *word]).collect();
        ask(client, &[&["rpush", "list"], &words[..]].concat());
        ask(client, &[&["sadd", "set"], &words[..]].concat());
        ask(client, &[&["zadd", "zset"], &scored[..]].concat());
        ask(client, &[&["hset", "hash"], &scored[..]].concat());
    }
    numbers
}

fn texts(numbers: &[i64]) -> Vec<String> {
    numbers.iter().map(i64::to_string).collect()
}

#[test]
fn many_elements_are_sorted_as_few_are() {
    for steal in [false, true] {
        let kv = start(steal);
        let mut client = Client::connect(kv.address);
        let mut numbers = fill(&mut client);
        numbers.sort_unstable();
        let rising = texts(&numbers);
        let falling: Vec<&String> = rising.iter().rev().collect();
        for key in ["list", "set", "zset"] {
            assert_eq!(ask(&mut client, &["sort", key]), many(&rising), "{key}");
            assert_eq!(ask(&mut client, &["sort", key, "desc"]), many(falling.iter()), "{key}");
            let limited = ask(&mut client, &["sort", key, "desc", "limit", "4090", "20"]);
            assert_eq!(limited, many(&falling[4090..4110]), "{key}");
        }
        let mut by_bytes = rising.clone();
        by_bytes.sort_unstable();
        assert_eq!(ask(&mut client, &["sort", "list", "alpha"]), many(&by_bytes));
        // An element that is no number, in the last piece.
        ask(&mut client, &["rpush", "list", "x"]);
        let refused = ask(&mut client, &["sort", "list", "limit", "0", "1"]);
        let text = "ERR One or more scores can't be converted into double";
        assert_eq!(refused, Reply::Line('-', text.to_owned()));
    }
}

/// In one pipeline, with the source and the target on different shards: what comes before and
/// behind it happens before and behind it.
#[test]
fn what_is_sorted_is_stored_on_any_shard() {
    for steal in [false, true] {
        let kv = start(steal);
        let mut client = Client::connect(kv.address);
        let mut numbers = fill(&mut client);
        numbers.sort_unstable();
        let rising = texts(&numbers);
        for target in 0..12 {
            let target = format!("target:{target}");
            let commands: [&[&str]; 6] = [
                &["set", &target, "was a string", "ex", "1000"],
                &["sort", "set", "store", &target],
                &["lrange", &target, "0", "-1"],
                &["ttl", &target],
                &["sort", "nothing", "store", &target],
                &["exists", &target],
            ];
            let pipeline: Vec<u8> = commands.into_iter().flat_map(encode).collect();
            client.send(&pipeline);
            assert_eq!(client.reply(), Reply::Line('+', "OK".to_owned()));
            assert_eq!(client.reply(), number(MANY));
            assert_eq!(client.reply(), many(&rising));
            assert_eq!(client.reply(), Reply::Line(':', "-1".to_owned()));
            assert_eq!(client.reply(), number(0));
            assert_eq!(client.reply(), number(0));
        }
    }
}

#[test]
fn what_counts_as_a_number() {
    let kv = Kv::start(1);
    let mut client = Client::connect(kv.address);
    ask(&mut client, &["rpush", "numbers", "inf", " 5", "", "-Infinity", "1e3", "-0.5"]);
    let sorted = ask(&mut client, &["sort", "numbers"]);
    assert_eq!(sorted, many(["-Infinity", "-0.5", "", " 5", "1e3", "inf"]));
    for wrong in ["5 ", " ", "x", "nan", "1e400", "\u{e9}"] {
        ask(&mut client, &["del", "wrong"]);
        ask(&mut client, &["rpush", "wrong", wrong]);
        assert!(matches!(ask(&mut client, &["sort", "wrong"]), Reply::Line('-', _)), "{wrong:?}");
    }
    for option in ["by", "get"] {
        let Reply::Line('-', text) = ask(&mut client, &["sort", "numbers", option, "w_*"]) else {
            panic!("{option} is refused");
        };
        assert!(text.contains("not supported"), "{text}");
    }
}

type Matches = fn(&str) -> bool;

#[test]
fn many_keys_are_found_as_few_are() {
    for steal in [false, true] {
        let kv = start(steal);
        let mut client = Client::connect(kv.address);
        for part in 0..MANY / 1000 {
            let words = (0..1000).flat_map(|n| {
                let number = part * 1000 + n;
                [format!("key:{number}"), "v".to_owned()]
            });
            let words: Vec<String> = ["mset".to_owned()].into_iter().chain(words).collect();
            client.send(&encode(&words));
            assert_eq!(client.reply(), Reply::Line('+', "OK".to_owned()));
        }
        let patterns: [(&str, Matches); 3] =
            [("*", |_| true), ("key:*7", |key| key.ends_with('7')), ("nothing*", |_| false)];
        for (pattern, matches) in patterns {
            let Reply::Many('*', mut found) = ask(&mut client, &["keys", pattern]) else {
                panic!("an array");
            };
            found.sort();
            let keys = (0..MANY).map(|number| format!("key:{number}"));
            let mut expected: Vec<Reply> = keys.filter(|key| matches(key)).map(bulk).collect();
            expected.sort();
            assert!(found == expected, "{pattern}: {} of {}", found.len(), expected.len());
        }
    }
}

#[test]
fn large_collections_are_whole_and_as_they_were() {
    for steal in [false, true] {
        let kv = start(steal);
        let mut client = Client::connect(kv.address);
        let numbers = fill(&mut client);
        let in_order = texts(&numbers);
        let mut rising = numbers.clone();
        rising.sort_unstable();
        let pairs: Vec<&String> = in_order.iter().flat_map(|text| [text, text]).collect();
        for (words, key, expected) in [
            (&["lrange", "list", "0", "-1"][..], "list", many(&in_order)),
            (&["smembers", "set"], "set", many(&in_order)),
            (&["hgetall", "hash"], "hash", many(pairs)),
            (&["zrange", "zset", "0", "-1"], "zset", many(texts(&rising))),
        ] {
            // What comes behind it in the pipeline does not change it.
            client.send(&[encode(words), encode(&["del", key])].concat());
            assert!(client.reply() == expected, "{words:?}, stealing: {steal}");
            assert_eq!(client.reply(), number(1));
        }
    }
}

/// How many pieces shards have taken from others.
fn stolen(client: &mut Client) -> u64 {
    let Reply::Bulk(_, text) = ask(client, &["info", "shards"]) else { panic!("text") };
    let text = String::from_utf8(text).expect("it is text");
    let fields = text.split([',', '\r']).filter_map(|field| field.strip_prefix("stolen="));
    fields.map(|number| number.parse::<u64>().expect("a number")).sum()
}

#[test]
fn shards_with_time_take_pieces() {
    let kv = start(true);
    let mut client = Client::connect(kv.address);
    fill(&mut client);
    let patience = Instant::now() + Duration::from_secs(60);
    while stolen(&mut client) == 0 {
        assert!(Instant::now() < patience, "no shard takes a piece");
        ask(&mut client, &["sort", "list"]);
    }
}
