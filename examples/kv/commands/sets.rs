//! Sets.

use std::sync::Arc;

use super::{Outcome, count};
use crate::resp::{Args, Reply};
use crate::store::{Db, Error, Set};

pub(super) fn sadd(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let set = db.get_or_new::<Set>(args.at(1))?;
    let added = args
        .from(2)
        // Looked up first: a member that is there costs no allocation.
        .filter(|&member| !set.contains(member) && set.insert(member.into()))
        .count();
    reply.integer(added as i64);
    Ok(())
}

pub(super) fn srem(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let Some(set) = db.get_mut::<Set>(args.at(1))? else {
        reply.integer(0);
        return Ok(());
    };
    let removed = args.from(2).filter(|&member| set.swap_remove(member)).count();
    if set.is_empty() {
        db.remove(args.at(1));
    }
    reply.integer(removed as i64);
    Ok(())
}

pub(super) fn spop(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    if args.len() > 3 {
        return Err(Error::SYNTAX);
    }
    let wanted = if args.len() == 3 { Some(count(args.at(2))?) } else { None };
    let key = args.at(1);
    let Some(length) = db.get::<Set>(key)?.map(|set| set.len()) else {
        match wanted {
            Some(_) => reply.set(0),
            None => reply.null(),
        }
        return Ok(());
    };
    if let Some(wanted) = wanted {
        reply.set(wanted.min(length));
    }
    let mut popped = Vec::new();
    for left in (1..=length).rev().take(wanted.unwrap_or(1)) {
        let index = db.random_below(left);
        let Some(member) = db.get_mut::<Set>(key)?.and_then(|set| set.swap_remove_index(index))
        else {
            break;
        };
        reply.bulk(&member);
        popped.push(member);
    }
    // Which ones was chance.
    db.instead([b"SREM", key].into_iter().chain(popped.iter().map(|member| &**member)));
    if wanted.unwrap_or(1) >= length {
        db.remove(key);
    }
    Ok(())
}

pub(super) fn smembers(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    match db.shared::<Set>(args.at(1))? {
        Some(set) => {
            reply.set(set.len());
            reply.elements(Arc::clone(set), 0, set.len());
        }
        None => reply.set(0),
    }
    Ok(())
}

pub(super) fn sismember(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let found = db.get::<Set>(args.at(1))?.is_some_and(|set| set.contains(args.at(2)));
    reply.integer(i64::from(found));
    Ok(())
}

pub(super) fn scard(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let length = db.get::<Set>(args.at(1))?.map_or(0, |set| set.len());
    reply.integer(length as i64);
    Ok(())
}
