//! Replies: encoded straight into one buffer, large values shared instead of copied.

use std::sync::Arc;

use super::number::format_double;
use super::piece::{Elements, Piece, Rest, Shared};

/// From this size on a value is not copied into the reply but referred to.
pub const SHARE_FROM: usize = 16 << 10;
/// A reply is put together up to this size; what is left of a collection is encoded as it is sent.
const WHOLE_UP_TO: usize = 1 << 20;

/// The protocol version that a client asked for with HELLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2, which every connection starts with.
    #[default]
    V2,
    /// RESP3: maps, sets, doubles and one null.
    V3,
}

/// A place in a [`Reply`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    bytes: usize,
    shared: usize,
}

impl Mark {
    /// The same place once what stood at `from` stands at `to`.
    pub fn moved(self, from: Mark, to: Mark) -> Mark {
        Mark {
            bytes: self.bytes - from.bytes + to.bytes,
            shared: self.shared - from.shared + to.shared,
        }
    }
}

/// Encoded replies, one behind the other.
///
/// Small things are in `bytes`. What is large stands in `shared` with the offset in `bytes` that it
/// goes before: a client that asks for the same megabyte a hundred times costs a hundred pointers.
#[derive(Debug, Default)]
pub struct Reply {
    bytes: Vec<u8>,
    shared: Vec<(usize, Shared)>,
    shared_bytes: usize,
    /// How the client wants to be spoken to.
    pub protocol: Protocol,
    /// Collections are encoded as they are sent, but for small ones.
    pub lazy: bool,
}

impl Reply {
    /// A simple string: `+OK`.
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error, its code first: `-ERR syntax error`. Line breaks become blanks.
    pub fn error(&mut self, text: &[u8]) {
        self.bytes.push(b'-');
        self.bytes.extend(
            text.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }),
        );
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Whether it begins with an error.
    pub fn is_error(&self) -> bool {
        self.bytes.first() == Some(&b'-')
    }

    /// An integer.
    pub fn integer(&mut self, value: i64) {
        self.header(b':', value);
    }

    /// A bulk string, copied.
    pub fn bulk(&mut self, value: &[u8]) {
        self.header(b'$', value.len() as i64);
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// A bulk string, referred to and not copied.
    pub fn shared(&mut self, value: &Arc<Vec<u8>>) {
        self.header(b'$', value.len() as i64);
        self.shared.push((self.bytes.len(), Shared::Bytes(Arc::clone(value))));
        self.shared_bytes += value.len();
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Elements `from` to `end` of a collection, the header of an array or a map being written.
    pub fn elements(&mut self, elements: impl Elements + 'static, from: usize, end: usize) {
        let whole = if self.lazy { self.len() + SHARE_FROM } else { WHOLE_UP_TO };
        let next = elements.encode(from, end, whole, self);
        if next < end {
            let rest = Rest::new(elements, next, end, self.protocol);
            self.shared.push((self.bytes.len(), Shared::Rest(rest)));
        }
    }

    /// An integer as a bulk string.
    pub fn bulk_integer(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A floating-point number: a type of its own in RESP3, a bulk string in RESP2.
    pub fn double(&mut self, value: f64) {
        let text = format_double(value);
        match self.protocol {
            Protocol::V2 => self.bulk(text.as_bytes()),
            Protocol::V3 => self.line(b',', text.as_bytes()),
        }
    }

    /// Text for people: a verbatim string in RESP3, a bulk string in RESP2.
    pub fn verbatim(&mut self, text: &str) {
        match self.protocol {
            Protocol::V2 => self.bulk(text.as_bytes()),
            Protocol::V3 => {
                self.header(b'=', text.len() as i64 + 4);
                self.bytes.extend_from_slice(b"txt:");
                self.bytes.extend_from_slice(text.as_bytes());
                self.bytes.extend_from_slice(b"\r\n");
            }
        }
    }

    /// No value.
    pub fn null(&mut self) {
        self.bytes.extend_from_slice(match self.protocol {
            Protocol::V2 => b"$-1\r\n",
            Protocol::V3 => b"_\r\n",
        });
    }

    /// No array.
    pub fn null_array(&mut self) {
        self.bytes.extend_from_slice(match self.protocol {
            Protocol::V2 => b"*-1\r\n",
            Protocol::V3 => b"_\r\n",
        });
    }

    /// The start of an array of `length` replies.
    pub fn array(&mut self, length: usize) {
        self.header(b'*', length as i64);
    }

    /// The start of a map of `pairs` keys with their values; a flat array in RESP2.
    pub fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::V2 => self.array(pairs * 2),
            Protocol::V3 => self.header(b'%', pairs as i64),
        }
    }

    /// The start of a set of `length` members; an array in RESP2.
    pub fn set(&mut self, length: usize) {
        match self.protocol {
            Protocol::V2 => self.array(length),
            Protocol::V3 => self.header(b'~', length as i64),
        }
    }

    /// Where the next reply will start.
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), shared: self.shared.len() }
    }

    /// The bytes between two marks; only for replies without shared values.
    pub fn slice(&self, from: Mark, to: Mark) -> &[u8] {
        &self.bytes[from.bytes..to.bytes]
    }

    /// Appends what stands between two marks of `other`.
    pub fn append(&mut self, other: &Reply, from: Mark, to: Mark) {
        let offset = self.bytes.len();
        for (at, value) in &other.shared[from.shared..to.shared] {
            if let Shared::Bytes(bytes) = value {
                self.shared_bytes += bytes.len();
            }
            self.shared.push((at - from.bytes + offset, value.clone()));
        }
        self.bytes.extend_from_slice(&other.bytes[from.bytes..to.bytes]);
    }

    /// Appends bytes that are encoded already.
    pub fn encoded(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Forgets everything but the protocol.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.shared.clear();
        self.shared_bytes = 0;
    }

    /// Gives back the memory above `keep` bytes of an empty reply.
    pub fn shrink(&mut self, keep: usize) {
        self.bytes.shrink_to(keep);
        self.shared.shrink_to(16);
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes it holds; what it refers to is not counted.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether no more should be added before this has been sent.
    pub fn is_full(&self) -> bool {
        const COPIED: usize = 64 << 10;
        const SHARED: usize = 1 << 20;
        self.bytes.len() >= COPIED || self.shared_bytes >= SHARED
    }

    /// All of it, if it is in one piece: most replies are.
    pub fn whole(&self) -> Option<&[u8]> {
        self.shared.is_empty().then_some(&self.bytes[..])
    }

    /// The contiguous pieces, in the order of the wire.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let starts = std::iter::once(0).chain(self.shared.iter().map(|(at, _)| *at));
        let ends = self.shared.iter().map(|(at, _)| *at).chain([self.bytes.len()]);
        let held = starts.zip(ends).map(|(start, end)| Piece::Bytes(&self.bytes[start..end]));
        let shared = self.shared.iter().map(|(_, shared)| match shared {
            Shared::Bytes(bytes) => Piece::Bytes(bytes),
            Shared::Rest(rest) => Piece::Rest(rest),
        });
        let nothing = Piece::Bytes(&[]);
        held.zip(shared.chain([nothing])).flat_map(|(held, shared)| [held, shared])
    }

    fn header(&mut self, kind: u8, value: i64) {
        // One digit is the common case by far.
        if (0..10).contains(&value) {
            self.bytes.extend_from_slice(&[kind, b'0' + value as u8, b'\r', b'\n']);
            return;
        }
        self.line(kind, itoa::Buffer::new().format(value).as_bytes());
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(b"\r\n");
    }
}
