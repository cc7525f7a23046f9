//! Lists.

use std::sync::Arc;

use super::{Outcome, count, index_range, integer};
use crate::resp::{Args, Reply};
use crate::store::{Bytes, Db, Error, List};

pub(super) fn lpush(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let list = db.get_or_new::<List>(args.at(1))?;
    args.from(2).for_each(|element| list.push_front(element.into()));
    reply.integer(list.len() as i64);
    Ok(())
}

pub(super) fn rpush(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let list = db.get_or_new::<List>(args.at(1))?;
    list.extend(args.from(2).map(Bytes::from));
    reply.integer(list.len() as i64);
    Ok(())
}

pub(super) fn lpop(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    pop(db, args, reply, "lpop", List::pop_front)
}

pub(super) fn rpop(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    pop(db, args, reply, "rpop", List::pop_back)
}

fn pop(
    db: &mut Db,
    args: Args<'_>,
    reply: &mut Reply,
    command: &str,
    take: fn(&mut List) -> Option<Bytes>,
) -> Outcome {
    if args.len() > 3 {
        return Err(Error::arity(command));
    }
    let wanted = if args.len() == 3 { Some(count(args.at(2))?) } else { None };
    let Some(list) = db.get_mut::<List>(args.at(1))? else {
        match wanted {
            Some(_) => reply.null_array(),
            None => reply.null(),
        }
        return Ok(());
    };
    if let Some(wanted) = wanted {
        reply.array(wanted.min(list.len()));
    }
    for _ in 0..wanted.unwrap_or(1) {
        match take(list) {
            Some(element) => reply.bulk(&element),
            None => break,
        }
    }
    if list.is_empty() {
        db.remove(args.at(1));
    }
    Ok(())
}

pub(super) fn lrange(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let (start, stop) = (integer(args.at(2))?, integer(args.at(3))?);
    let Some(list) = db.shared::<List>(args.at(1))? else {
        reply.array(0);
        return Ok(());
    };
    let (start, end) = index_range(start, stop, list.len());
    reply.array(end - start);
    reply.elements(Arc::clone(list), start, end);
    Ok(())
}

pub(super) fn llen(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let length = db.get::<List>(args.at(1))?.map_or(0, |list| list.len());
    reply.integer(length as i64);
    Ok(())
}
