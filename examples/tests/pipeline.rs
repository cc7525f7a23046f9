//! A pipeline over several shards answers what one over a single shard does.

#[path = "common/cluster.rs"]
mod cluster;
#[path = "common/encode.rs"]
mod encode;
#[path = "common/rng.rs"]
mod rng;

use cluster::Cluster;
use encode::encode;
use rng::Rng;

fn random_command(rng: &mut Rng) -> Vec<u8> {
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut pick = || keys[rng.below(keys.len())];
    let (key, other, third) = (pick(), pick(), pick());
    let value = rng.below(100).to_string();
    let words: Vec<&str> = match rng.below(16) {
        0 => vec!["set", key, &value],
        1 => vec!["get", key],
        2 => vec!["incr", key],
        3 => vec!["mget", key, other, third],
        4 => vec!["mset", key, &value, other, "x", third, &value],
        5 => vec!["del", key, other],
        6 => vec!["exists", key, other, key, third],
        7 => vec!["rpush", key, &value, "y"],
        8 => vec!["lrange", key, "0", "-1"],
        9 => vec!["dbsize"],
        10 => vec!["mset", key, &value, other],
        11 => vec!["nonsense", key],
        12 => vec!["get"],
        13 => vec!["ping"],
        14 => vec!["select", if rng.below(2) == 0 { "0" } else { "1" }],
        _ => vec!["hello", if rng.below(2) == 0 { "2" } else { "3" }],
    };
    encode(&words)
}

#[test]
fn as_with_one_shard() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut one = Cluster::new(1);
        let mut clusters = [Cluster::new(2), Cluster::new(3), Cluster::new(8)];
        for _ in 0..20 {
            let pass: Vec<u8> =
                (0..1 + rng.below(60)).flat_map(|_| random_command(&mut rng)).collect();
            let expected = one.send(&pass);
            for cluster in &mut clusters {
                let got = cluster.send(&pass);
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                assert_eq!(text(&got), text(&expected), "seed {seed}: {}", text(&pass));
            }
        }
    }
}

#[test]
fn ten_thousand_commands_cut_at_odd_places() {
    for shards in [1, 3] {
        let mut rng = Rng::new(7);
        let bytes: Vec<u8> = (0..10_000).flat_map(|_| random_command(&mut rng)).collect();
        let expected = Cluster::new(shards).send(&bytes);
        for step in [1, 3, 7, 4093] {
            let mut cluster = Cluster::new(shards);
            let got: Vec<u8> = bytes.chunks(step).flat_map(|chunk| cluster.send(chunk)).collect();
            assert!(got == expected, "{shards} shards, pieces of {step}");
        }
    }
}

#[test]
fn large_replies_come_whole_and_in_order() {
    for shards in [1, 4] {
        let mut cluster = Cluster::new(shards);
        let (mut pass, mut expected) = (Vec::new(), Vec::new());
        for number in 0..40 {
            let value = vec![b'a' + number as u8 % 26; 10_000 * (1 + number % 7)];
            cluster.send(&encode(&[b"set", format!("k{number}").as_bytes(), &value]));
            pass.extend(encode(&["get".to_owned(), format!("k{number}")]));
            expected.extend(format!("${}\r\n", value.len()).into_bytes());
            expected.extend(value);
            expected.extend(b"\r\n");
        }
        let asked: Vec<u8> = (0..5).flat_map(|_| pass.clone()).collect();
        assert!(cluster.send(&asked) == expected.repeat(5), "{shards} shards");
        // The same by one command whose reply is far larger than what is sent at once.
        let keys: Vec<String> = (0..40).map(|number| format!("k{number}")).collect();
        let mget: Vec<&str> = ["mget"].into_iter().chain(keys.iter().map(|k| &**k)).collect();
        let array = [b"*40\r\n".to_vec(), expected].concat();
        assert!(cluster.send(&encode(&mget)) == array, "{shards} shards, mget");
    }
}

#[test]
fn commands_on_all_shards() {
    for shards in [1, 2, 5] {
        let mut cluster = Cluster::new(shards);
        for number in 0..300 {
            cluster.run(&format!("set key:{number} {number}"));
        }
        assert_eq!(cluster.run("dbsize"), ":300\r\n");
        let keys = cluster.run("keys key:1?");
        assert!(keys.starts_with("*10\r\n$6\r\nkey:1"), "{keys}");
        let mut cursor = "0".to_owned();
        let mut seen = std::collections::BTreeSet::new();
        loop {
            let reply = cluster.run(&format!("scan {cursor} count 7"));
            let mut lines = reply.lines().filter(|line| !line.starts_with(['*', '$']));
            cursor = lines.next().unwrap().to_owned();
            seen.extend(lines.map(str::to_owned));
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(seen.len(), 300);
        assert_eq!(cluster.run("flushall"), "+OK\r\n");
        assert_eq!(cluster.run("flushall never"), "-ERR syntax error\r\n");
        assert_eq!(cluster.run("dbsize"), ":0\r\n");
    }
}

#[test]
fn a_protocol_error_is_the_last_answer() {
    let mut cluster = Cluster::new(2);
    let mut bytes = encode(&["set", "a", "1"]);
    bytes.extend_from_slice(b"*1\r\n$-5\r\n");
    let replies = cluster.send(&bytes);
    assert_eq!(replies, b"+OK\r\n-ERR Protocol error: invalid bulk length\r\n");
    assert!(cluster.is_closing());
}

#[test]
fn nothing_is_answered_after_quit() {
    let mut cluster = Cluster::new(2);
    let bytes = [encode(&["quit"]), encode(&["ping"])].concat();
    assert_eq!(cluster.send(&bytes), b"+OK\r\n");
    assert!(cluster.is_closing());
}

#[test]
fn long_collections_are_sent_as_they_were() {
    for hello in ["2", "3"] {
        let mut cluster = Cluster::new(2);
        cluster.run(&format!("hello {hello}"));
        for number in 0..30_000 {
            let element = format!("{number:0>50}");
            cluster.run(&format!("rpush list {element}"));
            cluster.run(&format!("sadd set {element}"));
            cluster.run(&format!("hset hash {number} {element}"));
            cluster.run(&format!("zadd zset {number} {element}"));
        }
        // Each is more than a megabyte, and the next command in the same pass takes it apart.
        for (command, pairs) in [
            ("lrange list 10 -11", false),
            ("smembers set", false),
            ("hgetall hash", true),
            ("zrange zset 0 -1", false),
            ("zrange zset 10 -11 rev withscores", true),
        ] {
            let elements = if command.contains("10") { 30_000 - 20 } else { 30_000 };
            let key = command.split(' ').nth(1).unwrap();
            let words: Vec<&str> = command.split(' ').collect();
            let pass = [encode(&words), encode(&["del", key])].concat();
            let replies = String::from_utf8(cluster.send(&pass)).unwrap();
            assert!(replies.len() > 1_500_000, "{command}: {}", replies.len());
            assert!(replies.ends_with("\r\n:1\r\n"), "{command}");
            let found = replies.lines().filter(|line| line.len() == 50).count();
            assert_eq!(found, elements, "{command}");
            let first = replies.lines().find(|line| line.len() == 50).unwrap();
            match key {
                "list" => assert_eq!(first, format!("{:0>50}", 10)),
                "zset" if pairs => assert_eq!(first, format!("{:0>50}", 29_989)),
                "zset" | "set" | "hash" => assert_eq!(first, format!("{:0>50}", 0)),
                other => panic!("{other}"),
            }
            // Put back what was taken.
            for number in (0..30_000).filter(|_| key == "zset") {
                cluster.run(&format!("zadd zset {number} {number:0>50}"));
            }
        }
    }
}
