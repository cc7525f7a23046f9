//! A rewrite: the commands that make what there is, instead of all that ever happened.

use std::io;

use henge::fs::File;

use super::files::{self, Folder};
use super::journal::encode;
use crate::resp::format_double;
use crate::store::{Snapshot, Str, Value};

/// How much is encoded before it is written, and others have their turn.
const PIECE: usize = 256 << 10;
/// Elements of a collection in one command.
const ELEMENTS: usize = 64;

/// Writes a shard's base from what it held at one moment, and removes what that replaces. The size
/// of the base.
///
/// # Errors
///
/// If it cannot be written. The files that there were are the data then, as before.
///
/// # Cancel safety
///
/// Dropped, the files that there were are the data, as before.
pub async fn rewrite(
    folder: &Folder,
    epoch: u64,
    shard: usize,
    number: u64,
    snapshot: Snapshot,
) -> io::Result<u64> {
    let name = files::base(epoch, shard, number);
    let unfinished = format!("{name}.new");
    let mut file = File::create(folder.path(&unfinished)).await?;
    let (mut bytes, mut at) = (Vec::with_capacity(2 * PIECE), 0);
    for (db, entries) in snapshot.databases() {
        if entries.is_empty() {
            continue;
        }
        encode(&mut bytes, [&b"SELECT"[..], db.to_string().as_bytes()].into_iter());
        for (key, value, expires) in entries {
            let mut pieces = Pieces::new(key, value);
            while pieces.encode(&mut bytes) {
                (bytes, at) = flush(&file, bytes, at, PIECE).await?;
            }
            if let Some(expires) = expires {
                let expires = expires.to_string();
                encode(&mut bytes, [b"PEXPIREAT", &**key, expires.as_bytes()].into_iter());
            }
        }
    }
    (_, at) = flush(&file, bytes, at, 1).await?;
    folder.publish(&mut file, &unfinished, &name).await?;
    folder.remove(&folder.chain(epoch, shard)?.old).await;
    Ok(at)
}

/// Writes the bytes if there are as many as `least`.
async fn flush(file: &File, bytes: Vec<u8>, at: u64, least: usize) -> io::Result<(Vec<u8>, u64)> {
    if bytes.len() < least {
        return Ok((bytes, at));
    }
    let at_end = at + bytes.len() as u64;
    let (written, mut bytes) = file.write_all_at(bytes, at).await;
    written?;
    bytes.clear();
    henge::task::yield_now().await;
    Ok((bytes, at_end))
}

/// A value as commands of a bounded length.
struct Pieces<'a> {
    key: &'a [u8],
    value: &'a Value,
    /// How many elements have been encoded.
    done: usize,
}

impl<'a> Pieces<'a> {
    fn new(key: &'a [u8], value: &'a Value) -> Pieces<'a> {
        Pieces { key, value, done: 0 }
    }

    /// Encodes the next command. False when there is none.
    fn encode(&mut self, to: &mut Vec<u8>) -> bool {
        let from = self.done;
        self.done += ELEMENTS;
        let scores: Vec<String>;
        let (name, words): (&[u8], Vec<&[u8]>) = match self.value {
            Value::Str(string) => {
                if from > 0 {
                    return false;
                }
                let mut integer = itoa::Buffer::new();
                let bytes = match string {
                    Str::Integer(number) => integer.format(*number).as_bytes(),
                    Str::Small(bytes) => bytes,
                    Str::Large(bytes) => bytes,
                };
                encode(to, [b"SET", self.key, bytes].into_iter());
                return true;
            }
            Value::List(list) => {
                (b"RPUSH", list.iter().skip(from).take(ELEMENTS).map(|bytes| &**bytes).collect())
            }
            Value::Set(set) => {
                let end = set.len().min(self.done);
                (b"SADD", (from..end).map(|at| &*set[at]).collect())
            }
            Value::Hash(hash) => {
                let end = hash.len().min(self.done);
                let pairs = (from..end).filter_map(|at| hash.get_index(at));
                (b"HSET", pairs.flat_map(|(field, value)| [&**field, &**value]).collect())
            }
            Value::Zset(zset) => {
                let members: Vec<_> = zset.ranked().range(from, self.done).collect();
                scores = members.iter().map(|(score, _)| format_double(*score)).collect();
                let pairs = scores.iter().zip(&members);
                let words = pairs.flat_map(|(score, (_, member))| [score.as_bytes(), &***member]);
                (b"ZADD", words.collect())
            }
        };
        if words.is_empty() {
            return false;
        }
        let words: Vec<&[u8]> = [name, self.key].into_iter().chain(words).collect();
        encode(to, words.into_iter());
        true
    }
}
