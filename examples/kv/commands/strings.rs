//! Strings: SET and its kin, counters, many at once.

use super::{Outcome, integer, is};
use crate::resp::{Args, MAX_BULK, Reply};
use crate::store::{Db, Error, Str, Value};

const OVERFLOW: Error = Error::text("ERR increment or decrement would overflow");

pub(super) fn get(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    match db.get::<Str>(args.at(1))? {
        Some(string) => string.reply(reply),
        None => reply.null(),
    }
    Ok(())
}

pub(super) fn set(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let options = SetOptions::parse(args)?;
    let key = args.at(1);
    let expires = options.expires(db)?;
    if options.get {
        get(db, args, reply)?;
    }
    let plain = !options.only_new && !options.only_old && !options.keep_ttl;
    let old = if plain { None } else { db.entry(key).map(|entry| entry.expires()) };
    if (options.only_new && old.is_some()) || (options.only_old && old.is_none()) {
        if !options.get {
            reply.null();
        }
        db.instead([]);
        return Ok(());
    }
    let kept = if options.keep_ttl { old.flatten() } else { None };
    db.set_string(key, args.at(2), expires.or(kept));
    if let Some(at) = expires {
        // Not so long from when this is read again.
        db.instead([b"SET", key, args.at(2), b"PXAT", at.to_string().as_bytes()]);
    }
    if !options.get {
        reply.simple("OK");
    }
    Ok(())
}

/// How the number behind EX, PX, EXAT or PXAT is meant.
#[derive(Clone, Copy)]
struct Unit {
    seconds: bool,
    absolute: bool,
}

#[derive(Default)]
struct SetOptions<'a> {
    only_new: bool,
    only_old: bool,
    keep_ttl: bool,
    get: bool,
    expiry: Option<(&'a [u8], Unit)>,
}

impl<'a> SetOptions<'a> {
    fn parse(args: Args<'a>) -> Result<SetOptions<'a>, Error> {
        let mut options = SetOptions::default();
        let mut words = args.from(3);
        while let Some(word) = words.next() {
            let unit = |seconds, absolute| Unit { seconds, absolute };
            let unit = match word {
                w if is(w, "nx") && !options.only_old => {
                    options.only_new = true;
                    continue;
                }
                w if is(w, "xx") && !options.only_new => {
                    options.only_old = true;
                    continue;
                }
                w if is(w, "get") => {
                    options.get = true;
                    continue;
                }
                w if is(w, "keepttl") && options.expiry.is_none() => {
                    options.keep_ttl = true;
                    continue;
                }
                w if is(w, "ex") => unit(true, false),
                w if is(w, "px") => unit(false, false),
                w if is(w, "exat") => unit(true, true),
                w if is(w, "pxat") => unit(false, true),
                _ => return Err(Error::SYNTAX),
            };
            let number = words.next().ok_or(Error::SYNTAX)?;
            if options.keep_ttl || options.expiry.replace((number, unit)).is_some() {
                return Err(Error::SYNTAX);
            }
        }
        Ok(options)
    }

    /// The deadline in milliseconds since 1970.
    fn expires(&self, db: &Db) -> Result<Option<u64>, Error> {
        const INVALID: Error = Error::text("ERR invalid expire time in 'set' command");
        let Some((number, unit)) = self.expiry else { return Ok(None) };
        let number = integer(number)?;
        if number <= 0 {
            return Err(INVALID);
        }
        let scaled = number.checked_mul(if unit.seconds { 1000 } else { 1 });
        let base = if unit.absolute { 0 } else { db.now() as i64 };
        let at = scaled.and_then(|millis| millis.checked_add(base)).ok_or(INVALID)?;
        Ok(Some(at as u64))
    }
}

pub(super) fn setnx(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let fresh = db.entry(args.at(1)).is_none();
    if fresh {
        db.set_string(args.at(1), args.at(2), None);
    }
    reply.integer(i64::from(fresh));
    Ok(())
}

pub(super) fn getset(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    get(db, args, reply)?;
    db.set_string(args.at(1), args.at(2), None);
    Ok(())
}

pub(super) fn getdel(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    get(db, args, reply)?;
    db.remove(args.at(1));
    Ok(())
}

pub(super) fn append(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let tail = args.at(2);
    let length = match db.get_mut::<Str>(args.at(1))? {
        Some(string) if string.len() + tail.len() > MAX_BULK => {
            return Err(Error::text(
                "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
            ));
        }
        Some(string) => string.append(tail),
        None => {
            db.set_string(args.at(1), tail, None);
            tail.len()
        }
    };
    reply.integer(length as i64);
    Ok(())
}

pub(super) fn strlen(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let length = db.get::<Str>(args.at(1))?.map_or(0, |string| string.len());
    reply.integer(length as i64);
    Ok(())
}

pub(super) fn incr(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    add(db, args.at(1), 1, reply)
}

pub(super) fn decr(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    add(db, args.at(1), -1, reply)
}

pub(super) fn incrby(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    add(db, args.at(1), integer(args.at(2))?, reply)
}

pub(super) fn decrby(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let by = integer(args.at(2))?;
    let by = by.checked_neg().ok_or(Error::text("ERR decrement would overflow"))?;
    add(db, args.at(1), by, reply)
}

fn add(db: &mut Db, key: &[u8], by: i64, reply: &mut Reply) -> Outcome {
    // An error must not leave an empty string behind, so a new key is made by the last step.
    let new = match db.get_mut::<Str>(key)? {
        Some(string) => {
            let old = string.integer().ok_or(Error::NOT_INTEGER)?;
            let new = old.checked_add(by).ok_or(OVERFLOW)?;
            *string = Str::Integer(new);
            new
        }
        None => {
            *db.get_or_new::<Str>(key)? = Str::Integer(by);
            by
        }
    };
    reply.integer(new);
    Ok(())
}

pub(super) fn mget(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    reply.array(args.len() - 1);
    args.from(1).for_each(|key| get_or_null(db, key, reply));
    Ok(())
}

pub(super) fn mget_one(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    get_or_null(db, args.at(1), reply);
    Ok(())
}

fn get_or_null(db: &mut Db, key: &[u8], reply: &mut Reply) {
    match db.entry(key).map(|entry| &entry.value) {
        Some(Value::Str(string)) => string.reply(reply),
        _ => reply.null(),
    }
}

pub(super) fn mset(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(Error::arity("mset"));
    }
    let mut words = args.from(1);
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        db.set_string(key, value, None);
    }
    reply.simple("OK");
    Ok(())
}
