//! INFO: the server's state as text, shard by shard.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use henge::runtime::Handle;

use crate::resp::Args;
use crate::server::{Counters, Server, VERSION};
use crate::store::DATABASES;

type Section = fn(&Server, &mut String);

const SECTIONS: &[(&str, Section)] = &[
    ("Server", server),
    ("Clients", clients),
    ("Stats", stats),
    ("Replication", replication),
    ("Shards", shards),
    ("Keyspace", keyspace),
];

/// The sections that `args` names, or all.
pub(crate) fn report(about: &Server, args: Args<'_>) -> String {
    let all = args.len() == 1
        || args.from(1).any(|word| {
            [&b"all"[..], b"default", b"everything"]
                .iter()
                .any(|name| word.eq_ignore_ascii_case(name))
        });
    let mut text = String::new();
    for (title, section) in SECTIONS {
        if all || args.from(1).any(|word| word.eq_ignore_ascii_case(title.as_bytes())) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            line(&mut text, format_args!("# {title}"));
            section(about, &mut text);
        }
    }
    text
}

/// Milliseconds since 1970.
pub fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as u64
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _always_ok = text.write_fmt(content);
    text.push_str("\r\n");
}

fn server(about: &Server, text: &mut String) {
    let uptime = unix_millis().saturating_sub(about.started) / 1000;
    line(text, format_args!("redis_version:{VERSION}"));
    line(text, format_args!("henge_kv_version:{}", env!("CARGO_PKG_VERSION")));
    line(text, format_args!("redis_mode:standalone"));
    line(text, format_args!("process_id:{}", std::process::id()));
    line(text, format_args!("tcp_port:{}", about.address.port()));
    line(text, format_args!("uptime_in_seconds:{uptime}"));
    line(text, format_args!("shards:{}", about.shards().len()));
}

fn clients(about: &Server, text: &mut String) {
    line(text, format_args!("connected_clients:{}", sum(about, |shard| &shard.clients)));
}

fn stats(about: &Server, text: &mut String) {
    let accepted = sum(about, |shard| &shard.accepted);
    let commands = sum(about, |shard| &shard.commands);
    let expired = sum(about, |shard| &shard.expired);
    line(text, format_args!("total_connections_received:{accepted}"));
    line(text, format_args!("total_commands_processed:{commands}"));
    line(text, format_args!("expired_keys:{expired}"));
}

fn replication(_about: &Server, text: &mut String) {
    line(text, format_args!("role:master"));
    line(text, format_args!("connected_slaves:0"));
}

fn shards(about: &Server, text: &mut String) {
    // There is no runtime where the commands are tested alone.
    let runtime = Handle::try_current().ok().map(|handle| handle.metrics());
    for (index, shard) in about.shards().iter().enumerate() {
        let keys: u64 = shard.keys.iter().map(|(keys, _)| keys.load(Relaxed)).sum();
        let mut fields = vec![
            ("clients", shard.clients.load(Relaxed)),
            ("commands", shard.commands.load(Relaxed)),
            ("foreign_commands", shard.foreign.load(Relaxed)),
            ("foreign_batches", shard.batches.load(Relaxed)),
            ("keys", keys),
            ("expired", shard.expired.load(Relaxed)),
        ];
        if let Some(metrics) = &runtime {
            let shard = metrics.shard(index);
            fields.extend([
                ("turns", shard.turns()),
                ("polls", shard.polls()),
                ("enters", shard.enters()),
                ("completions", shard.completions()),
                ("parks", shard.parks()),
                ("batch_waits", shard.batch_waits()),
                ("timers", shard.timers() as u64),
                ("wakes_sent", shard.wakes_sent()),
                ("wakes_saved", shard.wakes_saved()),
                ("buffer_bytes", shard.buffer_bytes() as u64),
                ("stolen", shard.steals()),
            ]);
        }
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        line(text, format_args!("shard{index}:{}", fields.join(",")));
    }
}

fn keyspace(about: &Server, text: &mut String) {
    for db in 0..DATABASES {
        let keys = sum(about, |shard| &shard.keys[db].0);
        let expires = sum(about, |shard| &shard.keys[db].1);
        if keys > 0 {
            line(text, format_args!("db{db}:keys={keys},expires={expires},avg_ttl=0"));
        }
    }
}

fn sum(about: &Server, counter: impl Fn(&Counters) -> &AtomicU64) -> u64 {
    about.shards().iter().map(|shard| counter(shard).load(Relaxed)).sum()
}
