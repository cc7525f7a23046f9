//! What a descriptor is ready for.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

use henge_driver::sys::poll::events;

use super::interest::Interest;

/// What a descriptor was ready for when it was last heard of.
///
/// # Examples
///
/// ```
/// use henge_net::readiness::Ready;
///
/// let ready = Ready::READABLE | Ready::WRITABLE;
/// assert_eq!(ready - Ready::WRITABLE, Ready::READABLE);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ready(u8);

impl Ready {
    /// For nothing.
    pub const EMPTY: Ready = Ready(0);
    /// There is something to read.
    pub const READABLE: Ready = Ready(1 << 0);
    /// There is room to write.
    pub const WRITABLE: Ready = Ready(1 << 1);
    /// Nothing more will come to be read.
    pub const READ_CLOSED: Ready = Ready(1 << 2);
    /// Nothing more can be written.
    pub const WRITE_CLOSED: Ready = Ready(1 << 3);
    /// There is something out of the ordinary.
    pub const PRIORITY: Ready = Ready(1 << 4);
    /// There is an error.
    pub const ERROR: Ready = Ready(1 << 5);
    /// All of these.
    pub const ALL: Ready = Ready((1 << 6) - 1);

    /// Whether it is for nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Ready;
    ///
    /// assert!(Ready::EMPTY.is_empty());
    /// assert!(!Ready::READABLE.is_empty());
    /// ```
    pub fn is_empty(self) -> bool {
        self == Ready::EMPTY
    }

    /// Whether a read would return, if only to tell of the end.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Ready;
    ///
    /// assert!(Ready::READABLE.is_readable());
    /// assert!(Ready::READ_CLOSED.is_readable());
    /// assert!(!Ready::WRITABLE.is_readable());
    /// ```
    pub fn is_readable(self) -> bool {
        self.has_any(Ready::READABLE | Ready::READ_CLOSED)
    }

    /// Whether a write would return, if only to tell of the end.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Ready;
    ///
    /// assert!(Ready::WRITABLE.is_writable());
    /// assert!(Ready::WRITE_CLOSED.is_writable());
    /// assert!(!Ready::READABLE.is_writable());
    /// ```
    pub fn is_writable(self) -> bool {
        self.has_any(Ready::WRITABLE | Ready::WRITE_CLOSED)
    }

    /// Whether nothing more will come to be read.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Ready;
    ///
    /// assert!(Ready::READ_CLOSED.is_read_closed());
    /// assert!(!Ready::READABLE.is_read_closed());
    /// ```
    pub fn is_read_closed(self) -> bool {
        self.has_any(Ready::READ_CLOSED)
    }

    /// Whether nothing more can be written.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Ready;
    ///
    /// assert!(Ready::WRITE_CLOSED.is_write_closed());
    /// assert!(!Ready::WRITABLE.is_write_closed());
    /// ```
    pub fn is_write_closed(self) -> bool {
        self.has_any(Ready::WRITE_CLOSED)
    }

    /// Whether there is something out of the ordinary.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Ready;
    ///
    /// assert!(Ready::PRIORITY.is_priority());
    /// assert!(!Ready::READABLE.is_priority());
    /// ```
    pub fn is_priority(self) -> bool {
        self.has_any(Ready::PRIORITY)
    }

    /// Whether there is an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Ready;
    ///
    /// assert!(Ready::ERROR.is_error());
    /// assert!(!Ready::READABLE.is_error());
    /// ```
    pub fn is_error(self) -> bool {
        self.has_any(Ready::ERROR)
    }

    pub(crate) fn has_any(self, of: Ready) -> bool {
        self.0 & of.0 != 0
    }

    /// What the kernel's events say.
    pub(crate) fn from_events(told: u32) -> Ready {
        let has = |event| told & event != 0;
        let mut ready = Ready::EMPTY;
        if has(events::IN) || has(events::PRI) {
            ready |= Ready::READABLE;
        }
        if has(events::OUT) {
            ready |= Ready::WRITABLE;
        }
        if has(events::HUP) || has(events::IN) && has(events::RDHUP) {
            ready |= Ready::READ_CLOSED;
        }
        // An error with nothing beside it is what is left of a pipe without a reader.
        let error_alone = told == events::ERR;
        if has(events::HUP) || has(events::OUT) && has(events::ERR) || error_alone {
            ready |= Ready::WRITE_CLOSED;
        }
        if has(events::PRI) {
            ready |= Ready::PRIORITY;
        }
        if has(events::ERR) {
            ready |= Ready::ERROR;
        }
        ready
    }

    /// All that somebody with this interest is to be told.
    pub(crate) fn of_interest(interest: Interest) -> Ready {
        let mut ready = Ready::EMPTY;
        if interest.is_readable() {
            ready |= Ready::READABLE | Ready::READ_CLOSED;
        }
        if interest.is_writable() {
            ready |= Ready::WRITABLE | Ready::WRITE_CLOSED;
        }
        if interest.is_priority() {
            ready |= Ready::PRIORITY | Ready::READ_CLOSED;
        }
        if interest.is_error() {
            ready |= Ready::ERROR;
        }
        ready
    }
}

impl BitOr for Ready {
    type Output = Ready;

    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

impl BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Ready) {
        self.0 |= other.0;
    }
}

impl BitAnd for Ready {
    type Output = Ready;

    fn bitand(self, other: Ready) -> Ready {
        Ready(self.0 & other.0)
    }
}

impl Sub for Ready {
    type Output = Ready;

    fn sub(self, other: Ready) -> Ready {
        Ready(self.0 & !other.0)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("is_readable", &self.is_readable())
            .field("is_writable", &self.is_writable())
            .field("is_read_closed", &self.is_read_closed())
            .field("is_write_closed", &self.is_write_closed())
            .field("is_error", &self.is_error())
            .field("is_priority", &self.is_priority())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Ready;
    use henge_driver::sys::poll::events;

    #[test]
    fn the_ends_are_told_from_combinations() {
        let of = Ready::from_events;
        assert_eq!(of(events::IN), Ready::READABLE);
        assert_eq!(of(events::RDHUP), Ready::EMPTY, "until it can be read");
        assert_eq!(of(events::IN | events::RDHUP), Ready::READABLE | Ready::READ_CLOSED);
        assert_eq!(of(events::HUP), Ready::READ_CLOSED | Ready::WRITE_CLOSED);
        assert_eq!(of(events::ERR), Ready::WRITE_CLOSED | Ready::ERROR);
        let broken_pipe = of(events::OUT | events::ERR);
        assert_eq!(broken_pipe, Ready::WRITABLE | Ready::WRITE_CLOSED | Ready::ERROR);
        assert_eq!(of(events::IN | events::ERR), Ready::READABLE | Ready::ERROR);
    }
}
