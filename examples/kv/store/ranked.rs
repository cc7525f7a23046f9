//! A sorted sequence that knows ranks: chunks of a bounded size in order.
//!
//! Insert, remove and search cost a binary search over the chunks and one in a chunk; a rank costs
//! a walk over the chunks' lengths, one for every hundred members or so. A skip list with spans
//! would be logarithmic there, and slower everywhere else.

use std::cmp::Ordering;

use super::Bytes;

/// Chunks are split when they grow past this.
const CHUNK: usize = 128;

/// A member with its score.
pub(super) type Scored = (f64, Bytes);

/// Members in the order of score, then bytes.
#[derive(Clone, Debug, Default)]
pub struct Ranked {
    /// Never an empty one among them.
    chunks: Vec<Vec<Scored>>,
    len: usize,
}

impl Ranked {
    /// How many members there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a member that is not in here.
    pub fn insert(&mut self, score: f64, member: Bytes) {
        self.len += 1;
        let place = self.chunk_of(score, &member).min(self.chunks.len().saturating_sub(1));
        let Some(chunk) = self.chunks.get_mut(place) else {
            self.chunks.push(vec![(score, member)]);
            return;
        };
        let at = chunk.partition_point(|scored| compare(scored, score, &member).is_lt());
        chunk.insert(at, (score, member));
        if chunk.len() > CHUNK {
            let upper = chunk.split_off(CHUNK / 2);
            self.chunks.insert(place + 1, upper);
        }
    }

    /// Removes a member; whether it was there with that score.
    pub fn remove(&mut self, score: f64, member: &[u8]) -> bool {
        let place = self.chunk_of(score, member);
        let Some(chunk) = self.chunks.get_mut(place) else { return false };
        let Ok(at) = chunk.binary_search_by(|scored| compare(scored, score, member)) else {
            return false;
        };
        chunk.remove(at);
        if chunk.is_empty() {
            self.chunks.remove(place);
        }
        self.len -= 1;
        true
    }

    /// Removes the first member.
    pub fn pop_first(&mut self) -> Option<Scored> {
        let chunk = self.chunks.first_mut()?;
        let first = chunk.remove(0);
        if chunk.is_empty() {
            self.chunks.remove(0);
        }
        self.len -= 1;
        Some(first)
    }

    /// How many members stand before the first one that `before` is false for. It has to be true
    /// for members up to some place, and false from there on.
    pub fn partition_point(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        let place = self.chunks.partition_point(|chunk| {
            chunk.last().is_some_and(|(score, member)| before(*score, member))
        });
        let passed: usize = self.chunks[..place].iter().map(Vec::len).sum();
        let rest = self
            .chunks
            .get(place)
            .map_or(0, |chunk| chunk.partition_point(|(score, member)| before(*score, member)));
        passed + rest
    }

    /// The members from rank `start` up to, not including, `end`.
    pub fn range(
        &self,
        start: usize,
        end: usize,
    ) -> impl DoubleEndedIterator<Item = (f64, &Bytes)> {
        let mut passed = 0;
        let end = end.min(self.len);
        let first = self.chunks.iter().take_while(|chunk| {
            let before = passed + chunk.len() <= start;
            passed += if before { chunk.len() } else { 0 };
            before
        });
        let first = first.count();
        let mut covered = passed;
        let used = self.chunks[first..].iter().take_while(|chunk| {
            let before = covered < end;
            covered += chunk.len();
            before
        });
        let used = used.count();
        self.chunks[first..first + used]
            .iter()
            .scan(passed, |rank, chunk| {
                let from = start.saturating_sub(*rank).min(chunk.len());
                let to = end.saturating_sub(*rank).min(chunk.len()).max(from);
                *rank += chunk.len();
                Some(&chunk[from..to])
            })
            .collect::<Vec<_>>()
            .into_iter()
            .flatten()
            .map(|(score, member)| (*score, member))
    }

    /// The chunk that holds the member if any does; the number of chunks if it is past all.
    fn chunk_of(&self, score: f64, member: &[u8]) -> usize {
        self.chunks.partition_point(|chunk| {
            chunk.last().is_some_and(|last| compare(last, score, member).is_lt())
        })
    }
}

fn compare(scored: &Scored, score: f64, member: &[u8]) -> Ordering {
    // Scores are never NaN, and the two zeros are one score.
    scored.0.partial_cmp(&score).unwrap_or(Ordering::Equal).then_with(|| (*scored.1).cmp(member))
}
