//! Sorted sets: ZADD, ZPOPMIN, ZCARD.

use super::{Outcome, count, is};
use crate::resp::{Args, Protocol, Reply, parse_double};
use crate::store::{Db, Error, Zset};

/// The options in front of ZADD's pairs.
#[derive(Default)]
struct AddOptions {
    only_new: bool,
    only_old: bool,
    greater: bool,
    less: bool,
    changed: bool,
    increment: bool,
}

impl AddOptions {
    /// The options, and where the pairs start.
    fn parse(args: Args<'_>) -> Result<(AddOptions, usize), Error> {
        let mut options = AddOptions::default();
        let mut first = 2;
        for word in args.from(2) {
            match word {
                w if is(w, "nx") => options.only_new = true,
                w if is(w, "xx") => options.only_old = true,
                w if is(w, "gt") => options.greater = true,
                w if is(w, "lt") => options.less = true,
                w if is(w, "ch") => options.changed = true,
                w if is(w, "incr") => options.increment = true,
                _ => break,
            }
            first += 1;
        }
        let words = args.len() - first;
        if words == 0 || !words.is_multiple_of(2) {
            return Err(Error::SYNTAX);
        }
        if options.only_new && options.only_old {
            return Err(Error::text("ERR XX and NX options at the same time are not compatible"));
        }
        let conditions = [options.greater, options.less, options.only_new];
        if conditions.into_iter().filter(|&given| given).count() > 1 {
            return Err(Error::text(
                "ERR GT, LT, and/or NX options at the same time are not compatible",
            ));
        }
        if options.increment && words > 2 {
            return Err(Error::text("ERR INCR option supports a single increment-element pair"));
        }
        Ok((options, first))
    }
}

pub(super) fn zadd(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let (options, first) = AddOptions::parse(args)?;
    // All scores are read before anything changes: an error changes nothing.
    let mut words = args.from(first);
    while let (Some(score), Some(_)) = (words.next(), words.next()) {
        parse_double(score).ok_or(Error::NOT_FLOAT)?;
    }
    let key = args.at(1);
    if options.only_old && db.get::<Zset>(key)?.is_none() {
        if options.increment {
            reply.null()
        } else {
            reply.integer(0)
        }
        return Ok(());
    }
    let zset = db.get_or_new::<Zset>(key)?;
    let (mut added, mut updated, mut last) = (0, 0, None);
    let mut words = args.from(first);
    while let (Some(score), Some(member)) = (words.next(), words.next()) {
        let score = parse_double(score).ok_or(Error::NOT_FLOAT)?;
        match add_one(zset, &options, score, member) {
            Ok(Added::New(score)) => {
                added += 1;
                last = Some(score);
            }
            Ok(Added::Moved(score)) => {
                updated += 1;
                last = Some(score);
            }
            Ok(Added::Same(score)) => last = Some(score),
            Ok(Added::Refused) => {}
            // INCR alone can fail here; the member that it failed on exists.
            Err(error) => return Err(error),
        }
    }
    match last {
        Some(score) if options.increment => reply.double(score),
        None if options.increment => reply.null(),
        _ if options.changed => reply.integer(added + updated),
        _ => reply.integer(added),
    }
    if zset.is_empty() {
        db.remove(key);
    }
    Ok(())
}

enum Added {
    New(f64),
    Moved(f64),
    Same(f64),
    Refused,
}

fn add_one(
    zset: &mut Zset,
    options: &AddOptions,
    score: f64,
    member: &[u8],
) -> Result<Added, Error> {
    let Some(old) = zset.score(member) else {
        if options.only_old {
            return Ok(Added::Refused);
        }
        zset.insert(member, score);
        return Ok(Added::New(score));
    };
    if options.only_new {
        return Ok(Added::Refused);
    }
    let new = if options.increment { old + score } else { score };
    if new.is_nan() {
        return Err(Error::text("ERR resulting score is not a number (NaN)"));
    }
    if (options.less && new >= old) || (options.greater && new <= old) {
        return Ok(Added::Refused);
    }
    if new == old {
        return Ok(Added::Same(new));
    }
    zset.insert(member, new);
    Ok(Added::Moved(new))
}

pub(super) fn zpopmin(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    if args.len() > 3 {
        return Err(Error::SYNTAX);
    }
    let wanted = if args.len() == 3 { Some(count(args.at(2))?) } else { None };
    let Some(zset) = db.get_mut::<Zset>(args.at(1))? else {
        reply.array(0);
        return Ok(());
    };
    // RESP3 nests the pairs, but only where a count was given.
    let nested = wanted.is_some() && reply.protocol == Protocol::V3;
    let popped = wanted.unwrap_or(1).min(zset.len());
    reply.array(if nested { popped } else { popped * 2 });
    for _ in 0..popped {
        let Some((score, member)) = zset.pop_min() else { break };
        if nested {
            reply.array(2);
        }
        reply.bulk(&member);
        reply.double(score);
    }
    if zset.is_empty() {
        db.remove(args.at(1));
    }
    Ok(())
}

pub(super) fn zcard(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let length = db.get::<Zset>(args.at(1))?.map_or(0, |zset| zset.len());
    reply.integer(length as i64);
    Ok(())
}
