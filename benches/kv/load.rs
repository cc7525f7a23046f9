//! A load that takes less CPU than what it measures: two shards of henge, which write commands that
//! are ready but for their keys and count the bytes of the answers.
//!
//! `redis-benchmark` parses every answer and keeps a histogram, and is at its end before two shards
//! of kv are. This one is for the question how much more two shards do than one. It runs as a
//! process of its own, on CPUs of its own: the program starts itself with [`WORD`] in front.

use std::io;
use std::time::{Duration, Instant};

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::TcpStream;
use henge::runtime::Builder;
use henge::task::JoinSet;

use crate::Failure;

/// As the program's first argument: be the load.
pub(crate) const WORD: &str = "load";

/// How many keys there are.
pub(crate) const KEYS: u32 = 100_000;

/// For how long it asks.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);

const CONNECTIONS: u32 = 50;

/// What a connection asks for, again and again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Set,
    Get,
}

impl Ask {
    fn word(self) -> &'static str {
        match self {
            Ask::Set => "set",
            Ask::Get => "get",
        }
    }

    /// The command before and after the digits of its key, and the answer. The keys are not those
    /// of `redis-benchmark`, whose values differ from version to version.
    fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Ask::Set => ("*3\r\n$3\r\nSET\r\n$16\r\nown:", "\r\n$3\r\nxxx\r\n", "+OK\r\n"),
            Ask::Get => ("*2\r\n$3\r\nGET\r\n$16\r\nown:", "\r\n", "$3\r\nxxx\r\n"),
        }
    }
}

/// The arguments with which the program is this load.
pub(crate) fn words(port: u16, ask: Ask, at_once: usize) -> [String; 4] {
    [WORD.into(), port.to_string(), ask.word().into(), at_once.to_string()]
}

/// Is the load that the arguments behind [`WORD`] say: how many commands were answered.
pub(crate) fn run(mut words: impl Iterator<Item = String>) -> Result<u64, Failure> {
    let mut word = || words.next().ok_or("load PORT set|get AT_ONCE");
    let port: u16 = word()?.parse()?;
    let ask = if word()? == Ask::Set.word() { Ask::Set } else { Ask::Get };
    let at_once: usize = word()?.parse()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(async {
        let end = Instant::now() + PERIOD;
        let mut connections = JoinSet::new();
        for n in 0..CONNECTIONS {
            connections.spawn_on(exchanges(port, ask, at_once, end, n + 1), runtime.handle());
        }
        let mut answered = 0;
        while let Some(connection) = connections.join_next().await {
            answered += connection??;
        }
        Ok(answered)
    })
}

/// Sets all keys.
pub(crate) fn fill(port: u16) -> io::Result<()> {
    const AT_ONCE: usize = 1_000;
    Builder::new_current_thread().build()?.block_on(async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let mut block = Block::new(Ask::Set, AT_ONCE);
        for first in (0..KEYS).step_by(AT_ONCE) {
            let mut keys = first..;
            block.draw(|| keys.next().unwrap_or_default());
            block.exchange(&mut stream).await?;
        }
        Ok(())
    })
}

async fn exchanges(
    port: u16,
    ask: Ask,
    at_once: usize,
    end: Instant,
    seed: u32,
) -> io::Result<u64> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let mut block = Block::new(ask, at_once);
    let (mut state, mut answered) = (seed, 0);
    while Instant::now() < end {
        block.draw(|| {
            // xorshift32: Marsaglia, "Xorshift RNGs", 2003.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state % KEYS
        });
        block.exchange(&mut stream).await?;
        answered += at_once as u64;
    }
    Ok(answered)
}

/// Commands that go out together, and room for their answers.
struct Block {
    commands: Vec<u8>,
    /// Where the digits of the keys begin.
    keys: Vec<usize>,
    expected: Vec<u8>,
    answers: Vec<u8>,
}

impl Block {
    const DIGITS: usize = 12;

    fn new(ask: Ask, at_once: usize) -> Block {
        let (before, after, answer) = ask.parts();
        let one = [before.as_bytes(), &[b'0'; Block::DIGITS], after.as_bytes()].concat();
        let expected = answer.repeat(at_once).into_bytes();
        Block {
            keys: (0..at_once).map(|n| n * one.len() + before.len()).collect(),
            commands: one.repeat(at_once),
            answers: vec![0; expected.len()],
            expected,
        }
    }

    /// Puts other keys in.
    fn draw(&mut self, mut next: impl FnMut() -> u32) {
        for &key in &self.keys {
            let mut rest = next();
            for digit in self.commands[key..key + Block::DIGITS].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
    }

    async fn exchange(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(&self.commands).await?;
        stream.read_exact(&mut self.answers).await?;
        if self.answers != self.expected {
            return Err(io::Error::other("the server answered with something else"));
        }
        Ok(())
    }
}
