//! What a reply refers to instead of holding it.

use std::fmt;
use std::sync::Arc;

use super::reply::{Protocol, Reply};

/// A collection whose elements can be sent a few at a time.
pub trait Elements: fmt::Debug + Send + Sync {
    /// Encodes elements from number `from` up to, not including, `end`, until `out` holds `enough`
    /// bytes or more. The number of the first that is not encoded.
    fn encode(&self, from: usize, end: usize, enough: usize, out: &mut Reply) -> usize;
}

/// The elements of a collection that a reply has no room for: the collection itself as it was when
/// the command ran. Who changes it meanwhile changes a copy.
#[derive(Clone, Debug)]
pub struct Rest {
    elements: Arc<dyn Elements>,
    from: usize,
    end: usize,
    protocol: Protocol,
}

impl Rest {
    pub(super) fn new(
        elements: impl Elements + 'static,
        from: usize,
        end: usize,
        protocol: Protocol,
    ) -> Rest {
        Rest { elements: Arc::new(elements), from, end, protocol }
    }

    /// Encodes a few tens of kilobytes at a time to `out`, which is empty. Where to go on; `None`
    /// as `from` starts, and ends it.
    pub fn encode(&self, from: Option<usize>, out: &mut Reply) -> Option<usize> {
        const ENOUGH: usize = 64 << 10;
        out.protocol = self.protocol;
        let next = self.elements.encode(from.unwrap_or(self.from), self.end, ENOUGH, out);
        (next < self.end).then_some(next)
    }
}

/// What a reply refers to.
#[derive(Clone, Debug)]
pub(super) enum Shared {
    Bytes(Arc<Vec<u8>>),
    Rest(Rest),
}

/// A contiguous part of a reply.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// Bytes to send as they are.
    Bytes(&'a [u8]),
    /// Elements to encode and send.
    Rest(&'a Rest),
}
