//! What changed, encoded and not yet written.

use crate::store::Error;

/// The commands that a shard's log has not taken yet, in the form in which clients send them.
#[derive(Debug, Default)]
pub struct Journal {
    bytes: Vec<u8>,
    /// The database that the commands so far end in.
    db: Option<usize>,
    /// How many bytes were ever recorded.
    end: u64,
    wants_rewrite: bool,
    refusal: Option<Error>,
}

impl Journal {
    /// Records a command on database `db`.
    pub fn record<'a>(
        &mut self,
        db: usize,
        words: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
    ) {
        let before = self.bytes.len();
        if self.db.replace(db) != Some(db) {
            encode(&mut self.bytes, [&b"SELECT"[..], db.to_string().as_bytes()].into_iter());
        }
        encode(&mut self.bytes, words);
        self.end += (self.bytes.len() - before) as u64;
    }

    /// Whether there is something for the log to do.
    pub fn has_work(&self) -> bool {
        !self.bytes.is_empty() || self.wants_rewrite
    }

    /// How many bytes were ever recorded: the place that the log has to reach.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Takes what is to be written, leaving `empty` to go on with.
    pub fn take(&mut self, empty: Vec<u8>) -> Vec<u8> {
        std::mem::replace(&mut self.bytes, empty)
    }

    /// What is recorded next goes into a new file, which begins in no database.
    pub fn starts_anew(&mut self) {
        self.db = None;
    }

    /// Refuses all changes, since none can be written down, until this is called with `None`.
    pub fn refuse(&mut self, why: Option<Error>) {
        self.refusal = why;
    }

    /// Why changes are refused, if they are.
    pub fn refusal(&self) -> Option<&Error> {
        self.refusal.as_ref()
    }

    /// Asks for the files to be rewritten.
    pub fn rewrite(&mut self) {
        self.wants_rewrite = true;
    }

    /// Whether somebody has asked for a rewrite since this was asked last.
    pub fn takes_rewrite(&mut self) -> bool {
        std::mem::take(&mut self.wants_rewrite)
    }
}

/// Appends a command: an array of bulk strings.
pub fn encode<'a>(to: &mut Vec<u8>, words: impl ExactSizeIterator<Item = &'a [u8]>) {
    header(to, b'*', words.len());
    for word in words {
        header(to, b'$', word.len());
        to.extend_from_slice(word);
        to.extend_from_slice(b"\r\n");
    }
}

fn header(to: &mut Vec<u8>, kind: u8, length: usize) {
    to.push(kind);
    to.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    to.extend_from_slice(b"\r\n");
}

#[test]
fn databases_are_selected_when_they_change() {
    let mut journal = Journal::default();
    let set = [&b"SET"[..], b"k", b"v"];
    journal.record(2, set.into_iter());
    let first = journal.take(Vec::new());
    assert!(first.starts_with(b"*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n*3\r\n$3\r\nSET\r\n"));
    journal.record(2, set.into_iter());
    assert_eq!(journal.take(Vec::new()), b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n");
    assert_eq!(journal.end() as usize, first.len() + 27);
}
