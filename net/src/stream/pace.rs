//! Whether a stream's bytes come by the pool's buffers or straight from the socket: pure policy.
//!
//! A multishot receive costs no system call of its own, and a copy out of the pool. The copy grows
//! with what comes; from some size on a direct receive into the reader's memory is cheaper. What is
//! counted is how much was read between two waits, so that a large message in small reads is large.

/// From so many bytes between two waits on, direct receives are the better way. Below half of it
/// they are not.
const LARGE: usize = 8 << 10;

/// So many waits in a row must speak for the pool's buffers. For the socket one is enough: the
/// first large message of a connection says what it is for, and what comes by the pool until then
/// takes memory that is touched for the first time.
const STREAK: u8 = 4;

/// Where a read gets its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Pool,
    Socket,
    /// From the socket, for another reason than what comes.
    Forced,
}

/// The state of the rule for one stream.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Read since the last wait.
    bytes: usize,
    way: Way,
    /// So many waits in a row spoke for the pool's buffers.
    streak: u8,
    /// There is no more for now, or so it seems: waiting comes before the next receive.
    drained: bool,
    /// Read directly between the two waits before that.
    usual: usize,
}

impl Pace {
    pub(crate) const fn new() -> Pace {
        Pace { bytes: 0, way: Way::Pool, streak: 0, drained: false, usual: 0 }
    }

    /// Whether a read goes to the socket itself.
    #[inline]
    pub(crate) fn is_direct(&self) -> bool {
        self.way != Way::Pool
    }

    pub(crate) fn has_drained(&self) -> bool {
        self.drained
    }

    /// A read got `n` bytes.
    #[inline]
    pub(crate) fn took(&mut self, n: usize) {
        self.bytes += n;
    }

    /// A direct receive got `n` of the `asked` bytes. One that is short has taken all there was.
    /// One that is not tells nothing; but where requests are all of a size this was the end of one,
    /// and another call would find nothing. If that is wrong, the poll ends at once.
    #[inline]
    pub(crate) fn took_directly(&mut self, n: usize, asked: usize) {
        self.took(n);
        self.drained = n < asked || self.bytes == self.usual;
    }

    /// A poll has ended: a receive is worth a try.
    pub(crate) fn may_have_more(&mut self) {
        self.drained = false;
    }

    /// A read has to wait.
    #[inline]
    pub(crate) fn waits(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if self.is_direct() {
            self.waits_for_socket(bytes);
        } else if bytes >= LARGE {
            self.go_direct();
            self.usual = bytes;
        }
    }

    #[inline(never)]
    fn waits_for_socket(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.usual = bytes;
        if self.way == Way::Forced {
            return;
        }
        self.streak = if bytes < LARGE / 2 { self.streak + 1 } else { 0 };
        if self.streak == STREAK {
            *self = Pace::new();
        }
    }

    /// Somebody waits without taking, or takes from the socket by other ways than a read.
    pub(crate) fn go_direct(&mut self) {
        if !self.is_direct() {
            self.way = Way::Socket;
        }
        self.streak = 0;
        self.drained = false;
    }

    /// As [`go_direct`](Pace::go_direct), until [`unforce`](Pace::unforce), whatever comes.
    #[inline]
    pub(crate) fn force_direct(&mut self) {
        if !self.is_direct() {
            self.go_direct();
        }
        self.way = Way::Forced;
    }

    /// What comes decides again.
    #[inline]
    pub(crate) fn unforce(&mut self) {
        if self.way == Way::Forced {
            self.way = Way::Socket;
        }
    }

    /// Somebody wants the pool's buffers.
    #[inline]
    pub(crate) fn leave_direct(&mut self) {
        if self.is_direct() {
            *self = Pace::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGE, Pace, STREAK};

    fn request(pace: &mut Pace, n: usize) {
        pace.took(n);
        pace.waits();
    }

    #[test]
    fn one_large_message_leads_to_the_socket_and_a_streak_of_small_ones_back() {
        let mut pace = Pace::new();
        for _ in 0..2 * STREAK {
            request(&mut pace, LARGE - 1);
        }
        assert!(!pace.is_direct());
        request(&mut pace, LARGE);
        assert!(pace.is_direct());
        for _ in 1..STREAK {
            request(&mut pace, LARGE / 2 - 1);
        }
        request(&mut pace, LARGE / 2);
        for _ in 1..STREAK {
            request(&mut pace, LARGE / 2 - 1);
        }
        assert!(pace.is_direct(), "a large one in between begins the streak anew");
        request(&mut pace, 1);
        assert!(!pace.is_direct());
    }

    #[test]
    fn small_reads_of_a_large_message_are_large() {
        let mut pace = Pace::new();
        (0..7).for_each(|_| pace.took(LARGE / 8));
        pace.waits();
        assert!(!pace.is_direct());
        (0..8).for_each(|_| pace.took(LARGE / 8));
        pace.waits();
        assert!(pace.is_direct());
    }

    #[test]
    fn waits_that_brought_nothing_do_not_count() {
        let mut pace = Pace::new();
        request(&mut pace, LARGE);
        for _ in 0..2 * STREAK {
            pace.waits();
        }
        assert!(pace.is_direct());
    }

    #[test]
    fn it_waits_first_where_another_call_would_find_nothing() {
        let mut pace = Pace::new();
        pace.go_direct();
        pace.took_directly(100, 1_000);
        assert!(pace.has_drained(), "it was short");
        pace.waits();
        pace.may_have_more();
        pace.took_directly(1_000, 1_000);
        assert!(!pace.has_drained(), "it was not, and nothing is known of sizes");
        pace.took_directly(1_000, 1_000);
        pace.waits();
        pace.took_directly(1_000, 1_000);
        assert!(!pace.has_drained());
        pace.took_directly(1_000, 1_000);
        assert!(pace.has_drained(), "two thousand, as the time before");
    }
}
