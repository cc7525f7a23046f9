//! Requests are understood however they are cut, and nonsense is refused as a Redis server does.

#[path = "common/encode.rs"]
mod encode;
#[path = "common/rng.rs"]
mod rng;

use encode::encode;
use henge_kv::resp::{MAX_INLINE, ParseError, Parser, Status};
use rng::Rng;

type Words = Vec<Vec<u8>>;

/// Feeds `bytes` in pieces that end at `cuts`; the commands that came out, or why it ended.
fn parse_in_pieces(bytes: &[u8], cuts: &[usize]) -> (Vec<Words>, Option<ParseError>) {
    let mut parser = Parser::default();
    let mut pending: Vec<u8> = Vec::new();
    let mut commands = Vec::new();
    let mut from = 0;
    for &to in cuts.iter().chain([&bytes.len()]) {
        pending.extend_from_slice(&bytes[from..to]);
        from = to;
        loop {
            match parser.parse(&pending) {
                Ok(Status::Incomplete) => break,
                Ok(Status::Nothing { consumed }) => {
                    pending.drain(..consumed);
                }
                Ok(Status::Command { consumed }) => {
                    commands.push(parser.args(&pending).from(0).map(<[u8]>::to_vec).collect());
                    pending.drain(..consumed);
                }
                Err(error) => return (commands, Some(error)),
            }
        }
    }
    (commands, None)
}

fn random_words(rng: &mut Rng) -> Words {
    (0..1 + rng.below(6)).map(|_| (0..rng.below(40)).map(|_| rng.next() as u8).collect()).collect()
}

/// A mixture of requests: arrays, inline commands, and what means nothing.
fn random_stream(rng: &mut Rng, commands: usize) -> (Vec<u8>, Vec<Words>) {
    let (mut bytes, mut expected) = (Vec::new(), Vec::new());
    for _ in 0..commands {
        match rng.below(8) {
            0 => bytes.extend_from_slice(b"\r\n"),
            1 => bytes.extend_from_slice(b"*0\r\n"),
            2 => {
                bytes.extend_from_slice(b"  set  \"a\\x41\\n\" 'it\\'s' plain\r\n");
                expected
                    .push([&b"set"[..], b"aA\n", b"it's", b"plain"].map(<[u8]>::to_vec).to_vec());
            }
            _ => {
                let words = random_words(rng);
                bytes.extend(encode(&words));
                expected.push(words);
            }
        }
    }
    (bytes, expected)
}

#[test]
fn every_cut_gives_the_same_commands() {
    for seed in 0..30 {
        let (bytes, expected) = random_stream(&mut Rng::new(seed), 6);
        for cut in 0..=bytes.len() {
            assert_eq!(parse_in_pieces(&bytes, &[cut]), (expected.clone(), None), "{seed} {cut}");
        }
        let everywhere: Vec<usize> = (0..bytes.len()).collect();
        assert_eq!(parse_in_pieces(&bytes, &everywhere), (expected, None), "{seed} every byte");
    }
}

#[test]
fn random_cuts_of_long_streams() {
    for seed in 0..20 {
        let mut rng = Rng::new(1000 + seed);
        let (bytes, expected) = random_stream(&mut rng, 500);
        let mut cuts: Vec<usize> = (0..100).map(|_| rng.below(bytes.len())).collect();
        cuts.sort_unstable();
        assert_eq!(parse_in_pieces(&bytes, &cuts), (expected, None), "{seed}");
    }
}

#[test]
fn garbage_never_panics_and_cuts_do_not_change_the_verdict() {
    const ALPHABET: &[u8] = b"*$+-0123456789\r\n\r\n\"'ax\0\xff ";
    for seed in 0..3000 {
        let mut rng = Rng::new(seed);
        let bytes: Vec<u8> =
            (0..rng.below(80)).map(|_| ALPHABET[rng.below(ALPHABET.len())]).collect();
        let whole = parse_in_pieces(&bytes, &[]);
        let everywhere: Vec<usize> = (0..bytes.len()).collect();
        assert_eq!(parse_in_pieces(&bytes, &everywhere), whole, "{seed} {bytes:?}");
    }
}

#[test]
fn refusals() {
    let refused = |bytes: &[u8]| parse_in_pieces(bytes, &[]).1;
    assert_eq!(refused(b"*x\r\n"), Some(ParseError::InvalidCount));
    assert_eq!(refused(b"*99999999999\r\n"), Some(ParseError::InvalidCount));
    assert_eq!(refused(b"*1\r\n$-1\r\n"), Some(ParseError::InvalidLength));
    assert_eq!(refused(b"*1\r\n$536870913\r\n"), Some(ParseError::InvalidLength));
    assert_eq!(refused(b"*1\r\n$536870912\r\n"), None);
    assert_eq!(refused(b"*1\r\n:1\r\n"), Some(ParseError::ExpectedDollar(b':')));
    assert_eq!(refused(b"get \"a\r\n"), Some(ParseError::UnbalancedQuotes));
    assert_eq!(refused(b"get \"a\"b\r\n"), Some(ParseError::UnbalancedQuotes));
    let long = vec![b'1'; MAX_INLINE + 2];
    assert_eq!(refused(&long), Some(ParseError::InlineTooLong));
    assert_eq!(refused(&[b"*", &long[..]].concat()), Some(ParseError::CountTooLong));
    assert_eq!(refused(&[b"*1\r\n$", &long[..]].concat()), Some(ParseError::LengthTooLong));
}

#[test]
fn announced_lengths_reserve_nothing() {
    // A parser that believed these would take gigabytes, and this test its time.
    let mut parser = Parser::default();
    for _ in 0..1000 {
        let mut parsers: Vec<Parser> = (0..10).map(|_| Parser::default()).collect();
        for other in &mut parsers {
            assert_eq!(other.parse(b"*2147483647\r\n$536870912\r\nx"), Ok(Status::Incomplete));
        }
    }
    assert_eq!(parser.parse(b"*1000000\r\n"), Ok(Status::Incomplete));
    assert!(parser.is_midway());
}
