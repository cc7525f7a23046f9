//! What a loop looks at by itself: lanes and channels that had something of late.
//!
//! To be told of every message costs both sides two hand-overs of a cache line that each of them
//! writes: the link in the inbox, and the word that says that it is under way. A loop that is awake
//! looks anyway, so while it is, it looks at the rings' ends themselves, which is one line that
//! only the other side writes; and nobody tells it anything.
//!
//! # The protocol
//!
//! Each thing that can be watched has a word that says whether its owner wants to be told: the
//! `claimed` of a [lane](super::lane), the state of a [summons](super::summons).
//!
//! ```text
//!                      something was told, and taken: `Watch::add`
//!   [told by others] ------------------------------------------------> [watched by the loop]
//!          ^                                                                 |   ^   |
//!          +--- `let_go`: the loop would sleep or end, or nothing came ------+   +---+ `look`
//!               in `PATIENCE` looks; says so in the word, fences,                 takes what
//!               and looks once more                                               has come
//! ```
//!
//! # Why nothing is overlooked
//!
//! Whoever sends publishes, fences, and reads the word (`fence_before_calls`). The loop, when it
//! lets go, writes the word, fences, and looks once more. (Who shows a part sooner may read the
//! word without a fence, and call sooner; what is proved is what the flush does, which follows in
//! any case.) Of the two fences one comes first:
//!
//! * The sender's: the loop's last look finds what was published. It takes it, or puts it into its
//!   own inbox.
//! * The loop's: the sender reads that it has to tell, and pushes onto the inbox.
//!
//! Either way something stands in the inbox, or a task was queued. A loop lets go of everything
//! *before* it publishes that it sleeps, so what is proved of a sleep for the inbox holds: a push
//! that comes before the sleeper's fence is seen by its last look, any other one sees that it
//! sleeps, and wakes it. Until it lets go it does not sleep, and sees what is published by looking:
//! in every turn, after every eighth poll, and while it spins.
//!
//! The models are beside the two words: in `lane.rs`, and in `channel/loom_tests.rs`.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::executor::Home;

/// Things that a loop watches at most: each costs it two loads a look.
const MOST: usize = 8;

/// Looks in a row that found nothing, after which others tell again.
const PATIENCE: u32 = 256;

/// Something that a loop can watch. All of this is called on the loop's thread, and panics never.
pub(super) trait Watched {
    /// Whether something has come. It runs no code of others.
    fn has_come(&self) -> bool;

    /// Takes what has come.
    fn take(&self, home: &Home);

    /// The loop looks no more: from here on it is told. What has come meanwhile it is told of by
    /// this. A loop that closes has no home any more, and takes nothing.
    fn let_go(self: Arc<Self>, home: Option<&Home>);
}

/// See the module's documentation.
pub(super) struct Watch {
    list: RefCell<Vec<Entry>>,
    /// How many there are, those that are in hand included.
    count: Cell<usize>,
}

struct Entry {
    what: Arc<dyn Watched>,
    /// Looks that found nothing.
    idle: Cell<u32>,
}

impl Watch {
    pub(super) fn new() -> Watch {
        Watch { list: RefCell::default(), count: Cell::new(0) }
    }

    /// Watches one thing more, if there is room for it.
    pub(super) fn add(&self, what: impl FnOnce() -> Arc<dyn Watched>) -> bool {
        let room = self.count.get() < MOST;
        if room {
            self.count.set(self.count.get() + 1);
            self.list.borrow_mut().push(Entry { what: what(), idle: Cell::new(0) });
        }
        room
    }

    /// Whether there is nothing to look at.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.count.get() == 0
    }

    /// Whether anything has come.
    #[inline]
    pub(super) fn has_come(&self) -> bool {
        self.count.get() > 0 && self.list.borrow().iter().any(|entry| entry.what.has_come())
    }

    /// Takes what has come.
    #[inline]
    pub(super) fn look(&self, home: &Home) {
        if self.count.get() > 0 && self.list.borrow().iter().fold(false, Entry::look) {
            self.take(home);
        }
    }

    fn take(&self, home: &Home) {
        // What is taken may begin to be watched by those who take it.
        let mut list = self.list.take();
        list.retain(|entry| {
            if entry.what.has_come() {
                entry.idle.set(0);
                entry.what.take(home);
            }
            let stays = entry.idle.get() < PATIENCE;
            if !stays {
                self.count.set(self.count.get() - 1);
                Arc::clone(&entry.what).let_go(Some(home));
            }
            stays
        });
        list.append(&mut self.list.borrow_mut());
        self.list.replace(list);
    }

    /// Lets go of everything.
    #[inline]
    pub(super) fn rest(&self, home: Option<&Home>) {
        while self.count.get() > 0 {
            for entry in self.list.take() {
                self.count.set(self.count.get() - 1);
                entry.what.let_go(home);
            }
        }
    }
}

impl Entry {
    /// Whether there is something to be done for this, or was for another one.
    #[inline]
    fn look(other: bool, this: &Entry) -> bool {
        if this.what.has_come() {
            return true;
        }
        this.idle.set(this.idle.get() + 1);
        other || this.idle.get() >= PATIENCE
    }
}
