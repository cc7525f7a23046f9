//! Transfers by direct calls, which clear a readiness that they find to be none.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use henge_driver::coop;

use super::Source;
use super::state::Who;
use crate::readiness::interest::Interest;

impl Source {
    /// Repeats a transfer until it does not answer `WouldBlock`, waiting in between.
    pub(crate) fn poll_io<R>(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        mut who: Who<'_>,
        interest: Interest,
        mut io: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let spent = ready!(coop::poll_proceed(cx));
        let mut event = {
            let state = self.state();
            match state.event(interest) {
                None if !self.tries || state.is_watched(interest) => {
                    drop(state);
                    Some(ready!(self.poll_event(cx, who.again(), interest))?)
                }
                event => event,
            }
        };
        loop {
            let done = io();
            if !is_would_block(&done) {
                spent.made_progress();
                return Poll::Ready(done);
            }
            if let Some(event) = event {
                self.clear(event);
            }
            event = Some(ready!(self.poll_event(cx, who.again(), interest))?);
        }
    }

    /// Tries a transfer once; a readiness that it finds to be none is cleared.
    pub(crate) fn try_io<R>(
        self: &Arc<Self>,
        interest: Interest,
        io: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        if !self.tries {
            return self.try_known(interest, io);
        }
        let known = self.state().event(interest);
        let done = io();
        if let (true, Some(event)) = (is_would_block(&done), known) {
            self.clear(event);
        }
        done
    }

    /// As [`try_io`](Source::try_io), only if the descriptor is known to be ready.
    pub(crate) fn try_known<R>(
        self: &Arc<Self>,
        interest: Interest,
        io: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        let Some(event) = self.known(interest) else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let done = io();
        if is_would_block(&done) {
            self.clear(event);
        }
        done
    }
}

fn is_would_block<T>(done: &io::Result<T>) -> bool {
    done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}
