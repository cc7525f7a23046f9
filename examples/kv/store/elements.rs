//! How collections are sent: element by element, as far as there is room.

use std::sync::Arc;

use super::{Bytes, Hash, List, Set, Zset};
use crate::resp::{Elements, Protocol, Reply};

impl Elements for Arc<List> {
    fn encode(&self, from: usize, end: usize, enough: usize, out: &mut Reply) -> usize {
        until(enough, from, self.range(from..end), out, |element, out| out.bulk(element))
    }
}

impl Elements for Arc<Set> {
    fn encode(&self, from: usize, end: usize, enough: usize, out: &mut Reply) -> usize {
        until(enough, from, &self[from..end], out, |member, out| out.bulk(member))
    }
}

impl Elements for Arc<Hash> {
    fn encode(&self, from: usize, end: usize, enough: usize, out: &mut Reply) -> usize {
        until(enough, from, &self[from..end], out, |(field, value), out| {
            out.bulk(field);
            out.bulk(value);
        })
    }
}

/// The members of a sorted set in order or against it. They are numbered in the order in which they
/// are sent.
#[derive(Debug)]
pub struct Ordered {
    /// The sorted set.
    pub zset: Arc<Zset>,
    /// From the highest down.
    pub reversed: bool,
    /// Each member with its score.
    pub scores: bool,
}

impl Elements for Ordered {
    fn encode(&self, from: usize, end: usize, enough: usize, out: &mut Reply) -> usize {
        let send = |(score, member): (f64, &Bytes), out: &mut Reply| {
            if self.scores && out.protocol == Protocol::V3 {
                out.array(2);
            }
            out.bulk(member);
            if self.scores {
                out.double(score);
            }
        };
        let (ranked, length) = (self.zset.ranked(), self.zset.len());
        if self.reversed {
            let members = ranked.range(length - end, length - from).rev();
            until(enough, from, members, out, send)
        } else {
            until(enough, from, ranked.range(from, end), out, send)
        }
    }
}

fn until<T>(
    enough: usize,
    from: usize,
    elements: impl IntoIterator<Item = T>,
    out: &mut Reply,
    send: impl Fn(T, &mut Reply),
) -> usize {
    let mut next = from;
    let mut elements = elements.into_iter();
    while out.len() < enough
        && let Some(element) = elements.next()
    {
        send(element, out);
        next += 1;
    }
    next
}
