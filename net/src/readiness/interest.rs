//! What somebody waits for.

use std::fmt;
use std::num::NonZeroU8;
use std::ops::{BitOr, BitOrAssign};

use henge_driver::sys::poll::events;

const READABLE: u8 = 1 << 0;
const WRITABLE: u8 = 1 << 1;
const PRIORITY: u8 = 1 << 2;
const ERROR: u8 = 1 << 3;

/// What a call waits for: to be able to read, to write, or both.
///
/// # Examples
///
/// ```
/// use henge_net::readiness::Interest;
///
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.is_readable() && both.is_writable());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(NonZeroU8);

const fn one(bit: u8) -> Interest {
    match NonZeroU8::new(bit) {
        Some(bit) => Interest(bit),
        None => panic!("an interest is in something"),
    }
}

impl Interest {
    /// In being able to read, and in the end of what there is to read.
    pub const READABLE: Interest = one(READABLE);
    /// In being able to write, and in not being able to any more.
    pub const WRITABLE: Interest = one(WRITABLE);
    /// In errors, which all other interests are told of too.
    pub const ERROR: Interest = one(ERROR);
    /// In what is out of the ordinary: urgent data of a socket, a changed line of a GPIO.
    pub const PRIORITY: Interest = one(PRIORITY);

    /// Whether it includes being able to read.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Interest;
    ///
    /// assert!(Interest::READABLE.is_readable());
    /// assert!(!Interest::WRITABLE.is_readable());
    /// ```
    pub const fn is_readable(self) -> bool {
        self.has(READABLE)
    }

    /// Whether it includes being able to write.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Interest;
    ///
    /// assert!(Interest::WRITABLE.is_writable());
    /// assert!(!Interest::READABLE.is_writable());
    /// ```
    pub const fn is_writable(self) -> bool {
        self.has(WRITABLE)
    }

    /// Whether it includes errors by themselves.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Interest;
    ///
    /// assert!(Interest::ERROR.is_error());
    /// assert!(!Interest::READABLE.is_error());
    /// ```
    pub const fn is_error(self) -> bool {
        self.has(ERROR)
    }

    /// Whether it includes what is out of the ordinary.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Interest;
    ///
    /// assert!(Interest::PRIORITY.is_priority());
    /// assert!(!Interest::READABLE.is_priority());
    /// ```
    pub const fn is_priority(self) -> bool {
        self.has(PRIORITY)
    }

    /// Both together; the same as `|`, for constants.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Interest;
    ///
    /// const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
    /// assert!(BOTH.is_readable() && BOTH.is_writable());
    /// ```
    #[must_use]
    pub const fn add(self, other: Interest) -> Interest {
        one(self.0.get() | other.0.get())
    }

    /// What is left without `other`; `None` if that is nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_net::readiness::Interest;
    ///
    /// let both = Interest::READABLE | Interest::WRITABLE;
    /// assert_eq!(both.remove(Interest::WRITABLE), Some(Interest::READABLE));
    /// assert_eq!(Interest::READABLE.remove(Interest::READABLE), None);
    /// ```
    #[must_use]
    pub fn remove(self, other: Interest) -> Option<Interest> {
        NonZeroU8::new(self.0.get() & !other.0.get()).map(Interest)
    }

    const fn has(self, bit: u8) -> bool {
        self.0.get() & bit != 0
    }

    /// The kernel's events that it is in.
    pub(crate) fn events(self) -> u32 {
        let mut asked = 0;
        if self.is_readable() {
            asked |= events::IN | events::RDHUP;
        }
        if self.is_writable() {
            asked |= events::OUT;
        }
        if self.is_priority() {
            asked |= events::PRI | events::RDHUP;
        }
        if self.is_error() {
            asked |= events::ERR;
        }
        asked
    }
}

impl BitOr for Interest {
    type Output = Interest;

    fn bitor(self, other: Interest) -> Interest {
        self.add(other)
    }
}

impl BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Interest) {
        *self = self.add(other);
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.is_readable(), "READABLE"),
            (self.is_writable(), "WRITABLE"),
            (self.is_priority(), "PRIORITY"),
            (self.is_error(), "ERROR"),
        ];
        let mut before = "";
        for (_, name) in names.into_iter().filter(|(has, _)| *has) {
            write!(f, "{before}{name}")?;
            before = " | ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Interest;

    #[test]
    fn it_prints_what_it_is_in() {
        assert_eq!(format!("{:?}", Interest::READABLE), "READABLE");
        let three = Interest::WRITABLE | Interest::ERROR | Interest::PRIORITY;
        assert_eq!(format!("{three:?}"), "WRITABLE | PRIORITY | ERROR");
    }
}
