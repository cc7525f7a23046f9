//! A future's place in the line of those who wait.

use std::sync::Arc;

use super::Source;
use super::state::Who;

/// A future's place in line, given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    source: &'a Arc<Source>,
    key: Option<u64>,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new(source: &'a Arc<Source>) -> Waiting<'a> {
        Waiting { source, key: None }
    }

    pub(crate) fn who(&mut self) -> Who<'_> {
        Who::Line(&mut self.key)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.source.leave(key);
        }
    }
}
