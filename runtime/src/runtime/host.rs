//! What timers ask of the runtime that a thread has only entered.

use std::sync::Arc;

use super::context;
use super::shared::Shared;
use crate::executor::JoinHandle;
use crate::time::{self, Clock, Expiry, Host};

/// Tells timers how the runtime of a thread is found.
pub(super) fn announce() {
    time::find_by(|| Some(context::current()? as Arc<dyn Host>));
}

impl Host for Shared {
    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn wait_for(&self, expiry: Expiry) -> JoinHandle<()> {
        self.spawn(expiry)
    }
}
