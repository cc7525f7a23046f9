//! ZRANGE: by rank, by score or by name, from either end.

use std::sync::Arc;

use super::{Outcome, index_range, integer, is};
use crate::resp::{Args, Protocol, Reply};
use crate::store::{Db, Error, Ordered, Ranked, Zset};

#[derive(Default)]
struct Options {
    by_score: bool,
    by_name: bool,
    reversed: bool,
    with_scores: bool,
    limit: Option<(i64, i64)>,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Options, Error> {
        let mut options = Options::default();
        let mut words = args.from(4);
        while let Some(word) = words.next() {
            match word {
                w if is(w, "withscores") => options.with_scores = true,
                w if is(w, "rev") => options.reversed = true,
                w if is(w, "byscore") && !options.by_name => options.by_score = true,
                w if is(w, "bylex") && !options.by_score => options.by_name = true,
                w if is(w, "limit") => {
                    let (Some(offset), Some(count)) = (words.next(), words.next()) else {
                        return Err(Error::SYNTAX);
                    };
                    options.limit = Some((integer(offset)?, integer(count)?));
                }
                _ => return Err(Error::SYNTAX),
            }
        }
        if options.limit.is_some() && !options.by_score && !options.by_name {
            return Err(Error::text(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or \
                 BYLEX",
            ));
        }
        if options.with_scores && options.by_name {
            return Err(Error::text(
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        Ok(options)
    }
}

pub(super) fn zrange(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let options = Options::parse(args)?;
    let bounds = Bounds::parse(args, &options)?;
    let Some(zset) = db.shared::<Zset>(args.at(1))? else {
        reply.array(0);
        return Ok(());
    };
    let ranked = zset.ranked();
    let (start, end) = bounds.ranks(ranked, options.reversed);
    let (start, end) = limited(start, end, &options);
    let scores = options.with_scores;
    let nested = scores && reply.protocol == Protocol::V3;
    reply.array(if scores && !nested { (end - start) * 2 } else { end - start });
    // From here on members are numbered as they are sent.
    let length = zset.len();
    let (start, end) = if options.reversed { (length - end, length - start) } else { (start, end) };
    let zset = Arc::clone(zset);
    let members = Ordered { zset, reversed: options.reversed, scores };
    reply.elements(members, start, end);
    Ok(())
}

/// What LIMIT leaves of the ranks; it counts in the direction of the reply.
fn limited(start: usize, end: usize, options: &Options) -> (usize, usize) {
    let Some((offset, count)) = options.limit else { return (start, end) };
    let Ok(offset) = usize::try_from(offset) else { return (start, start) };
    let left = (end - start).saturating_sub(offset);
    // A negative count is no limit.
    let taken = usize::try_from(count).map_or(left, |count| left.min(count));
    if options.reversed {
        let end = end - offset.min(end - start);
        (end - taken, end)
    } else {
        let start = start + offset.min(end - start);
        (start, start + taken)
    }
}

/// Between what the members are to lie.
enum Bounds<'a> {
    Ranks(i64, i64),
    Scores(Score, Score),
    Names(Name<'a>, Name<'a>),
}

#[derive(Clone, Copy)]
struct Score {
    value: f64,
    exclusive: bool,
}

#[derive(Clone, Copy)]
enum Name<'a> {
    Lowest,
    Highest,
    At(&'a [u8]),
    Beyond(&'a [u8]),
}

impl<'a> Bounds<'a> {
    fn parse(args: Args<'a>, options: &Options) -> Result<Bounds<'a>, Error> {
        // With REV the upper bound is given first.
        let by_rank = !options.by_score && !options.by_name;
        let swapped = options.reversed && !by_rank;
        let (low, high) = if swapped { (3, 2) } else { (2, 3) };
        let (low, high) = (args.at(low), args.at(high));
        Ok(if options.by_score {
            Bounds::Scores(score(low)?, score(high)?)
        } else if options.by_name {
            Bounds::Names(name(low)?, name(high)?)
        } else {
            Bounds::Ranks(integer(low)?, integer(high)?)
        })
    }

    /// The ranks that lie between, start to end, in rising order.
    fn ranks(&self, ranked: &Ranked, reversed: bool) -> (usize, usize) {
        let (start, end) = match *self {
            Bounds::Ranks(start, stop) => {
                let (start, end) = index_range(start, stop, ranked.len());
                let length = ranked.len();
                if reversed { (length - end, length - start) } else { (start, end) }
            }
            Bounds::Scores(low, high) => {
                let below = |score: f64| score < low.value || (low.exclusive && score == low.value);
                let within =
                    |score: f64| score < high.value || (!high.exclusive && score == high.value);
                let start = ranked.partition_point(|score, _| below(score));
                (start, ranked.partition_point(|score, _| within(score)))
            }
            Bounds::Names(low, high) => {
                let start = ranked.partition_point(|_, member| low.is_above(member, true));
                (start, ranked.partition_point(|_, member| high.is_above(member, false)))
            }
        };
        (start, end.max(start))
    }
}

impl Name<'_> {
    /// Whether `member` lies below this bound, itself taken as a lower or as an upper one.
    fn is_above(&self, member: &[u8], lower: bool) -> bool {
        match *self {
            Name::Lowest => false,
            Name::Highest => true,
            Name::At(name) => {
                if lower {
                    member < name
                } else {
                    member <= name
                }
            }
            Name::Beyond(name) => {
                if lower {
                    member <= name
                } else {
                    member < name
                }
            }
        }
    }
}

fn score(word: &[u8]) -> Result<Score, Error> {
    let (exclusive, number) = match word {
        [b'(', rest @ ..] => (true, rest),
        _ => (false, word),
    };
    // Looser than a score is read: nothing at all is zero, and what is too large is infinite.
    let text = if number.is_empty() { "0" } else { std::str::from_utf8(number).unwrap_or("") };
    match text.parse::<f64>() {
        Ok(value) if !value.is_nan() => Ok(Score { value, exclusive }),
        _ => Err(Error::text("ERR min or max is not a float")),
    }
}

fn name(word: &[u8]) -> Result<Name<'_>, Error> {
    match word {
        b"-" => Ok(Name::Lowest),
        b"+" => Ok(Name::Highest),
        [b'[', name @ ..] => Ok(Name::At(name)),
        [b'(', name @ ..] => Ok(Name::Beyond(name)),
        _ => Err(Error::text("ERR min or max not valid string range item")),
    }
}
