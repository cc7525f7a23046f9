//! A client that waits: bytes out, replies in.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A reply, as far as tests tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reply {
    /// A line: its type's byte and its text.
    Line(char, String),
    /// A string: its type's byte and its bytes.
    Bulk(char, Vec<u8>),
    /// No string and no array in RESP2.
    Null(char),
    /// A collection: its type's byte and its elements, keys and values of a map in turn.
    Many(char, Vec<Reply>),
}

pub(crate) struct Client {
    pub(crate) stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("the server listens");
        // Longer than anything takes: a hang fails the test.
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out is allowed");
        stream.set_write_timeout(Some(Duration::from_secs(60))).expect("a time-out is allowed");
        stream.set_nodelay(true).expect("the stream is open");
        Client { stream: BufReader::new(stream) }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("the server reads");
    }

    /// The next reply.
    pub(crate) fn reply(&mut self) -> Reply {
        self.try_reply().expect("the server answers")
    }

    pub(crate) fn try_reply(&mut self) -> io::Result<Reply> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        let Some((&kind, text)) = line.split_first() else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let kind = char::from(kind);
        let text = text.strip_suffix(b"\r\n").expect("lines end well");
        let text = String::from_utf8(text.to_vec()).expect("lines are text");
        let length: i64 = text.parse().unwrap_or(0);
        let elements = match kind {
            '$' | '=' if length >= 0 => {
                let mut bytes = vec![0; length as usize + 2];
                self.stream.read_exact(&mut bytes)?;
                assert!(bytes.ends_with(b"\r\n"), "strings end well");
                bytes.truncate(length as usize);
                return Ok(Reply::Bulk(kind, bytes));
            }
            '$' | '*' if length < 0 => return Ok(Reply::Null(kind)),
            '*' | '~' => length,
            '%' => length * 2,
            '+' | '-' | ':' | ',' | '_' | '#' => return Ok(Reply::Line(kind, text)),
            other => panic!("not a reply: {other:?} {text:?}"),
        };
        let elements = (0..elements).map(|_| self.try_reply()).collect::<io::Result<_>>()?;
        Ok(Reply::Many(kind, elements))
    }
}
