//! What has been written and not yet given to the kernel.
//!
//! A value without any I/O: bytes gather in one buffer while another is on its way, and one that
//! comes back half sent goes before those that gathered since.

/// Bytes on their way: those before `at` have been sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) bytes: Vec<u8>,
    pub(crate) at: usize,
}

impl Outgoing {
    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }
}

/// The bytes that wait for their turn. What is in flight is not in here.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    /// What came back half sent, which is seldom.
    returned: Option<Box<Outgoing>>,
    gathering: Vec<u8>,
}

impl SendQueue {
    pub(crate) const fn new() -> SendQueue {
        SendQueue { returned: None, gathering: Vec::new() }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.returned.as_ref().map_or(0, |outgoing| outgoing.left()) + self.gathering.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends; `buffer` is asked for memory if the queue has none.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8], buffer: impl FnOnce() -> Vec<u8>) {
        if self.gathering.capacity() == 0 {
            self.gathering = buffer();
        }
        self.gathering.extend_from_slice(bytes);
    }

    /// Takes what is to be sent next.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Outgoing> {
        if let Some(outgoing) = self.returned.take() {
            return Some(*outgoing);
        }
        if self.gathering.is_empty() {
            return None;
        }
        Some(Outgoing { bytes: std::mem::take(&mut self.gathering), at: 0 })
    }

    /// Puts back what was taken last and could not be sent whole.
    pub(crate) fn put_back(&mut self, outgoing: Outgoing) {
        debug_assert!(self.returned.is_none(), "one buffer at a time is in flight");
        self.returned = (outgoing.left() > 0).then(|| Box::new(outgoing));
    }

    /// Forgets everything, and returns how many bytes that was.
    pub(crate) fn clear(&mut self) -> usize {
        let lost = self.len();
        *self = SendQueue::new();
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::{Outgoing, SendQueue};

    #[test]
    fn bytes_gather_while_others_are_on_their_way() {
        let mut queue = SendQueue::new();
        queue.push(b"ab", Vec::new);
        let first = queue.take().unwrap();
        queue.push(b"c", Vec::new);
        queue.push(b"d", Vec::new);
        assert_eq!(first.bytes, b"ab");
        assert_eq!(queue.take().unwrap().bytes, b"cd");
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn what_comes_back_goes_first() {
        let mut queue = SendQueue::new();
        queue.push(b"abc", Vec::new);
        let mut first = queue.take().unwrap();
        queue.push(b"d", Vec::new);
        first.at = 1;
        queue.put_back(first);
        assert_eq!(queue.len(), 3);
        assert_eq!(queue.take(), Some(Outgoing { bytes: b"abc".to_vec(), at: 1 }));
        assert_eq!(queue.take(), Some(Outgoing { bytes: b"d".to_vec(), at: 0 }));
        assert!(queue.is_empty());
    }

    #[test]
    fn one_that_comes_back_whole_sent_is_nothing() {
        let mut queue = SendQueue::new();
        queue.put_back(Outgoing { bytes: b"ab".to_vec(), at: 2 });
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn memory_is_asked_for_once() {
        let mut queue = SendQueue::new();
        queue.push(b"a", || Vec::with_capacity(64));
        queue.push(b"b", || panic!("it has memory"));
        assert_eq!(queue.clear(), 2);
        assert!(queue.is_empty());
    }
}
