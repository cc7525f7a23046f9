//! A pass over a connection's pipeline: commands go to the shards that own their keys, replies come
//! back in the order of the commands.
//!
//! ```text
//!   bytes ──plan──▶ one batch a shard ──execute, here or there──▶ replies ──merge──▶ one reply
//!                   and the order ───────────────────────────────────────────────▶
//! ```
//!
//! `plan` reads as many commands as have come. Those for this shard run at once, unless they take
//! long; the others are gathered, so that a shard gets one message however many commands are for
//! it. `merge` puts the replies in order. A pass ends before the next one starts: what a connection
//! does to a key happens in the order in which it asked. A command over several shards happens on
//! each of them in that order too, though not at one instant.
//!
//! Neither side gathers replies without bound: when there are enough to be sent, commands wait.

use std::mem;

use crate::batch::Batch;
use crate::commands::{self, Action, Command, MGET_ONE, Merge, Route};
use crate::merging::Merging;
use crate::resp::{Args, ParseError, Parser, Reply, Status};
use crate::session::Session;
use crate::store::{Cursor, Error, Part, Store};

/// Where the next reply comes from.
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// The next reply of this shard, as it is.
    Reply(u32),
    /// The next `parts` slots make one reply.
    Merge(Merge, u32),
}

/// What ended a [`Pipeline::plan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planned {
    /// The next command is not all there.
    Incomplete,
    /// There is enough to do for one pass.
    Enough,
}

/// The state of one pass. It is large, and only a connection that has something to do has one.
#[derive(Debug)]
pub struct Pipeline {
    part: Part,
    /// One batch a shard, this one's own included; elsewhere while its shard works on it.
    batches: Vec<Option<Box<Batch>>>,
    order: Vec<Slot>,
    /// How much of `order` has been merged.
    merged: usize,
    merging: Option<Merging>,
    out: Reply,
}

impl Pipeline {
    /// For a connection of the shard that holds `part`.
    pub fn new(part: Part) -> Pipeline {
        Pipeline {
            part,
            batches: (0..part.of).map(|_| Some(Box::default())).collect(),
            order: Vec::new(),
            merged: 0,
            merging: None,
            out: Reply::default(),
        }
    }

    /// Reads commands off the front of `input`, runs those for this shard, and gathers the others.
    ///
    /// # Errors
    ///
    /// [`ParseError`], its reply already in line: the connection ends once that is sent.
    pub fn plan(
        &mut self,
        input: &mut &[u8],
        parser: &mut Parser,
        session: &mut Session,
        store: &mut Store,
    ) -> Result<Planned, ParseError> {
        /// A pass is a few thousand commands at most, so that other connections get their turn.
        const COMMANDS: usize = 4096;
        for batch in self.batches.iter_mut().flatten() {
            batch.db = session.db;
            batch.reply.protocol = session.protocol;
            batch.reply.lazy = session.is_lazy();
        }
        while self.order.len() < COMMANDS && !session.closing {
            let consumed = match parser.parse(input) {
                Ok(Status::Incomplete) => return Ok(Planned::Incomplete),
                Ok(Status::Nothing { consumed }) => {
                    *input = &input[consumed..];
                    continue;
                }
                Ok(Status::Command { consumed }) => consumed,
                Err(error) => {
                    session.closing = true;
                    self.refuse(&Error(format!("ERR {error}").into()));
                    return Err(error);
                }
            };
            let args = parser.args(input);
            let command = commands::find(args.at(0));
            let is_alone = command.is_some_and(|command| command.route == Route::Alone);
            if is_alone && !self.order.is_empty() {
                // It is parsed again, at the start of the next pass.
                break;
            }
            let pass_ends = self.place(command, args, session, store) || is_alone;
            *input = &input[consumed..];
            if pass_ends || self.batches.iter().flatten().any(|b| b.is_full()) {
                break;
            }
        }
        Ok(Planned::Enough)
    }

    /// Gives one command to its shard; whether the pass has to end with it.
    fn place(
        &mut self,
        command: Option<&'static Command>,
        args: Args<'_>,
        session: &mut Session,
        store: &mut Store,
    ) -> bool {
        session.commands += 1;
        let Some(command) = command else {
            // A web page made a browser send this: hang up before its body is taken for commands.
            if [&b"post"[..], b"host:"].iter().any(|name| args.at(0).eq_ignore_ascii_case(name)) {
                session.closing = true;
                return true;
            }
            self.refuse(&commands::unknown(args));
            return false;
        };
        if !command.takes(args.len()) {
            self.refuse(&Error::arity(command.name));
            return false;
        }
        match command.route {
            Route::Key | Route::Alone => self.send_to(self.owner(args.at(1)), command, args, store),
            Route::Keys { step, merge } => {
                self.by_keys(command, args, step.get(), merge, store);
            }
            Route::Every(merge) => self.send_to_every(command, args, merge, store),
            Route::Cursor => {
                let shard = Cursor::parse(args.at(1)).map_or(0, |cursor| cursor.shard);
                self.send_to(shard.min(self.part.of - 1), command, args, store);
            }
            Route::Nowhere => {
                let Action::Connection(action) = command.action else { return false };
                let own = self.own();
                if let Err(error) = session.run(action, args, &mut own.reply) {
                    own.reply.error(error.0.as_bytes());
                }
                own.end_reply();
                self.order.push(Slot::Reply(self.part.index as u32));
                return action.changes_session();
            }
        }
        // What did not fit into the reply, or is a job, is to run before anything else here does.
        self.own().has_commands()
    }

    fn send_to(
        &mut self,
        shard: usize,
        command: &'static Command,
        args: Args<'_>,
        store: &mut Store,
    ) {
        let is_job = matches!(command.action, Action::Job(_));
        if shard == self.part.index && !is_job {
            self.own().execute_now(command, args, store);
        } else {
            self.batch(shard).push(command, args.from(0));
        }
        self.order.push(Slot::Reply(shard as u32));
    }

    fn send_to_every(
        &mut self,
        command: &'static Command,
        args: Args<'_>,
        merge: Merge,
        store: &mut Store,
    ) {
        self.order.push(Slot::Merge(merge, self.part.of as u32));
        for shard in 0..self.part.of {
            self.send_to(shard, command, args, store);
        }
    }

    fn by_keys(
        &mut self,
        command: &'static Command,
        args: Args<'_>,
        step: usize,
        merge: Merge,
        store: &mut Store,
    ) {
        let first = self.owner(args.at(1));
        let together = args.from(1).step_by(step).all(|key| self.owner(key) == first);
        // A command whose last pair is half goes whole too, to be refused.
        if together || !(args.len() - 1).is_multiple_of(step) {
            return self.send_to(first, command, args, store);
        }
        if merge == Merge::Gather {
            let own = self.own();
            own.reply.array(args.len() - 1);
            own.end_reply();
            self.order.push(Slot::Reply(self.part.index as u32));
            for key in args.from(1) {
                let owner = self.owner(key);
                self.batch(owner).push(&MGET_ONE, [args.at(0), key]);
                self.order.push(Slot::Reply(owner as u32));
            }
        } else {
            let place = self.order.len();
            self.order.push(Slot::Merge(merge, 0));
            for shard in 0..self.part.of {
                let groups = (1..args.len()).step_by(step);
                let mut here = groups.filter(|&at| self.owner(args.at(at)) == shard).peekable();
                if here.peek().is_none() {
                    continue;
                }
                let words = here.flat_map(|at| (at..at + step).map(|at| args.at(at)));
                let words: Vec<&[u8]> = [args.at(0)].into_iter().chain(words).collect();
                self.batch(shard).push(command, words);
                self.order.push(Slot::Reply(shard as u32));
            }
            self.order[place] = Slot::Merge(merge, (self.order.len() - place - 1) as u32);
        }
        let job = self.own().execute(store);
        debug_assert!(job.is_none(), "a job is about one key, or all shards");
    }

    /// An error as the next reply.
    fn refuse(&mut self, error: &Error) {
        let own = self.own();
        own.reply.error(error.0.as_bytes());
        own.end_reply();
        self.order.push(Slot::Reply(self.part.index as u32));
    }

    /// Whether shards have to work on a batch before the pass can go on.
    pub fn has_outgoing(&self) -> bool {
        self.batches.iter().flatten().any(|batch| batch.is_waiting())
    }

    /// Takes the batches that shards have to work on. This one may be among them: what takes long,
    /// or did not fit into the reply, was not run as the pass was planned.
    pub fn outgoing(&mut self) -> impl Iterator<Item = (usize, Box<Batch>)> {
        let batches = self.batches.iter_mut().enumerate();
        batches.filter_map(|(shard, batch)| {
            batch.take_if(|batch| batch.is_waiting()).map(|batch| (shard, batch))
        })
    }

    /// Puts back a batch that its shard has worked on.
    pub fn returned(&mut self, shard: usize, batch: Box<Batch>) {
        self.batches[shard] = Some(batch);
    }

    /// Puts replies in order, until there are enough to be sent or one is missing. The reply to
    /// send; the caller clears it.
    pub fn merge(&mut self) -> &mut Reply {
        // One shard answered everything: its replies are in order already.
        let own = self.batches[self.part.index].as_mut().expect("a shard's own batch stays");
        let untouched = self.merged == 0 && self.out.is_empty();
        if untouched && own.replies() == self.order.len() && !own.has_commands() {
            mem::swap(&mut self.out, &mut own.reply);
            self.merged = self.order.len();
            own.take(self.order.len());
        }
        while let Some(&slot) = self.order.get(self.merged) {
            if self.out.is_full() {
                break;
            }
            match slot {
                Slot::Merge(merge, parts_left) => {
                    self.merging = Some(Merging::new(merge, parts_left));
                    self.merged += 1;
                }
                Slot::Reply(shard) if self.merging.is_some() => {
                    if !self.merge_part(shard as usize) {
                        break;
                    }
                }
                Slot::Reply(shard) => {
                    if !self.take_run(shard) {
                        break;
                    }
                }
            }
        }
        self.recycle();
        &mut self.out
    }

    /// Whether every reply of the pass has been merged.
    pub fn is_done(&self) -> bool {
        self.merged == self.order.len()
    }

    /// Ends the pass.
    ///
    /// # Panics
    ///
    /// When it is not done.
    pub fn finish(&mut self) {
        assert!(self.is_done(), "every command has had its reply");
        self.order.clear();
        self.merged = 0;
    }

    /// Gives back the memory that large commands and replies took.
    pub fn shrink(&mut self) {
        self.out.shrink(16 << 10);
        self.batches.iter_mut().flatten().for_each(|batch| batch.shrink());
    }

    /// Copies the replies of neighbouring slots of one shard; whether there was one.
    fn take_run(&mut self, shard: u32) -> bool {
        let Some(batch) = &mut self.batches[shard as usize] else { return false };
        let run = self.order[self.merged..]
            .iter()
            .take(batch.replies())
            .take_while(|slot| matches!(slot, Slot::Reply(other) if *other == shard))
            .count();
        let (from, to) = batch.take(run);
        self.out.append(&batch.reply, from, to);
        self.merged += run;
        run > 0
    }

    /// Adds one part to the reply that is becoming one; whether the part was there.
    fn merge_part(&mut self, shard: usize) -> bool {
        let (Some(merging), Some(batch)) = (&mut self.merging, &mut self.batches[shard]) else {
            return false;
        };
        if batch.replies() == 0 {
            return false;
        }
        let (from, to) = batch.take(1);
        merging.add(batch.reply.slice(from, to));
        self.merged += 1;
        if merging.is_whole() {
            merging.finish(&mut self.out);
            self.merging = None;
        }
        true
    }

    /// Makes room in the batches whose replies are all taken.
    fn recycle(&mut self) {
        for batch in self.batches.iter_mut().flatten() {
            if batch.replies() == 0 {
                batch.recycle();
            }
        }
    }

    fn own(&mut self) -> &mut Batch {
        self.batch(self.part.index)
    }

    fn batch(&mut self, shard: usize) -> &mut Batch {
        self.batches[shard].as_mut().expect("no batch is away while a pass is planned")
    }

    /// The shard that owns `key`.
    fn owner(&self, key: &[u8]) -> usize {
        self.part.owner(key)
    }
}
