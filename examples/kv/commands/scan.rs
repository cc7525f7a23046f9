//! KEYS and SCAN: walking all keys, at once or a piece at a time.

use super::{Outcome, integer, is};
use crate::glob;
use crate::jobs::{Job, Keys};
use crate::resp::{Args, Reply};
use crate::store::{Cursor, Db, Error};

pub(super) fn keys(db: &mut Db, args: Args<'_>) -> Result<Job, Error> {
    Ok(Job::Keys(Keys::new(args.at(1), db.keys())))
}

pub(super) fn scan(db: &mut Db, args: Args<'_>, reply: &mut Reply) -> Outcome {
    let (mut pattern, mut kind, mut count) = (None, None, 10);
    let mut words = args.from(2);
    let cursor = Cursor::parse(args.at(1)).ok_or(Error::text("ERR invalid cursor"))?;
    while let Some(option) = words.next() {
        let value = words.next().ok_or(Error::SYNTAX)?;
        match option {
            w if is(w, "match") => pattern = Some(value).filter(|&value| value != b"*"),
            w if is(w, "type") => kind = Some(value),
            w if is(w, "count") => {
                count = usize::try_from(integer(value)?).unwrap_or(0);
                if count == 0 {
                    return Err(Error::SYNTAX);
                }
            }
            _ => return Err(Error::SYNTAX),
        }
    }
    let mut found: Vec<Box<[u8]>> = Vec::new();
    let left = db.scan(cursor.left(), count, |key, entry| {
        let wanted = pattern.is_none_or(|pattern| glob::matches(pattern, key))
            && kind.is_none_or(|kind| is(kind, entry.value.type_name()));
        if wanted {
            found.push(key.into());
        }
    });
    reply.array(2);
    reply.bulk(Cursor::after(db.part(), left).as_bytes());
    reply.array(found.len());
    found.iter().for_each(|key| reply.bulk(key));
    Ok(())
}
