//! The way between shards: batches of commands out, the same batches with replies back.
//!
//! Every shard has a mailbox and one task that empties it. A connection hands its batches to the
//! router of its shard and sleeps. The router's task runs after the connections that have something
//! to do in this turn, and sends all they handed over to one shard under one lock, with at most one
//! wake: crossing costs little when there is much to carry. Over there the router's task runs the
//! commands against the store; no connection of that shard takes part.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use slab::Slab;

use crate::batch::Batch;
use crate::pipeline::Pipeline;

/// A batch on its way.
#[derive(Debug)]
struct Letter {
    batch: Box<Batch>,
    /// The shard that sent it.
    from: usize,
    /// The connection that waits for it, by its place in its router.
    ticket: usize,
    /// Whether the commands have been run, and this goes home.
    is_answer: bool,
}

/// Where one shard finds what the others sent.
#[derive(Debug, Default)]
pub struct Mailbox(Mutex<Inbox>);

#[derive(Debug, Default)]
struct Inbox {
    letters: Vec<Letter>,
    /// The shard's router, if it found nothing when it last looked.
    reader: Option<Waker>,
}

impl Mailbox {
    fn put(&self, letters: &mut Vec<Letter>) {
        let reader = {
            let mut inbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            inbox.letters.append(letters);
            inbox.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Moves what is there to `letters`, which is empty; leaves a waker where there is nothing.
    fn take(&self, letters: &mut Vec<Letter>, cx: &Context<'_>) {
        let mut inbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut inbox.letters, letters);
        if letters.is_empty() {
            inbox.reader = Some(cx.waker().clone());
        }
    }
}

/// One shard's end of all the ways.
#[derive(Debug)]
pub struct Router {
    shard: usize,
    mailboxes: Arc<[Mailbox]>,
    /// What this turn sends to each shard.
    outgoing: RefCell<Vec<Vec<Letter>>>,
    /// Whether there is anything in `outgoing`.
    has_outgoing: Cell<bool>,
    waiting: RefCell<Slab<Waiting>>,
    task: RefCell<Option<Waker>>,
}

/// A connection whose batches are under way.
#[derive(Debug)]
struct Waiting {
    pipeline: Box<Pipeline>,
    missing: usize,
    /// `None` once nobody waits any more.
    connection: Option<Waker>,
}

impl Router {
    /// The router of `shard`, which is one of as many as there are mailboxes.
    pub fn new(shard: usize, mailboxes: Arc<[Mailbox]>) -> Router {
        let outgoing = mailboxes.iter().map(|_| Vec::new()).collect();
        Router {
            shard,
            mailboxes,
            outgoing: RefCell::new(outgoing),
            has_outgoing: Cell::new(false),
            waiting: RefCell::default(),
            task: RefCell::default(),
        }
    }

    /// Sends the pipeline's batches to their shards; gives it back when all have returned.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the commands still run, and their replies are forgotten.
    pub fn exchange(&self, pipeline: Box<Pipeline>) -> Exchange<'_> {
        Exchange { router: self, state: State::Unsent(Some(pipeline)) }
    }

    /// Carries what there is to carry, for as long as the shard lives. `run` runs a batch of
    /// another shard's here, and says what has to have settled before the answer leaves; `settled`
    /// tells whether that is so, or wakes the task when it may be.
    pub async fn carry(
        &self,
        mut run: impl FnMut(&mut Batch) -> u64,
        settled: impl Fn(u64, &Context<'_>) -> bool,
    ) {
        let mut letters = Vec::new();
        // Answers that wait to settle, with the shards that they are for. What they wait for grows.
        let mut held: VecDeque<(u64, usize, Letter)> = VecDeque::new();
        poll_fn(|cx| {
            self.mailboxes[self.shard].take(&mut letters, cx);
            // Let the others have a turn before the next look.
            if !letters.is_empty() {
                cx.waker().wake_by_ref();
            }
            for mut letter in letters.drain(..) {
                if letter.is_answer {
                    self.deliver(letter);
                } else {
                    let end = run(&mut letter.batch);
                    let home = mem::replace(&mut letter.from, self.shard);
                    letter.is_answer = true;
                    held.push_back((end, home, letter));
                }
            }
            while let Some((_, home, letter)) = held.pop_front_if(|(end, ..)| settled(*end, cx)) {
                self.outgoing.borrow_mut()[home].push(letter);
                self.has_outgoing.set(true);
            }
            self.send_outgoing();
            self.task.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await
    }

    fn send_outgoing(&self) {
        if self.has_outgoing.replace(false) {
            for (shard, letters) in self.outgoing.borrow_mut().iter_mut().enumerate() {
                if !letters.is_empty() {
                    self.mailboxes[shard].put(letters);
                }
            }
        }
    }

    fn deliver(&self, letter: Letter) {
        let mut waiting = self.waiting.borrow_mut();
        let Some(entry) = waiting.get_mut(letter.ticket) else { return };
        entry.pipeline.returned(letter.from, letter.batch);
        entry.missing -= 1;
        if entry.missing == 0 {
            match entry.connection.take() {
                Some(connection) => connection.wake(),
                None => drop(waiting.remove(letter.ticket)),
            }
        }
    }

    /// Puts the pipeline's batches with what goes out; its ticket.
    fn send(&self, mut pipeline: Box<Pipeline>, cx: &Context<'_>) -> usize {
        let mut waiting = self.waiting.borrow_mut();
        let slot = waiting.vacant_entry();
        let ticket = slot.key();
        let mut outgoing = self.outgoing.borrow_mut();
        let mut missing = 0;
        for (shard, batch) in pipeline.outgoing() {
            let letter = Letter { batch, from: self.shard, ticket, is_answer: false };
            outgoing[shard].push(letter);
            missing += 1;
        }
        slot.insert(Waiting { pipeline, missing, connection: Some(cx.waker().clone()) });
        if !self.has_outgoing.replace(true)
            && let Some(task) = &*self.task.borrow()
        {
            task.wake_by_ref();
        }
        ticket
    }
}

/// The future of [`Router::exchange`].
#[derive(Debug)]
pub struct Exchange<'a> {
    router: &'a Router,
    state: State,
}

#[derive(Debug)]
enum State {
    Unsent(Option<Box<Pipeline>>),
    Sent(usize),
}

impl Future for Exchange<'_> {
    type Output = Box<Pipeline>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Box<Pipeline>> {
        let router = self.router;
        match &mut self.state {
            State::Unsent(pipeline) => {
                let pipeline = pipeline.take().expect("polled after it ended");
                if !pipeline.has_outgoing() {
                    return Poll::Ready(pipeline);
                }
                self.state = State::Sent(router.send(pipeline, cx));
                Poll::Pending
            }
            State::Sent(ticket) => {
                let ticket = *ticket;
                let mut waiting = router.waiting.borrow_mut();
                if waiting[ticket].missing > 0 {
                    waiting[ticket].connection = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                self.state = State::Unsent(None);
                Poll::Ready(waiting.remove(ticket).pipeline)
            }
        }
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        let State::Sent(ticket) = self.state else { return };
        let mut waiting = self.router.waiting.borrow_mut();
        if waiting[ticket].missing == 0 {
            drop(waiting.remove(ticket));
        } else {
            waiting[ticket].connection = None;
        }
    }
}
