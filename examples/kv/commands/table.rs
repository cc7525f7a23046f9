//! The table of commands, and how one is found by its name.

use std::num::NonZero;
use std::sync::LazyLock;

use super::Action::{Connection as C, Data, Job, Shard};
use super::{Command, Connection, Merge, Route};
use super::{hashes, keys, lists, scan, sets, sort, sorted_range, sorted_sets, strings};

const fn read(name: &'static str, arity: i32, route: Route, action: super::Action) -> Command {
    Command { name, arity, writes: false, route, action }
}

const fn write(name: &'static str, arity: i32, route: Route, action: super::Action) -> Command {
    Command { name, arity, writes: true, route, action }
}

const KEY: Route = Route::Key;

const fn keys(step: usize, merge: Merge) -> Route {
    match NonZero::new(step) {
        Some(step) => Route::Keys { step, merge },
        None => panic!("keys stand at least one word apart"),
    }
}

/// Every command that a client can name.
pub static COMMANDS: &[Command] = &[
    write("append", 3, KEY, Data(strings::append)),
    read("bgrewriteaof", 1, Route::Every(Merge::Any), Shard(keys::bgrewriteaof)),
    read("client", -2, Route::Nowhere, C(Connection::Client)),
    read("command", -1, Route::Nowhere, C(Connection::Command)),
    read("config", -2, Route::Nowhere, C(Connection::Config)),
    read("dbsize", 1, Route::Every(Merge::Sum), Data(keys::dbsize)),
    write("decr", 2, KEY, Data(strings::decr)),
    write("decrby", 3, KEY, Data(strings::decrby)),
    write("del", -2, keys(1, Merge::Sum), Data(keys::del)),
    read("echo", 2, Route::Nowhere, C(Connection::Echo)),
    read("exists", -2, keys(1, Merge::Sum), Data(keys::exists)),
    write("expire", -3, KEY, Data(keys::expire)),
    write("expireat", -3, KEY, Data(keys::expireat)),
    write("flushall", -1, Route::Every(Merge::Any), Shard(keys::flushall)),
    write("flushdb", -1, Route::Every(Merge::Any), Data(keys::flushdb)),
    read("get", 2, KEY, Data(strings::get)),
    write("getdel", 2, KEY, Data(strings::getdel)),
    write("getset", 3, KEY, Data(strings::getset)),
    write("hdel", -3, KEY, Data(hashes::hdel)),
    read("hello", -1, Route::Nowhere, C(Connection::Hello)),
    read("hget", 3, KEY, Data(hashes::hget)),
    read("hgetall", 2, KEY, Data(hashes::hgetall)),
    read("hlen", 2, KEY, Data(hashes::hlen)),
    write("hset", -4, KEY, Data(hashes::hset)),
    write("incr", 2, KEY, Data(strings::incr)),
    write("incrby", 3, KEY, Data(strings::incrby)),
    read("info", -1, Route::Nowhere, C(Connection::Info)),
    read("keys", 2, Route::Every(Merge::Concatenate), Job(scan::keys)),
    read("llen", 2, KEY, Data(lists::llen)),
    write("lpop", -2, KEY, Data(lists::lpop)),
    write("lpush", -3, KEY, Data(lists::lpush)),
    read("lrange", 4, KEY, Data(lists::lrange)),
    read("mget", -2, keys(1, Merge::Gather), Data(strings::mget)),
    write("mset", -3, keys(2, Merge::Any), Data(strings::mset)),
    write("persist", 2, KEY, Data(keys::persist)),
    write("pexpire", -3, KEY, Data(keys::pexpire)),
    write("pexpireat", -3, KEY, Data(keys::pexpireat)),
    read("ping", -1, Route::Nowhere, C(Connection::Ping)),
    read("pttl", 2, KEY, Data(keys::pttl)),
    read("quit", -1, Route::Nowhere, C(Connection::Quit)),
    write("rpop", -2, KEY, Data(lists::rpop)),
    write("rpush", -3, KEY, Data(lists::rpush)),
    write("sadd", -3, KEY, Data(sets::sadd)),
    read("scan", -2, Route::Cursor, Data(scan::scan)),
    read("scard", 2, KEY, Data(sets::scard)),
    read("select", 2, Route::Nowhere, C(Connection::Select)),
    write("set", -3, KEY, Data(strings::set)),
    write("setnx", 3, KEY, Data(strings::setnx)),
    read("sismember", 3, KEY, Data(sets::sismember)),
    read("smembers", 2, KEY, Data(sets::smembers)),
    write("sort", -2, Route::Alone, Job(sort::sort)),
    write("spop", -2, KEY, Data(sets::spop)),
    write("srem", -3, KEY, Data(sets::srem)),
    read("strlen", 2, KEY, Data(strings::strlen)),
    read("ttl", 2, KEY, Data(keys::ttl)),
    read("type", 2, KEY, Data(keys::type_of)),
    write("zadd", -4, KEY, Data(sorted_sets::zadd)),
    read("zcard", 2, KEY, Data(sorted_sets::zcard)),
    write("zpopmin", -2, KEY, Data(sorted_sets::zpopmin)),
    read("zrange", -4, KEY, Data(sorted_range::zrange)),
];

/// One key's share of an MGET over several shards. No client can name it.
pub static MGET_ONE: Command = read("", 2, KEY, Data(strings::mget_one));

/// The command of that name, whatever its case.
///
/// ```
/// let command = henge_kv::commands::find(b"Get").unwrap();
/// assert_eq!((command.name, command.arity), ("get", 2));
/// assert!(henge_kv::commands::find(b"GETT").is_none());
/// ```
pub fn find(name: &[u8]) -> Option<&'static Command> {
    let packed = pack(name)?;
    let mut at = place(packed);
    loop {
        let (taken, index) = INDEX[at];
        if taken == packed {
            return Some(&COMMANDS[usize::from(index)]);
        }
        if taken == 0 {
            return None;
        }
        at = (at + 1) % INDEX_SIZE;
    }
}

/// A power of two, four times as many as there are commands: most names are found at first look.
const INDEX_SIZE: usize = 256;

/// Names, packed, with their index in `COMMANDS`, at or behind the place that their bits give.
static INDEX: LazyLock<Box<[(u128, u8); INDEX_SIZE]>> = LazyLock::new(|| {
    let mut index = Box::new([(0, 0); INDEX_SIZE]);
    for (number, command) in COMMANDS.iter().enumerate() {
        let packed = pack(command.name.as_bytes()).expect("names are short");
        let mut at = place(packed);
        while index[at].0 != 0 {
            at = (at + 1) % INDEX_SIZE;
        }
        index[at] = (packed, number as u8);
    }
    index
});

fn place(packed: u128) -> usize {
    let folded = (packed as u64 ^ (packed >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (folded >> 56) as usize
}

/// A name of up to sixteen bytes in lower case as one number, so that it is compared in one step.
fn pack(name: &[u8]) -> Option<u128> {
    let mut bytes = [0; 16];
    bytes.get_mut(..name.len())?.copy_from_slice(name);
    bytes.make_ascii_lowercase();
    Some(u128::from_le_bytes(bytes))
}
