//! One shard: its part of the data, its connections, and the tasks that keep it going.

use std::cell::{OnceCell, RefCell};
use std::future::pending;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use henge::mesh::Sharded;
use henge::net::{TcpListener, UnixListener, UnixStream};
use henge::shard::ShardId;

use crate::alarm::Alarm;
use crate::aof::load::load;
use crate::aof::log::{Increment, Log};
use crate::batch::Batch;
use crate::connection;
use crate::courier::Courier;
use crate::info::unix_millis;
use crate::jobs::{Done, Job};
use crate::load::Load;
use crate::notice::notice;
use crate::pipeline::Pipeline;
use crate::resp::Mark;
use crate::server::{Counters, Server};
use crate::session::Peer;
use crate::store::{DATABASES, Part, Store};

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
    #[expect(clippy::vec_box, reason = "a box is what moves between here and the connections")]
    spare: RefCell<Vec<Box<Pipeline>>>,
    /// The way to each shard.
    couriers: Box<[Rc<Courier>]>,
    /// Wakes the sweeper.
    alarm: Alarm,
    /// Writes down what changes, if anything does.
    log: OnceCell<Rc<Log>>,
    /// The file that the log goes on with.
    increment: RefCell<Option<Increment>>,
}

impl Shard {
    /// The shard that holds `part`, with nothing in it.
    pub fn new(part: Part, server: Arc<Server>) -> Shard {
        Shard {
            part,
            server,
            store: RefCell::new(Store::new(part, unix_millis)),
            spare: RefCell::default(),
            couriers: (0..part.of).map(|to| Rc::new(Courier::new(to))).collect(),
            alarm: Alarm::default(),
            log: OnceCell::new(),
            increment: RefCell::default(),
        }
    }

    /// Takes over what the files say that it held. All shards do so at the same time, and before
    /// one of them serves: what a connection sends to another shard must find the data there.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written, or is damaged elsewhere than at its end.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the files hold the same data.
    pub async fn load(&self) -> io::Result<()> {
        let Some((fsync, folder)) = &self.server.files else { return Ok(()) };
        let loaded = load(folder, self.part, unix_millis, &self.server.starting).await?;
        self.store.replace(loaded.store);
        self.log.get_or_init(|| {
            Rc::new(Log::new(*fsync, folder.clone(), loaded.epoch, self.part.index))
        });
        for db in 0..DATABASES {
            self.counters().measure(&mut self.store.borrow_mut(), db);
        }
        self.increment.replace(Some(loaded.increment));
        Ok(())
    }

    /// Serves the connections that the listeners accept, until the server is to stop; then what
    /// changed is on the disk.
    ///
    /// # Errors
    ///
    /// If the log cannot be written any more. An accept that fails is told of and tried again.
    ///
    /// # Cancel safety
    ///
    /// Dropped, connections that were accepted are served on.
    pub async fn serve(
        self: Rc<Self>,
        shards: Sharded<Shard>,
        tcp: TcpListener,
        unix: Option<UnixListener>,
    ) -> io::Result<()> {
        henge::spawn(Rc::clone(&self).sweep());
        let writer = Rc::clone(&self);
        let mut writing = pin!(async move {
            match (writer.log.get(), writer.increment.take()) {
                (Some(log), Some(increment)) => log.write(&writer.store, increment).await,
                _ => pending().await,
            }
        });
        loop {
            henge::select! {
                accepted = tcp.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let peer = Peer::Tcp(peer);
                        let shards = shards.clone();
                        henge::spawn(connection::serve(Rc::clone(&self), shards, stream, peer));
                    }
                    // Out of descriptors, or the peer has gone again: the next one may do better.
                    Err(error) => notice(format_args!("cannot accept a connection: {error}")),
                },
                accepted = accept(unix.as_ref()) => match accepted {
                    Ok(stream) => {
                        let (here, shards) = (Rc::clone(&self), shards.clone());
                        henge::spawn(connection::serve(here, shards, stream, Peer::Unix));
                    }
                    Err(error) => notice(format_args!("cannot accept a connection: {error}")),
                },
                wrote = &mut writing => return wrote,
                () = self.server.stop.cancelled() => break,
            }
        }
        let Some(log) = self.log.get() else { return Ok(()) };
        log.close();
        writing.await
    }

    /// Runs the commands of a connection of shard `from`; their replies are in the batch when they
    /// may leave.
    ///
    /// # Cancel safety
    ///
    /// Dropped, what has begun is done, but for jobs.
    pub async fn work_at(
        &self,
        mut batch: Box<Batch>,
        from: usize,
        shards: &Sharded<Shard>,
    ) -> Box<Batch> {
        let before = batch.ran();
        while let Some(job) = self.with_store(batch.db, |store| batch.execute(store)) {
            self.finish(job, &mut batch, shards).await;
        }
        if from != self.part.index {
            self.count_foreign(batch.ran() - before);
        }
        self.settle().await;
        batch
    }

    /// Runs the commands of a connection of another shard, where none of them takes long and
    /// nothing has to be waited for.
    pub(crate) fn work_now(&self, mut batch: Box<Batch>) -> Box<Batch> {
        let before = batch.ran();
        let job = self.with_store(batch.db, |store| batch.execute(store));
        debug_assert!(job.is_none(), "a batch with a job in it has a task");
        self.count_foreign(batch.ran() - before);
        batch
    }

    /// The same for several connections.
    pub(crate) fn work_off(&self, load: &mut Load) {
        for section in 0..load.sections() {
            self.with_store(load.db(section), |store| load.execute(section, store));
        }
        self.count_foreign(load.ran());
    }

    fn count_foreign(&self, commands: usize) {
        Counters::add(&self.counters().batches, 1);
        Counters::add(&self.counters().foreign, commands as u64);
    }

    /// Does what is left of a command, and puts the reply into the batch.
    async fn finish(&self, job: Job, batch: &mut Batch, shards: &Sharded<Shard>) {
        let failed = match job.run(self.server.pieces).await {
            Ok(Done::Reply(reply)) => {
                return batch.end_with(&reply, Mark::default(), reply.mark());
            }
            Ok(Done::Then(key, mut then)) => {
                then.db = batch.db;
                let shards = shards.clone();
                let owner = ShardId::new(self.part.owner(&key));
                match owner.call(move || async move { shards.local().store(then).await }).await {
                    Ok(mut stored) => {
                        stored.take(stored.replies() - 1);
                        let (from, to) = stored.take(1);
                        return batch.end_with(&stored.reply, from, to);
                    }
                    Err(error) => error.to_string(),
                }
            }
            Err(error) => error.to_string(),
        };
        batch.reply.error(format!("ERR {failed}").as_bytes());
        batch.end_reply();
    }

    /// Runs what a job of some shard's changes here; it is none itself.
    async fn store(&self, mut batch: Box<Batch>) -> Box<Batch> {
        let job = self.with_store(batch.db, |store| batch.execute(store));
        debug_assert!(job.is_none(), "a job ends with commands that are none");
        self.settle().await;
        batch
    }

    /// Waits until what was done so far may be answered.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it is as if it had not been called.
    pub async fn settle(&self) {
        if let Some(log) = self.log.get() {
            log.settle(self.journal_end()).await;
        }
    }

    /// Whether changes are written down.
    pub(crate) fn keeps_log(&self) -> bool {
        self.log.get().is_some()
    }

    /// What has to be written before what was done so far is answered.
    fn journal_end(&self) -> u64 {
        self.store.borrow_mut().journal().map_or(0, |journal| journal.end())
    }

    fn wake_log(&self, store: &mut Store) {
        if let Some(log) = self.log.get()
            && store.journal().is_some_and(|journal| journal.has_work())
        {
            log.wake();
        }
    }

    /// The way to another shard.
    pub(crate) fn courier(&self, to: usize) -> &Rc<Courier> {
        &self.couriers[to]
    }

    /// The server that it is part of.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// What it counts.
    pub fn counters(&self) -> &Counters {
        &self.server.shards()[self.part.index]
    }

    /// Lets `work` at the store, whose database `db` it may change.
    pub fn with_store<T>(&self, db: usize, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.store.borrow_mut();
        let result = work(&mut store);
        self.counters().measure(&mut store, db);
        self.wake_log(&mut store);
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
        self.wake_log(&mut store);
    }
}

/// The next connection by the socket file; none ever if there is no such file.
async fn accept(listener: Option<&UnixListener>) -> io::Result<UnixStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => pending().await,
    }
}
