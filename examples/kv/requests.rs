//! Commands that wait to be run, their words copied one behind the other.

use std::ops::Range;

use crate::commands::{Action, Command, Route};
use crate::resp::{Args, Span};

/// Commands with their words.
#[derive(Debug, Default)]
pub struct Requests {
    words: Vec<u8>,
    spans: Vec<Span>,
    /// Each with where its words end in `spans`.
    commands: Vec<(&'static Command, usize)>,
}

impl Requests {
    /// Adds a command.
    pub fn push<'a>(
        &mut self,
        command: &'static Command,
        words: impl IntoIterator<Item = &'a [u8]>,
    ) {
        for word in words {
            let start = self.words.len() as u32;
            self.words.extend_from_slice(word);
            self.spans.push(Span { start, end: self.words.len() as u32 });
        }
        self.commands.push((command, self.spans.len()));
    }

    /// Adds the commands of another list, but for the first few.
    pub fn append(&mut self, other: &Requests, skip: usize) {
        let first = other.start(skip);
        let from = other.spans.get(first).map_or(other.words.len() as u32, |span| span.start);
        let to = self.words.len() as u32;
        let (ends, spans) = (self.spans.len(), &other.spans[first..]);
        self.words.extend_from_slice(&other.words[from as usize..]);
        self.spans.extend(
            spans
                .iter()
                .map(|span| Span { start: span.start - from + to, end: span.end - from + to }),
        );
        let commands = &other.commands[skip..];
        self.commands.extend(commands.iter().map(|&(command, end)| (command, end - first + ends)));
    }

    /// A command and its words.
    ///
    /// # Panics
    ///
    /// When there is none with this number.
    pub fn get(&self, index: usize) -> (&'static Command, Args<'_>) {
        let (command, end) = self.commands[index];
        (command, Args::new(&self.words, &self.spans[self.start(index)..end]))
    }

    /// The keys of some commands, of those that have one.
    ///
    /// # Panics
    ///
    /// When there are not so many commands.
    pub fn keys(&self, commands: Range<usize>) -> impl Iterator<Item = &[u8]> {
        commands
            .map(|index| self.get(index))
            .filter(|(command, _)| matches!(command.route, Route::Key))
            .map(|(_, args)| args.at(1))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// How many bytes all words have.
    pub fn bytes(&self) -> usize {
        self.words.len()
    }

    /// Whether one of them takes long.
    pub fn has_job(&self) -> bool {
        self.commands.iter().any(|(command, _)| matches!(command.action, Action::Job(_)))
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.words.clear();
        self.spans.clear();
        self.commands.clear();
    }

    /// Gives back the memory that large commands took.
    pub fn shrink(&mut self) {
        const KEEP: usize = 16 << 10;
        self.words.shrink_to(KEEP);
        self.spans.shrink_to(KEEP / size_of::<Span>());
    }
    /// Where the words of a command begin in `spans`.
    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.commands[index - 1].1 }
    }
}
