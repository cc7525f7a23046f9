//! What concerns keys whatever they hold: existence, type, expiry, all of them.

use super::{Outcome, integer, is};
use crate::resp::{Args, Reply};
use crate::store::{Db, Error, Store};

pub(super) fn del(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let removed = args.from(1).filter(|key| db.remove(key).is_some()).count();
    reply.integer(removed as i64);
    Ok(())
}

pub(super) fn exists(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let found = args.from(1).filter(|key| db.entry(key).is_some()).count();
    reply.integer(found as i64);
    Ok(())
}

pub(super) fn type_of(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    reply.simple(db.entry(args.at(1)).map_or("none", |entry| entry.value.type_name()));
    Ok(())
}

pub(super) fn dbsize(db: &mut Db, _args: Args<'_>, reply: &mut Reply) -> Outcome {
    reply.integer(db.len() as i64);
    Ok(())
}

pub(super) fn flushall(store: &mut Store, args: Args<'_>, reply: &mut Reply) -> Outcome {
    check_flush(args)?;
    store.clear();
    reply.simple("OK");
    Ok(())
}

pub(super) fn flushdb(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    check_flush(args)?;
    db.clear();
    reply.simple("OK");
    Ok(())
}

pub(super) fn bgrewriteaof(store: &mut Store, _args: Args<'_>, reply: &mut Reply) -> Outcome {
    const NO_FILES: Error =
        Error::text("ERR there is no append-only file: start the server with --appendfsync");
    store.journal().ok_or(NO_FILES)?.rewrite();
    reply.simple("Background append only file rewriting started");
    Ok(())
}

fn check_flush(args: Args<'_>) -> Outcome {
    match args.len() {
        1 => Ok(()),
        2 if is(args.at(1), "sync") || is(args.at(1), "async") => Ok(()),
        _ => Err(Error::SYNTAX),
    }
}

pub(super) fn expire(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let now = db.now();
    expire_after(db, args, reply, now, (1000, "expire"))
}

pub(super) fn pexpire(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let now = db.now();
    expire_after(db, args, reply, now, (1, "pexpire"))
}

pub(super) fn expireat(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    expire_after(db, args, reply, 0, (1000, "expireat"))
}

pub(super) fn pexpireat(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    expire_after(db, args, reply, 0, (1, "pexpireat"))
}

/// Sets a deadline that is counted in `unit`s of milliseconds from `start` on.
fn expire_after(
    db: &mut Db,
    args: Args<'_>,
    reply: &mut Reply,
    start: u64,
    (unit, command): (i64, &str),
) -> Outcome {
    let condition = Condition::parse(args)?;
    let invalid = || Error(format!("ERR invalid expire time in '{command}' command").into());
    let at = integer(args.at(2))?
        .checked_mul(unit)
        .and_then(|millis| millis.checked_add(start as i64))
        .ok_or_else(invalid)?;
    let key = args.at(1);
    let old = db.entry(key).map(|entry| entry.expires());
    if !old.is_some_and(|old| condition.holds(old, at)) {
        reply.integer(0);
        db.instead([]);
        return Ok(());
    }
    // A deadline in the past is a removal.
    if at <= db.now() as i64 {
        db.remove(key);
        db.instead([b"DEL", key]);
    } else {
        db.set_expiry(key, Some(at as u64));
        db.instead([b"PEXPIREAT", key, at.to_string().as_bytes()]);
    }
    reply.integer(1);
    Ok(())
}

/// NX, XX, GT and LT of EXPIRE.
#[derive(Default)]
struct Condition {
    without: bool,
    with: bool,
    later: bool,
    sooner: bool,
}

impl Condition {
    fn parse(args: Args<'_>) -> Result<Condition, Error> {
        let mut condition = Condition::default();
        for word in args.from(3) {
            match word {
                w if is(w, "nx") => condition.without = true,
                w if is(w, "xx") => condition.with = true,
                w if is(w, "gt") => condition.later = true,
                w if is(w, "lt") => condition.sooner = true,
                other => {
                    let option = String::from_utf8_lossy(other);
                    return Err(Error(format!("ERR Unsupported option {option}").into()));
                }
            }
        }
        if condition.without && (condition.with || condition.later || condition.sooner) {
            return Err(Error::text(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if condition.later && condition.sooner {
            return Err(Error::text("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(condition)
    }

    /// A key without a deadline counts as one that expires last of all.
    fn holds(&self, old: Option<u64>, new: i64) -> bool {
        let old = old.map(|at| at as i64);
        let refused = (self.without && old.is_some())
            || (self.with && old.is_none())
            || (self.later && old.is_none_or(|old| new <= old))
            || (self.sooner && old.is_some_and(|old| new >= old));
        !refused
    }
}

pub(super) fn ttl(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    reply.integer(match remaining(db, args.at(1)) {
        millis if millis >= 0 => (millis + 500) / 1000,
        special => special,
    });
    Ok(())
}

pub(super) fn pttl(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    reply.integer(remaining(db, args.at(1)));
    Ok(())
}

/// Milliseconds to the deadline; -1 where there is none, -2 where there is no key.
fn remaining(db: &mut Db, key: &[u8]) -> i64 {
    let now = db.now();
    match db.entry(key).map(|entry| entry.expires()) {
        None => -2,
        Some(None) => -1,
        Some(Some(at)) => at.saturating_sub(now) as i64,
    }
}

pub(super) fn persist(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let expires = db.entry(args.at(1)).and_then(|entry| entry.expires());
    if expires.is_some() {
        db.set_expiry(args.at(1), None);
    }
    reply.integer(i64::from(expires.is_some()));
    Ok(())
}
