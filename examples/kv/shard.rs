//! One shard: its part of the data, its connections, and the tasks that keep it going.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use henge::net::TcpListener;

use crate::alarm::Alarm;
use crate::connection;
use crate::info::unix_millis;
use crate::pipeline::Pipeline;
use crate::router::{Mailbox, Router};
use crate::server::{Counters, Server};
use crate::store::{Part, Store};

/// How many keys one sweep removes before others get their turn.
const SWEEP: usize = 256;
/// How many idle pipelines are kept for the next connections that have something to do.
const SPARE_PIPELINES: usize = 256;

/// What the tasks of one shard share. They are never on two threads, so cells do.
#[derive(Debug)]
pub struct Shard {
    part: Part,
    server: Arc<Server>,
    store: RefCell<Store>,
    router: Router,
    #[expect(clippy::vec_box, reason = "a box is what moves between here and the connections")]
    spare: RefCell<Vec<Box<Pipeline>>>,
    /// Wakes the sweeper.
    alarm: Alarm,
}

impl Shard {
    /// The shard that holds `part`.
    pub fn new(part: Part, server: Arc<Server>, mailboxes: Arc<[Mailbox]>) -> Shard {
        Shard {
            part,
            server,
            store: RefCell::new(Store::new(part, unix_millis)),
            router: Router::new(part.index, mailboxes),
            spare: RefCell::default(),
            alarm: Alarm::default(),
        }
    }

    /// Serves the connections that `listener` accepts, for ever.
    ///
    /// # Errors
    ///
    /// None as yet: an accept that fails is told of and tried again.
    pub async fn serve(self: Rc<Self>, listener: TcpListener) -> io::Result<()> {
        let carrier = Rc::clone(&self);
        henge::spawn(async move {
            let run = |batch: &mut crate::batch::Batch| {
                let ran = carrier.with_store(batch.db, |store| batch.execute(store));
                Counters::add(&carrier.counters().batches, 1);
                Counters::add(&carrier.counters().foreign, ran as u64);
            };
            carrier.router.carry(run).await;
        });
        henge::spawn(Rc::clone(&self).sweep());
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    henge::spawn(connection::serve(Rc::clone(&self), stream, peer));
                }
                // Out of descriptors, or the peer has gone again: the next one may do better.
                Err(error) => eprintln!("kv: cannot accept a connection: {error}"),
            }
        }
    }

    /// The server that it is part of.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// What it counts.
    pub fn counters(&self) -> &Counters {
        &self.server.shards()[self.part.index]
    }

    /// The way to the other shards.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Lets `work` at the store, whose database `db` it may change.
    pub fn with_store<T>(&self, db: usize, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.store.borrow_mut();
        let result = work(&mut store);
        self.counters().measure(&mut store, db);
        if let Some(at) = store.db(db).next_expiry() {
            self.alarm.sooner(at);
        }
        result
    }

    /// A pipeline, used before if possible: its buffers are warm.
    pub fn pipeline(&self) -> Box<Pipeline> {
        let spare = self.spare.borrow_mut().pop();
        spare.unwrap_or_else(|| Box::new(Pipeline::new(self.part)))
    }

    /// Takes back a pipeline whose pass is finished.
    pub fn recycle(&self, mut pipeline: Box<Pipeline>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE_PIPELINES {
            pipeline.shrink();
            spare.push(pipeline);
        }
    }

    /// Removes keys when their time comes, looked at or not.
    async fn sweep(self: Rc<Self>) {
        loop {
            let next = self.store.borrow().next_expiry();
            self.alarm.ring(next, unix_millis()).await;
            self.expire();
            henge::task::yield_now().await;
        }
    }

    /// Removes keys whose time has come, a few at a time.
    fn expire(&self) {
        let mut store = self.store.borrow_mut();
        let removed = store.expire(SWEEP);
        Counters::add(&self.counters().expired, removed as u64);
        for db in 0..store.databases().len() {
            self.counters().measure(&mut store, db);
        }
    }
}
