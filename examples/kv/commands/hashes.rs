//! Hashes.

use std::sync::Arc;

use super::Outcome;
use crate::resp::{Args, Reply};
use crate::store::{Db, Error, Hash};

pub(super) fn hset(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    if !args.len().is_multiple_of(2) {
        return Err(Error::arity("hset"));
    }
    let hash = db.get_or_new::<Hash>(args.at(1))?;
    let before = hash.len();
    let mut words = args.from(2);
    while let (Some(field), Some(value)) = (words.next(), words.next()) {
        match hash.get_mut(field) {
            Some(old) => old.assign(value),
            None => {
                hash.insert(field.into(), value.into());
            }
        }
    }
    reply.integer((hash.len() - before) as i64);
    Ok(())
}

pub(super) fn hget(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    match db.get::<Hash>(args.at(1))?.and_then(|hash| hash.get(args.at(2))) {
        Some(value) => reply.bulk(value),
        None => reply.null(),
    }
    Ok(())
}

pub(super) fn hdel(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let Some(hash) = db.get_mut::<Hash>(args.at(1))? else {
        reply.integer(0);
        return Ok(());
    };
    let removed = args.from(2).filter(|&field| hash.swap_remove(field).is_some()).count();
    if hash.is_empty() {
        db.remove(args.at(1));
    }
    reply.integer(removed as i64);
    Ok(())
}

pub(super) fn hgetall(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let Some(hash) = db.shared::<Hash>(args.at(1))? else {
        reply.map(0);
        return Ok(());
    };
    reply.map(hash.len());
    reply.elements(Arc::clone(hash), 0, hash.len());
    Ok(())
}

pub(super) fn hlen(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let length = db.get::<Hash>(args.at(1))?.map_or(0, |hash| hash.len());
    reply.integer(length as i64);
    Ok(())
}
