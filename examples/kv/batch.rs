//! Commands of one connection for one shard, and their replies.

use crate::commands::Command;
use crate::jobs::Job;
use crate::requests::Requests;
use crate::resp::{Args, Mark, Reply};
use crate::store::Store;

/// Some commands of one connection that concern one shard, and what that shard answered.
///
/// A batch is used again for the next commands, so that after the first few a connection allocates
/// nothing.
#[derive(Debug, Default)]
pub struct Batch {
    /// The database that the connection has selected.
    pub db: usize,
    /// The replies of the commands run, one behind the other.
    pub reply: Reply,
    /// Where each of the replies ends.
    ends: Vec<Mark>,
    /// How many of the replies have been taken.
    taken: usize,
    /// The commands, copied: the connection's buffer stays where it is.
    requests: Requests,
    /// How many of the commands have run.
    run: usize,
}

impl Batch {
    /// Adds a command.
    pub fn push<'a>(
        &mut self,
        command: &'static Command,
        words: impl IntoIterator<Item = &'a [u8]>,
    ) {
        self.requests.push(command, words);
    }

    /// The commands.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Whether there are commands that have not run.
    pub fn has_commands(&self) -> bool {
        self.run < self.requests.len()
    }

    /// Whether it has to go to its shard before the connection can go on.
    pub fn is_waiting(&self) -> bool {
        self.has_commands() && self.replies() == 0
    }

    /// Whether nothing more should be added before this has been answered.
    pub fn is_full(&self) -> bool {
        const WORDS: usize = 64 << 10;
        self.requests.bytes() >= WORDS || self.reply.is_full()
    }

    /// Runs commands until there are no more, or the replies so far are enough to be sent first, or
    /// one of them is a job: when that is done [`end_with`](Batch::end_with) takes its reply.
    #[must_use = "a job has to be done"]
    pub fn execute(&mut self, store: &mut Store) -> Option<Job> {
        /// So many commands' keys are looked up together.
        const TOGETHER: usize = 16;
        while self.has_commands() && !self.reply.is_full() {
            if self.run.is_multiple_of(TOGETHER) {
                let end = self.requests.len().min(self.run + TOGETHER);
                store.db(self.db).expect(self.requests.keys(self.run..end));
            }
            let (command, args) = self.requests.get(self.run);
            let job = command.run(store, self.db, args, &mut self.reply);
            self.run += 1;
            if job.is_some() {
                return job;
            }
            self.end_reply();
        }
        None
    }

    /// Adds the reply to the command that was a job.
    pub fn end_with(&mut self, reply: &Reply, from: Mark, to: Mark) {
        self.reply.append(reply, from, to);
        self.end_reply();
    }

    /// Adds the replies to the next commands, which were run elsewhere: what stands in `reply` from
    /// a mark on, each reply up to one of the `ends`.
    pub fn take_over(&mut self, reply: &Reply, from: Mark, ends: &[Mark]) {
        let Some(&to) = ends.last() else { return };
        let here = self.reply.mark();
        self.reply.append(reply, from, to);
        self.ends.extend(ends.iter().map(|end| end.moved(from, here)));
        self.run += ends.len();
    }

    /// Runs one command on the spot, its words where they are.
    pub fn execute_now(&mut self, command: &Command, args: Args<'_>, store: &mut Store) {
        let job = command.run(store, self.db, args, &mut self.reply);
        debug_assert!(job.is_none(), "jobs are not done on the spot");
        self.end_reply();
    }

    /// How many commands have run since it was empty.
    pub fn ran(&self) -> usize {
        self.run
    }

    /// What has been encoded to `reply` since the last end is one reply.
    pub fn end_reply(&mut self) {
        self.ends.push(self.reply.mark());
    }

    /// How many replies are here that have not been taken.
    pub fn replies(&self) -> usize {
        self.ends.len() - self.taken
    }

    /// Takes up to `count` replies: from where to where they reach.
    pub fn take(&mut self, count: usize) -> (Mark, Mark) {
        let start = self.boundary(self.taken);
        self.taken += count.min(self.replies());
        (start, self.boundary(self.taken))
    }

    /// Makes room for more replies, once all have been taken; forgets the commands, once all have
    /// run.
    pub fn recycle(&mut self) {
        self.reply.clear();
        self.ends.clear();
        self.taken = 0;
        if !self.has_commands() {
            self.requests.clear();
            self.run = 0;
        }
    }

    /// Gives back the memory that large commands and replies took.
    pub fn shrink(&mut self) {
        self.requests.shrink();
        self.reply.shrink(16 << 10);
    }

    fn boundary(&self, index: usize) -> Mark {
        if index == 0 { Mark::default() } else { self.ends[index - 1] }
    }
}
