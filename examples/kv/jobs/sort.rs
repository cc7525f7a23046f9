//! SORT: the elements of a collection in order, by number or by bytes.
//!
//! ```text
//!   pieces ──sort──▶ runs ──merge, two by two──▶ one run ──LIMIT──▶ encode, or store
//! ```

use std::cmp::Ordering;
use std::sync::Arc;

use henge::task::{JoinError, yield_now};

use super::{Done, PIECE, Pieces, joined};
use crate::batch::Batch;
use crate::commands;
use crate::resp::Reply;
use crate::store::{List, Set, Zset};

/// A collection as it was at one moment, and the order to bring its elements in.
#[derive(Debug, Default)]
pub struct Sort {
    /// What is sorted.
    pub source: Source,
    /// By bytes, and not by number.
    pub alpha: bool,
    /// From the highest down.
    pub descending: bool,
    /// The first of the elements that are wanted, and how many; all, if that is negative.
    pub limit: Option<(i64, i64)>,
    /// Where they are to be stored as a list.
    pub store: Option<Box<[u8]>>,
}

/// The collections that can be sorted.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each is the collection of that name")]
pub enum Source {
    #[default]
    Nothing,
    List(Arc<List>),
    Set(Arc<Set>),
    Zset(Arc<Zset>),
}

/// An element: its number, if it is sorted by that, and its place in the collection.
type Element = (f64, usize);

/// An element is to be sorted by number, and is none.
#[derive(Debug)]
struct NoNumber;

/// What pieces need to know.
#[derive(Clone, Debug)]
struct Order {
    source: Source,
    alpha: bool,
    descending: bool,
}

impl Sort {
    pub(super) async fn run(self, pieces: Pieces) -> Result<Done, JoinError> {
        let Sort { source, alpha, descending, .. } = &self;
        let order = Order { source: source.clone(), alpha: *alpha, descending: *descending };
        let length = source.len();
        let runs = (0..length).step_by(PIECE).map(|from| {
            let order = order.clone();
            async move { order.run(from, length.min(from + PIECE)) }
        });
        let runs = pieces.run(runs.collect()).await?;
        let Ok(mut runs) = runs.into_iter().collect::<Result<Vec<_>, NoNumber>>() else {
            let mut reply = Reply::default();
            reply.error(b"ERR One or more scores can't be converted into double");
            return Ok(Done::Reply(reply));
        };
        while runs.len() > 1 {
            let mut left = runs.into_iter();
            let mut pairs = Vec::new();
            while let Some(first) = left.next() {
                pairs.push(order.clone().merge(first, left.next().unwrap_or_default()));
            }
            runs = pieces.run(pairs).await?;
        }
        let mut sorted = runs.pop().unwrap_or_default();
        let (start, end) = self.limited(sorted.len());
        sorted.truncate(end);
        sorted.drain(..start);
        match self.store {
            Some(key) => Ok(Done::Then(key.clone(), stored(&key, &order.source, &sorted))),
            None => {
                let mut head = Reply::default();
                head.array(sorted.len());
                let parts = sorted.chunks(PIECE).map(|part| {
                    let (source, part) = (order.source.clone(), part.to_vec());
                    async move {
                        let mut reply = Reply::default();
                        part.iter().for_each(|(_, place)| reply.bulk(source.get(*place)));
                        reply
                    }
                });
                Ok(joined(head, &pieces.run(parts.collect()).await?))
            }
        }
    }

    /// What LIMIT leaves of so many elements, from start to end.
    fn limited(&self, length: usize) -> (usize, usize) {
        let Some((offset, count)) = self.limit else { return (0, length) };
        let start = usize::try_from(offset).unwrap_or(0).min(length);
        let count = usize::try_from(count).unwrap_or(length);
        (start, start.saturating_add(count).min(length))
    }
}

/// The commands that make `key` a list of these elements.
fn stored(key: &[u8], source: &Source, sorted: &[Element]) -> Box<Batch> {
    let mut batch = Box::new(Batch::default());
    let find = |name| commands::find(name).expect("it is in the table");
    batch.push(find(b"del"), [&b"del"[..], key]);
    if !sorted.is_empty() {
        let elements = sorted.iter().map(|(_, place)| source.get(*place));
        batch.push(find(b"rpush"), [&b"rpush"[..], key].into_iter().chain(elements));
    } else {
        // Whatever was there, there are no elements now.
        batch.push(find(b"llen"), [&b"llen"[..], key]);
    }
    batch
}

impl Order {
    /// The elements between two places, in order.
    fn run(&self, from: usize, to: usize) -> Result<Vec<Element>, NoNumber> {
        let element = |place| {
            let score = if self.alpha { 0.0 } else { number(self.source.get(place))? };
            Ok((score, place))
        };
        let mut run = (from..to).map(element).collect::<Result<Vec<_>, _>>()?;
        run.sort_unstable_by(|one, other| self.compare(one, other));
        Ok(run)
    }

    /// Two runs as one.
    async fn merge(self, first: Vec<Element>, second: Vec<Element>) -> Vec<Element> {
        let mut merged = Vec::with_capacity(first.len() + second.len());
        let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
        loop {
            let next = match (first.peek(), second.peek()) {
                (None, None) => return merged,
                (Some(one), Some(other)) if self.compare(one, other).is_gt() => &mut second,
                (Some(_), _) => &mut first,
                (None, Some(_)) => &mut second,
            };
            merged.extend(next.next());
            if merged.len().is_multiple_of(PIECE) {
                yield_now().await;
            }
        }
    }

    /// Elements of one number stand in the order of their bytes, so that no two are alike.
    fn compare(&self, one: &Element, other: &Element) -> Ordering {
        let bytes = || self.source.get(one.1).cmp(self.source.get(other.1));
        let rising = one.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal).then_with(bytes);
        if self.descending { rising.reverse() } else { rising }
    }
}

impl Source {
    fn len(&self) -> usize {
        match self {
            Source::Nothing => 0,
            Source::List(list) => list.len(),
            Source::Set(set) => set.len(),
            Source::Zset(zset) => zset.len(),
        }
    }

    fn get(&self, place: usize) -> &[u8] {
        match self {
            Source::Nothing => &[],
            Source::List(list) => &list[place],
            Source::Set(set) => &set[place],
            Source::Zset(zset) => zset.member(place),
        }
    }
}

/// What C's `strtod` makes of it, but for hexadecimal numbers.
fn number(bytes: &[u8]) -> Result<f64, NoNumber> {
    let text = std::str::from_utf8(bytes).map_err(|_| NoNumber)?.trim_ascii_start();
    if text.is_empty() {
        return if bytes.is_empty() { Ok(0.0) } else { Err(NoNumber) };
    }
    let number: f64 = text.parse().map_err(|_| NoNumber)?;
    // Too large for a number, and not by name.
    let overflows = number.is_infinite() && text.contains(|c: char| c.is_ascii_digit());
    if number.is_nan() || overflows { Err(NoNumber) } else { Ok(number) }
}
