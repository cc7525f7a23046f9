//! One reply made of several shards' replies.

use crate::commands::Merge;
use crate::resp::{Reply, parse_integer};

/// Replies that are becoming one.
#[derive(Debug)]
pub(crate) struct Merging {
    merge: Merge,
    parts_left: u32,
    total: i64,
    body: Vec<u8>,
}

impl Merging {
    /// Of so many replies, none of which are here yet.
    pub(crate) fn new(merge: Merge, parts: u32) -> Merging {
        Merging { merge, parts_left: parts, total: 0, body: Vec::new() }
    }

    /// Adds the next of the replies, encoded.
    pub(crate) fn add(&mut self, part: &[u8]) {
        self.parts_left -= 1;
        let end = part.iter().position(|&byte| byte == b'\r').unwrap_or(part.len());
        match self.merge {
            Merge::Sum | Merge::Concatenate => {
                let number = part.get(1..end).and_then(parse_integer);
                self.total += number.unwrap_or(0);
                self.body.extend_from_slice(part.get(end + 2..).unwrap_or_default());
            }
            Merge::Any | Merge::Gather => {
                self.body.clear();
                self.body.extend_from_slice(part);
            }
        }
    }

    /// Whether all are here.
    pub(crate) fn is_whole(&self) -> bool {
        self.parts_left == 0
    }

    /// Encodes the one reply that they make.
    pub(crate) fn finish(&self, out: &mut Reply) {
        match self.merge {
            Merge::Sum => out.integer(self.total),
            Merge::Concatenate => out.array(self.total as usize),
            Merge::Any | Merge::Gather => {}
        }
        out.encoded(&self.body);
    }
}
