//! Commands of many connections for one shard, on their way there, and their replies on the way
//! back.

use crate::batch::Batch;
use crate::requests::Requests;
use crate::resp::{Mark, Protocol, Reply};
use crate::store::Store;

/// What several connections of a shard ask of another one: some commands of each.
///
/// What all of them ask stands in the same few buffers. The cost of a way between two cores is in
/// the lines of the cache that go with it, and so these are few.
#[derive(Debug, Default)]
pub(crate) struct Load {
    requests: Requests,
    sections: Vec<Section>,
    reply: Reply,
    /// Where the reply to each command ends that has run.
    ends: Vec<Mark>,
}

/// The commands of one connection.
#[derive(Clone, Copy, Debug)]
struct Section {
    /// One past the last of them.
    end: usize,
    db: usize,
    protocol: Protocol,
    lazy: bool,
}

impl Load {
    /// Adds what is to be run of a batch, as the next section.
    pub(crate) fn add(&mut self, batch: &Batch) {
        self.requests.append(batch.requests(), batch.ran());
        self.sections.push(Section {
            end: self.requests.len(),
            db: batch.db,
            protocol: batch.reply.protocol,
            lazy: batch.reply.lazy,
        });
    }

    /// How many sections there are.
    pub(crate) fn sections(&self) -> usize {
        self.sections.len()
    }

    /// The database that a section is about.
    pub(crate) fn db(&self, section: usize) -> usize {
        self.sections[section].db
    }

    /// Runs the commands of the next section. When the replies so far are enough to be sent first,
    /// what is left is not run, and its connection has to ask again.
    pub(crate) fn execute(&mut self, section: usize, store: &mut Store) {
        let Section { end, db, protocol, lazy } = self.sections[section];
        (self.reply.protocol, self.reply.lazy) = (protocol, lazy);
        while self.ran() < end && !self.reply.is_full() {
            let (command, args) = self.requests.get(self.ran());
            let job = command.run(store, db, args, &mut self.reply);
            debug_assert!(job.is_none(), "a batch with a job in it goes alone");
            self.ends.push(self.reply.mark());
        }
    }

    /// How many commands have run.
    pub(crate) fn ran(&self) -> usize {
        self.ends.len()
    }

    /// Gives a section's replies to its batch.
    pub(crate) fn hand_out(&self, section: usize, batch: &mut Batch) {
        let begin = if section == 0 { 0 } else { self.sections[section - 1].end };
        let (begin, end) = (begin.min(self.ran()), self.sections[section].end.min(self.ran()));
        let from = if begin == 0 { Mark::default() } else { self.ends[begin - 1] };
        batch.take_over(&self.reply, from, &self.ends[begin..end]);
    }

    /// Forgets everything, and gives back the memory that large replies took.
    pub(crate) fn clear(&mut self) {
        self.requests.clear();
        self.requests.shrink();
        self.sections.clear();
        self.ends.clear();
        self.reply.clear();
        self.reply.shrink(64 << 10);
    }
}

#[cfg(test)]
mod tests {
    use super::Load;
    use crate::batch::Batch;
    use crate::commands::find;
    use crate::resp::{Piece, Protocol};
    use crate::store::{Part, Store};

    fn store() -> Store {
        Store::new(Part { index: 0, of: 1 }, || 1_000)
    }

    fn push(batch: &mut Batch, line: &str) {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        batch.push(find(words[0]).expect("a command"), words);
    }

    /// Sends the batches there and back.
    fn carry(store: &mut Store, batches: &mut [Batch]) {
        let mut load = Load::default();
        batches.iter().for_each(|batch| load.add(batch));
        for section in 0..load.sections() {
            load.execute(section, store);
        }
        for (section, batch) in batches.iter_mut().enumerate() {
            load.hand_out(section, batch);
        }
    }

    fn text(batch: &Batch) -> String {
        let mut bytes = Vec::new();
        for piece in batch.reply.pieces() {
            let Piece::Bytes(held) = piece else { panic!("a collection that is short") };
            bytes.extend_from_slice(held);
        }
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn each_section_is_run_as_its_connection_wants_and_answered_to_it() {
        let mut store = store();
        let mut batches = [Batch::default(), Batch::default(), Batch::default()];
        push(&mut batches[0], "set k one");
        push(&mut batches[0], "get k");
        batches[1].reply.protocol = Protocol::V3;
        push(&mut batches[1], "get missing");
        batches[2].db = 1;
        push(&mut batches[2], "get k");
        carry(&mut store, &mut batches);
        assert_eq!(text(&batches[0]), "+OK\r\n$3\r\none\r\n");
        assert_eq!(text(&batches[1]), "_\r\n");
        assert_eq!(text(&batches[2]), "$-1\r\n");
        assert_eq!(batches.each_ref().map(Batch::replies), [2, 1, 1]);
        assert!(!batches.iter().any(Batch::has_commands));
    }

    #[test]
    fn replies_that_take_too_much_room_leave_the_rest_to_be_asked_again() {
        let mut store = store();
        let value = "v".repeat(10 << 10);
        let mut batches = [Batch::default(), Batch::default()];
        push(&mut batches[0], &format!("set k {value}"));
        for _ in 0..9 {
            push(&mut batches[0], "get k");
        }
        push(&mut batches[1], "strlen k");
        let mut replies = 0;
        while batches.iter().any(Batch::has_commands) {
            carry(&mut store, &mut batches);
            let answered = batches[0].replies();
            assert!(answered > 0 || !batches[0].has_commands(), "each round brings something");
            assert!(batches[0].reply.len() < 100 << 10, "but not everything at once");
            replies += answered;
            batches[0].take(answered);
            batches[0].recycle();
        }
        assert_eq!(replies, 10);
        assert_eq!(text(&batches[1]), ":10240\r\n");
    }
}
