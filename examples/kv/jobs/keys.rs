//! KEYS: the keys that a pattern describes.

use std::sync::Arc;

use henge::task::JoinError;

use super::{Done, PIECE, Pieces, joined};
use crate::glob;
use crate::resp::Reply;

/// All keys of a database at one moment, and the pattern that some of them match.
#[derive(Debug)]
pub struct Keys {
    pattern: Arc<[u8]>,
    pieces: Vec<Packed>,
}

/// Keys, one behind the other: many are copied for the price of their bytes.
#[derive(Debug, Default)]
struct Packed {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Keys {
    /// Those of `keys` that `pattern` describes.
    pub fn new<'a>(pattern: &[u8], keys: impl Iterator<Item = &'a [u8]>) -> Keys {
        let mut pieces: Vec<Packed> = Vec::new();
        for key in keys {
            let piece = match pieces.last_mut() {
                Some(piece) if piece.ends.len() < PIECE => piece,
                _ => pieces.push_mut(Packed::default()),
            };
            piece.bytes.extend_from_slice(key);
            piece.ends.push(piece.bytes.len());
        }
        Keys { pattern: pattern.into(), pieces }
    }

    pub(super) async fn run(self, pieces: Pieces) -> Result<Done, JoinError> {
        let pattern = self.pattern;
        let matching = self.pieces.into_iter().map(|keys| {
            let pattern = Arc::clone(&pattern);
            async move { keys.matching(&pattern) }
        });
        let (counts, parts): (Vec<usize>, Vec<Reply>) =
            pieces.run(matching.collect()).await?.into_iter().unzip();
        let mut head = Reply::default();
        head.array(counts.iter().sum());
        Ok(joined(head, &parts))
    }
}

impl Packed {
    /// How many keys the pattern describes, and these, encoded.
    fn matching(&self, pattern: &[u8]) -> (usize, Reply) {
        let all = pattern == b"*";
        let (mut count, mut reply) = (0, Reply::default());
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        for (start, &end) in starts.zip(&self.ends) {
            let key = &self.bytes[start..end];
            if all || glob::matches(pattern, key) {
                reply.bulk(key);
                count += 1;
            }
        }
        (count, reply)
    }
}
