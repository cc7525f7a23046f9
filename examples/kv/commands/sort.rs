//! SORT. What it has to do is a job.

use std::sync::Arc;

use super::{integer, is};
use crate::jobs::{Job, Sort, Source};
use crate::resp::Args;
use crate::store::{Db, Error, Value};

pub(super) fn sort(db: &mut Db, args: Args<'_>) -> Result<Job, Error> {
    let mut sort = Sort::default();
    let mut words = args.from(2);
    while let Some(word) = words.next() {
        match word {
            w if is(w, "asc") => sort.descending = false,
            w if is(w, "desc") => sort.descending = true,
            w if is(w, "alpha") => sort.alpha = true,
            w if is(w, "limit") => {
                let (Some(offset), Some(count)) = (words.next(), words.next()) else {
                    return Err(Error::SYNTAX);
                };
                sort.limit = Some((integer(offset)?, integer(count)?));
            }
            w if is(w, "store") => {
                sort.store = Some(words.next().ok_or(Error::SYNTAX)?.into());
            }
            w if is(w, "by") || is(w, "get") => {
                words.next().ok_or(Error::SYNTAX)?;
                return Err(Error::text(
                    "ERR BY and GET are not supported: the keys that they name are on all shards",
                ));
            }
            _ => return Err(Error::SYNTAX),
        }
    }
    if let Some(entry) = db.entry(args.at(1)) {
        sort.source = match &entry.value {
            Value::List(list) => Source::List(Arc::clone(list)),
            Value::Set(set) => Source::Set(Arc::clone(set)),
            Value::Zset(zset) => Source::Zset(Arc::clone(zset)),
            Value::Str(_) | Value::Hash(_) => return Err(Error::WRONG_TYPE),
        };
    }
    Ok(Job::Sort(sort))
}
