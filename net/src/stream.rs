//! The core of a stream socket: what TCP's and Unix's types are handles of.
//!
//! A stream is a socket, a receive side and a send side. Each side has a home of its own (see
//! [`Homed`](henge_driver::home::Homed)), so two halves of a stream may live on two threads and
//! share nothing but the descriptor. [`core`] puts them together; [`recv`] and [`send`] are the two
//! protocols; what they keep bytes in are plain values, [`recv_queue`] and [`send_queue`].
//!
//! In a task that may be polled by another thread the next time (`current::is_moving`) a side has
//! a home only while it is visited. Both protocols then transfer by direct calls that cannot wait,
//! and wait by a [`watch`], so that nothing of the stream's is ever behind a thread that is busy.

pub(crate) mod accept;
pub(crate) mod core;
pub(crate) mod listener;
pub(crate) mod methods;
pub(crate) mod owned;
mod pace;
pub(crate) mod recv;
pub(crate) mod recv_queue;
mod scatter;
pub(crate) mod send;
pub(crate) mod send_queue;
pub(crate) mod socket;
pub(crate) mod spliced;
mod waiting;
pub(crate) mod watch;

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use henge_driver::home::{Here, Homed, Resident};
use henge_driver::{coop, current};

use self::waiting::{Known, Waiting};
use crate::waiters::Place;

/// How a task is to be told of what a visit did not find.
enum Missing {
    /// The side has its waker already, or something is in flight whose end wakes whoever came by.
    Nothing,
    /// The side is to get its waker.
    Waker,
    /// In a task that moves: its watch is to get the waker.
    Watch(Arc<watch::Told>),
}

/// A side with one task that waits for it.
pub(crate) trait Awaits: Resident<Shared = Arc<socket::Socket>> {
    /// The task that called last and found nothing.
    fn awaiting(&mut self) -> &mut Waiting;

    /// What tells a task that moves.
    fn watch(&mut self) -> &mut Option<Box<watch::Watch>>;
}

/// Visits a side; if it has nothing yet, leaves the caller's waker there. A success spends one
/// unit of the task's budget.
#[inline]
pub(crate) fn poll_side<T: Awaits, R>(
    side: &Homed<T>,
    cx: &mut Context<'_>,
    visit: impl FnOnce(&mut Here<'_, T>) -> Option<R>,
) -> Poll<io::Result<R>> {
    let spent = ready!(coop::poll_proceed(cx));
    let done = ready!(poll_side_freely(side, cx, visit))?;
    spent.made_progress();
    Poll::Ready(Ok(done))
}

/// As [`poll_side`], for what spends no budget, and needs none: as in tokio, what can be done is
/// done at the first poll.
///
/// The waker is cloned, and the one before dropped, outside of the visits: both may run code of
/// the user's, which may use this stream.
#[inline]
pub(crate) fn poll_side_freely<T: Awaits, R>(
    side: &Homed<T>,
    cx: &mut Context<'_>,
    visit: impl FnOnce(&mut Here<'_, T>) -> Option<R>,
) -> Poll<io::Result<R>> {
    // One call of `visit` in the whole function, so that all of it is compiled into one.
    let found = ready!(side.poll_with(cx, |here| match visit(here) {
        Some(done) => Ok(done),
        None => Err(missing(here, cx)),
    }))?;
    match found {
        Ok(done) => Poll::Ready(Ok(done)),
        Err(Missing::Nothing) => Poll::Pending,
        Err(Missing::Waker) => {
            let waker = cx.waker().clone();
            let old = ready!(side.poll_with(cx, |here| here.awaiting().set(waker)))?;
            drop(old);
            Poll::Pending
        }
        Err(Missing::Watch(told)) => {
            told.wake_later(cx.waker());
            Poll::Pending
        }
    }
}

/// As [`poll_side`], for what a poll finds nearly always. Where `visit` finds anything else it does
/// nothing and answers `None`; so does this, and the poll is one of the side's by all the rules.
#[inline]
pub(crate) fn poll_quickly<T: Resident, R>(
    side: &Homed<T>,
    cx: &mut Context<'_>,
    visit: impl FnOnce(&mut Here<'_, T>, &Waker) -> Option<Poll<io::Result<R>>>,
) -> Option<Poll<io::Result<R>>> {
    let Poll::Ready(spent) = coop::poll_proceed(cx) else { return Some(Poll::Pending) };
    let polled = side.visit_settled(|here| visit(here, cx.waker())).flatten();
    if let Some(Poll::Ready(_)) = polled {
        spent.made_progress();
    }
    polled
}

#[inline]
fn missing<T: Awaits>(here: &mut Here<'_, T>, cx: &Context<'_>) -> Missing {
    if current::is_moving() {
        // What has nothing yet has armed its watch; or something is in flight.
        let told = here.watch().as_ref().map(|watch| watch.told());
        return told.map_or(Missing::Nothing, Missing::Watch);
    }
    match here.awaiting().wait_by(cx.waker()) {
        Known::No => return Missing::Waker,
        Known::Spare => here.has_done(),
        Known::Waits => {}
    }
    Missing::Nothing
}

/// As [`poll_side`], for one of several that wait by `&self`, and without spending budget: as in
/// tokio, who asks again and again whether it is ready, and does transfers in between, is not
/// interrupted.
pub(crate) fn poll_in_line<T: Awaits, R>(
    side: &Homed<T>,
    cx: &mut Context<'_>,
    place: &mut Place<'_>,
    visit: impl FnOnce(&mut Here<'_, T>) -> Option<io::Result<R>>,
) -> Poll<io::Result<R>> {
    place.stand(cx);
    match ready!(side.poll_with(cx, visit))? {
        Some(done) => Poll::Ready(done),
        None => Poll::Pending,
    }
}
