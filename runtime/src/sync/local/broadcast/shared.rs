//! What local senders and receivers share: the kept messages and who waits.
//!
//! All of it sits in one `RefCell`. Messages have positions, counted from the first one ever sent;
//! a receiver knows the position that it reads next. A kept message knows how many receivers have
//! yet to read it, and is dropped after the last.
//!
//! Messages are in an `Rc`, so that cloning one, which is foreign code, happens outside of the
//! borrow.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::ops::DerefMut;
use std::rc::Rc;
use std::task::Waker;

use super::error::TryRecvError;
use crate::sync::place::Line;
use crate::sync::wait_queue::WaitQueue;
use crate::sync::wake_batch::wake_each;

#[derive(Debug)]
pub(super) struct Shared<T> {
    state: RefCell<State<T>>,
    capacity: usize,
}

#[derive(Debug)]
pub(super) struct State<T> {
    /// The last messages, oldest first.
    kept: VecDeque<Kept<T>>,
    /// The position of the next message to be sent.
    pub(super) tail: u64,
    pub(super) receivers: usize,
    pub(super) senders: usize,
    pub(super) weak_senders: usize,
    /// Receivers that wait for a message.
    line: WaitQueue<()>,
    /// Senders that wait for the last receiver to go.
    closed_line: WaitQueue<()>,
}

#[derive(Debug)]
struct Kept<T> {
    /// `None` when everybody has read it.
    value: Option<Rc<T>>,
    unread: usize,
}

impl<T> Shared<T> {
    pub(super) fn new(capacity: usize, receivers: usize) -> Self {
        Self {
            state: RefCell::new(State {
                kept: VecDeque::new(),
                tail: 0,
                receivers,
                senders: 1,
                weak_senders: 0,
                line: WaitQueue::new(),
                closed_line: WaitQueue::new(),
            }),
            capacity,
        }
    }

    pub(super) fn state(&self) -> RefMut<'_, State<T>> {
        self.state.borrow_mut()
    }

    /// Sends to all receivers and says how many there are.
    pub(super) fn send(&self, value: T) -> Result<usize, T> {
        let mut state = self.state();
        let receivers = state.receivers;
        if receivers == 0 {
            drop(state);
            return Err(value);
        }
        let overwritten =
            if state.kept.len() == self.capacity { state.kept.pop_front() } else { None };
        state.kept.push_back(Kept { value: Some(Rc::new(value)), unread: receivers });
        state.tail += 1;
        let wakers = take_all(&mut state.line);
        drop(state);
        drop(overwritten);
        wake_each(wakers.into_iter());
        Ok(receivers)
    }

    /// A receiver that has read up to `next` goes away.
    pub(super) fn leave(&self, next: u64) {
        let mut state = self.state();
        state.receivers -= 1;
        let mut unwanted = Vec::new();
        for position in next.max(state.oldest())..state.tail {
            unwanted.extend(state.read(position));
        }
        let wakers = match state.receivers {
            0 => take_all(&mut state.closed_line),
            _ => Vec::new(),
        };
        drop(state);
        drop(unwanted);
        wake_each(wakers.into_iter());
    }

    /// A sender goes away; the last one ends the receivers' waiting.
    pub(super) fn drop_sender(&self) {
        let mut state = self.state();
        state.senders -= 1;
        let wakers = match state.senders {
            0 => take_all(&mut state.line),
            _ => Vec::new(),
        };
        drop(state);
        wake_each(wakers.into_iter());
    }
}

impl<T> State<T> {
    /// The message at `next`, which moves on.
    pub(super) fn receive(&mut self, next: &mut u64) -> Result<Rc<T>, TryRecvError> {
        if *next == self.tail {
            return Err(match self.senders {
                0 => TryRecvError::Closed,
                _ => TryRecvError::Empty,
            });
        }
        let oldest = self.oldest();
        if *next < oldest {
            let missed = oldest - *next;
            *next = oldest;
            return Err(TryRecvError::Lagged(missed));
        }
        let value = self.read(*next);
        *next += 1;
        Ok(value.expect("a kept message has a value until all have read it"))
    }

    /// The position of the oldest kept message.
    fn oldest(&self) -> u64 {
        self.tail - self.kept.len() as u64
    }

    /// Reads for one receiver; the last one takes the value out.
    fn read(&mut self, position: u64) -> Option<Rc<T>> {
        let index = usize::try_from(position - self.oldest()).ok()?;
        let kept = self.kept.get_mut(index)?;
        kept.unread -= 1;
        if kept.unread == 0 { kept.value.take() } else { kept.value.clone() }
    }

    /// How many kept messages somebody has yet to read.
    pub(super) fn unread(&self) -> usize {
        // Readers go forward, so what everybody has read is at the front.
        self.kept.len() - self.kept.partition_point(|kept| kept.unread == 0)
    }
}

/// The line of receivers that wait for a message.
#[derive(Debug)]
pub(super) struct Receivers<'a, T>(pub(super) &'a Shared<T>);

impl<T> Line for Receivers<'_, T> {
    type State = State<T>;
    type Value = ();

    fn lock(&self) -> impl DerefMut<Target = State<T>> {
        self.0.state()
    }

    fn queue(state: &mut State<T>) -> &mut WaitQueue<()> {
        &mut state.line
    }
}

/// The line of senders that wait for the last receiver to go.
#[derive(Debug)]
pub(super) struct Senders<'a, T>(pub(super) &'a Shared<T>);

impl<T> Line for Senders<'_, T> {
    type State = State<T>;
    type Value = ();

    fn lock(&self) -> impl DerefMut<Target = State<T>> {
        self.0.state()
    }

    fn queue(state: &mut State<T>) -> &mut WaitQueue<()> {
        &mut state.closed_line
    }
}

/// Takes everybody out of a line. All in one step: a new message is for all who wait.
fn take_all(line: &mut WaitQueue<()>) -> Vec<Waker> {
    let mut wakers = Vec::new();
    while let Some((_, waker)) = line.unlink_front() {
        wakers.extend(waker);
    }
    wakers
}
