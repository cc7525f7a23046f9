//! A sorted set: scores by member, members by score.

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::{Bytes, Ranked};

/// A sorted set.
#[derive(Clone, Debug, Default)]
pub struct Zset {
    scores: IndexMap<Bytes, f64, RandomState>,
    ranked: Ranked,
}

impl Zset {
    /// How many members there are.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// A member by its place in some order; places are numbered from zero, and move when members
    /// go.
    ///
    /// # Panics
    ///
    /// If there are not as many.
    pub fn member(&self, place: usize) -> &[u8] {
        let (member, _) = self.scores.get_index(place).expect("a place below the length");
        member
    }

    /// A member's score.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).copied()
    }

    /// Gives a member its score, adding it if it is new.
    pub fn insert(&mut self, member: &[u8], score: f64) {
        // Of the two zeros only the positive one is kept.
        let score = score + 0.0;
        match self.scores.get_full_mut(member) {
            Some((_, kept, old)) => {
                let kept = kept.clone();
                self.ranked.remove(*old, member);
                *old = score;
                self.ranked.insert(score, kept);
            }
            None => {
                let kept: Bytes = member.into();
                self.scores.insert(kept.clone(), score);
                self.ranked.insert(score, kept);
            }
        }
    }

    /// Removes the member with the lowest score.
    pub fn pop_min(&mut self) -> Option<(f64, Bytes)> {
        let (score, member) = self.ranked.pop_first()?;
        self.scores.swap_remove(&*member);
        Some((score, member))
    }

    /// The members in order.
    pub fn ranked(&self) -> &Ranked {
        &self.ranked
    }
}
