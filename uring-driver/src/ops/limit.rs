//! A span of time that begins once, on however many rings it is waited for.

use std::time::{Duration, Instant};

use crate::sqe::Timespec;
use crate::sys::clock;

#[derive(Debug)]
pub(super) struct Limit {
    span: Duration,
    end: Option<Instant>,
    /// Where the kernel reads it.
    left: Timespec,
}

impl Limit {
    pub(super) fn new(span: Duration) -> Limit {
        Limit { span, end: None, left: Timespec::from(span) }
    }

    /// It begins; or what is left of it is to be known, for it had begun before.
    pub(super) fn begin(&mut self) {
        match self.end {
            None => self.end = Some(clock::after(self.span)),
            Some(end) => self.left = Timespec::from(end.saturating_duration_since(clock::now())),
        }
    }

    pub(super) fn left(&self) -> &Timespec {
        &self.left
    }

    pub(super) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= clock::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_less_each_time_it_is_begun() {
        let hour = Duration::from_secs(3600);
        let mut limit = Limit::new(hour);
        limit.begin();
        assert_eq!(*limit.left(), Timespec::from(hour));
        assert!(!limit.is_over());
        std::thread::sleep(Duration::from_millis(1));
        limit.begin();
        assert_ne!(*limit.left(), Timespec::from(hour));
        let mut none = Limit::new(Duration::ZERO);
        none.begin();
        assert!(none.is_over());
    }
}
