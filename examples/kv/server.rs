//! What all shards know of each other: counters that each writes for itself and anybody may read.

use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use henge::sync::{Barrier, CancellationToken};

use crate::aof::Fsync;
use crate::aof::files::Folder;
use crate::jobs::Pieces;
use crate::store::{DATABASES, Store};

/// The version of Redis whose answers these are.
pub const VERSION: &str = "7.0.15";

/// The server as a whole.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// When it started, in milliseconds since 1970.
    pub started: u64,
    /// The socket file that it listens on as well.
    pub unix: Option<UnixListener>,
    /// Where what changes is written down, if it is.
    pub files: Option<(Fsync, Folder)>,
    /// Who does what takes long.
    pub pieces: Pieces,
    /// Where the shards wait for each other as they start.
    pub starting: Barrier,
    /// Told when it is to end.
    pub stop: CancellationToken,
    shards: Box<[Counters]>,
    clients: AtomicU64,
}

/// One shard's counters, on cache lines of their own.
///
/// Only the shard itself writes them: a load and a store, and no atomic addition.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    /// Connections open now.
    pub clients: AtomicU64,
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Commands read from clients.
    pub commands: AtomicU64,
    /// Commands run for clients of other shards.
    pub foreign: AtomicU64,
    /// Batches of commands that other shards sent.
    pub batches: AtomicU64,
    /// Keys that expired.
    pub expired: AtomicU64,
    /// Keys, and how many of them have a deadline, by database.
    pub keys: [(AtomicU64, AtomicU64); DATABASES],
}

impl Server {
    /// A server of `shards` shards.
    pub fn new(address: SocketAddr, shards: usize, started: u64) -> Server {
        let shards: Box<[Counters]> = (0..shards).map(|_| Counters::default()).collect();
        Server {
            address,
            started,
            unix: None,
            files: None,
            pieces: Pieces::Here,
            starting: Barrier::new(shards.len()),
            stop: CancellationToken::new(),
            shards,
            clients: AtomicU64::new(1),
        }
    }

    /// Every shard's counters.
    pub fn shards(&self) -> &[Counters] {
        &self.shards
    }

    /// The number of the next client.
    pub fn next_client(&self) -> u64 {
        self.clients.fetch_add(1, Relaxed)
    }
}

impl Counters {
    /// Adds to one of the counters; for the shard that owns them.
    pub fn add(counter: &AtomicU64, by: u64) {
        counter.store(counter.load(Relaxed) + by, Relaxed);
    }

    /// Takes one from a counter; for the shard that owns them.
    pub fn subtract_one(counter: &AtomicU64) {
        counter.store(counter.load(Relaxed) - 1, Relaxed);
    }

    /// Writes down how large database `index` is.
    pub fn measure(&self, store: &mut Store, index: usize) {
        let db = store.db(index);
        let (keys, expiring) = &self.keys[index];
        keys.store(db.len() as u64, Relaxed);
        expiring.store(db.expiring() as u64, Relaxed);
    }
}
