//! What has been received and not yet read: pieces of the pool's memory, and heap memory.
//!
//! A value without any I/O. The pool's pieces are generic, so tests make their own.

use std::collections::VecDeque;

use henge_driver::pool::{Lender, Piece, RecvBuf};

/// A part of somebody's buffer, from which the reader takes bytes at the front.
pub(crate) trait Part {
    /// The bytes that are left.
    fn bytes(&self) -> &[u8];

    /// Forgets the first `n` bytes.
    fn advance(&mut self, n: usize);
}

/// Received bytes in heap memory.
#[derive(Debug)]
pub(crate) struct Heap {
    bytes: Vec<u8>,
    at: usize,
}

impl From<Vec<u8>> for Heap {
    fn from(bytes: Vec<u8>) -> Heap {
        Heap { bytes, at: 0 }
    }
}

impl From<Heap> for RecvBuf {
    fn from(heap: Heap) -> RecvBuf {
        RecvBuf::from_heap(heap.bytes, heap.at)
    }
}

impl Heap {
    #[inline]
    fn bytes(&self) -> &[u8] {
        &self.bytes[self.at..]
    }
}

/// One run of received bytes.
#[derive(Debug)]
pub(crate) enum Chunk<P> {
    Part(P),
    Heap(Heap),
}

impl<P: Part> Chunk<P> {
    #[inline]
    fn advance(&mut self, n: usize) {
        match self {
            Chunk::Part(part) => part.advance(n),
            Chunk::Heap(heap) => heap.at += n,
        }
    }

    /// The bytes that are left of it.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Part(part) => part.bytes(),
            Chunk::Heap(heap) => heap.bytes(),
        }
    }
}

/// The received bytes in order; no chunk is empty. What each read looks at comes first.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RecvQueue<P> {
    /// Before all others: a part that found the queue empty. Mostly it is read before the next one
    /// comes, and then nothing is ever in `chunks`.
    first: Option<P>,
    len: usize,
    parts: usize,
    lender: Lender,
    chunks: VecDeque<Chunk<P>>,
}

impl RecvQueue<Piece> {
    /// Hands the first run out whole.
    pub(crate) fn lend(&mut self) -> RecvBuf {
        match self.pop() {
            Some(Chunk::Part(piece)) => self.lender.lend(piece),
            Some(Chunk::Heap(heap)) => heap.into(),
            None => RecvBuf::end(),
        }
    }
}

impl<P: Part> RecvQueue<P> {
    pub(crate) const fn new() -> RecvQueue<P> {
        RecvQueue { first: None, len: 0, parts: 0, lender: Lender::new(), chunks: VecDeque::new() }
    }

    /// How many pieces of the pool's buffers are held, by the queue and by what it has lent.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        self.parts + self.lender.out()
    }

    /// How many bytes wait.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(crate) fn push(&mut self, part: P) {
        let len = part.bytes().len();
        if len == 0 {
            return;
        }
        self.parts += 1;
        if self.len == 0 {
            self.first = Some(part);
        } else {
            self.chunks.push_back(Chunk::Part(part));
        }
        self.len += len;
    }

    /// As [`push`](RecvQueue::push), if nothing else waits, nothing is lent, and the part is
    /// shorter than `most`: then no limit can be near. If not, or if it is empty, it comes back.
    #[inline]
    pub(crate) fn push_only(&mut self, part: P, most: usize) -> Result<(), P> {
        let len = part.bytes().len();
        if self.len != 0 || len == 0 || len >= most || self.lender.out() > 0 {
            return Err(part);
        }
        self.first = Some(part);
        self.parts = 1;
        self.len = len;
        Ok(())
    }

    pub(crate) fn push_heap(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.len += bytes.len();
            self.chunks.push_back(Chunk::Heap(bytes.into()));
        }
    }

    /// Copies at most `room` bytes, run by run, to `put`, and forgets them. Returns how many.
    #[inline]
    pub(crate) fn read(&mut self, room: usize, mut put: impl FnMut(&[u8])) -> usize {
        let Some(first) = &mut self.first else { return self.read_chunks(room, put) };
        let bytes = first.bytes();
        if bytes.len() > room {
            put(&bytes[..room]);
            first.advance(room);
            self.len -= room;
            return room;
        }
        put(bytes);
        let n = bytes.len();
        self.first = None;
        self.parts -= 1;
        self.len -= n;
        if self.len == 0 {
            return n;
        }
        n + self.read_chunks(room - n, put)
    }

    /// As [`read`](RecvQueue::read), if there is one part, and room for all of it: `read` gets it
    /// whole. If not, nothing is read.
    #[inline]
    pub(crate) fn read_only(&mut self, room: usize, read: impl FnOnce(P)) -> Option<usize> {
        let n = self.first.as_ref()?.bytes().len();
        if n != self.len || n > room {
            return None;
        }
        self.parts = 0;
        self.len = 0;
        self.first.take().map(read)?;
        Some(n)
    }

    fn read_chunks(&mut self, room: usize, mut put: impl FnMut(&[u8])) -> usize {
        let mut left = room;
        while left > 0
            && let Some(chunk) = self.chunks.front_mut()
        {
            let bytes = chunk.bytes();
            if bytes.len() > left {
                put(&bytes[..left]);
                chunk.advance(left);
                left = 0;
            } else {
                put(bytes);
                left -= bytes.len();
                self.parts -= usize::from(matches!(chunk, Chunk::Part(_)));
                self.chunks.pop_front();
            }
        }
        self.len -= room - left;
        room - left
    }

    /// Copies at most `room` bytes to `put`, and keeps them. Returns how many.
    pub(crate) fn peek(&self, room: usize, mut put: impl FnMut(&[u8])) -> usize {
        let mut left = room;
        let first = self.first.iter().map(Part::bytes);
        for bytes in first.chain(self.chunks.iter().map(Chunk::bytes)) {
            let n = bytes.len().min(left);
            put(&bytes[..n]);
            left -= n;
        }
        room - left
    }

    /// Takes the first run whole.
    pub(crate) fn pop(&mut self) -> Option<Chunk<P>> {
        let first = self.first.take().map(Chunk::Part);
        let chunk = first.or_else(|| self.chunks.pop_front())?;
        self.len -= chunk.bytes().len();
        self.parts -= usize::from(matches!(chunk, Chunk::Part(_)));
        Some(chunk)
    }

    /// Copies what lies in somebody's buffers to heap memory, and gives the buffers back.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if self.parts > 0 {
            self.settle_all();
        }
    }

    #[cold]
    fn settle_all(&mut self) {
        let mut unsettled = self.len;
        let mut settled: VecDeque<Chunk<P>> = VecDeque::with_capacity(1);
        let first = self.first.take().map(Chunk::Part);
        for chunk in first.into_iter().chain(self.chunks.drain(..)) {
            let len = chunk.bytes().len();
            match (chunk, settled.back_mut()) {
                (Chunk::Heap(heap), _) => settled.push_back(Chunk::Heap(heap)),
                (Chunk::Part(part), Some(Chunk::Heap(heap))) => {
                    heap.bytes.extend_from_slice(part.bytes());
                }
                (Chunk::Part(part), _) => {
                    let mut bytes = Vec::with_capacity(unsettled);
                    bytes.extend_from_slice(part.bytes());
                    settled.push_back(Chunk::Heap(bytes.into()));
                }
            }
            unsettled -= len;
        }
        self.chunks = settled;
        self.parts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunk, Part, RecvQueue};

    struct Slice(Vec<u8>);

    impl Part for Slice {
        fn bytes(&self) -> &[u8] {
            &self.0
        }

        fn advance(&mut self, n: usize) {
            self.0.drain(..n);
        }
    }

    fn read(queue: &mut RecvQueue<Slice>, room: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let n = queue.read(room, |bytes| out.extend_from_slice(bytes));
        assert_eq!(n, out.len());
        out
    }

    #[test]
    fn an_only_part_that_there_is_room_for_is_read_whole() {
        let mut queue = RecvQueue::new();
        let only = |queue: &mut RecvQueue<Slice>, room| {
            let mut out = Vec::new();
            queue.read_only(room, |part| out = part.0).map(|n| (n, out))
        };
        assert_eq!(only(&mut queue, 9), None);
        queue.push(Slice(vec![1, 2, 3]));
        assert_eq!(only(&mut queue, 2), None, "no room");
        assert_eq!(only(&mut queue, 3), Some((3, vec![1, 2, 3])));
        assert!(queue.is_empty() && queue.held() == 0);
        queue.push(Slice(vec![4]));
        queue.push(Slice(vec![5]));
        assert_eq!(only(&mut queue, 9), None, "there are two");
        assert_eq!(read(&mut queue, 9), [4, 5]);
        queue.push_heap(vec![6]);
        assert_eq!(only(&mut queue, 9), None, "it is in heap memory");
        assert_eq!(read(&mut queue, 9), [6]);
    }

    #[test]
    fn a_part_that_is_alone_and_short_is_taken_and_others_come_back() {
        let mut queue = RecvQueue::new();
        let refused = |queue: &mut RecvQueue<Slice>, bytes: &[u8]| {
            queue.push_only(Slice(bytes.to_vec()), 3).is_err_and(|part| part.0 == bytes)
        };
        assert!(refused(&mut queue, &[]) && refused(&mut queue, &[1, 2, 3]));
        assert!(!refused(&mut queue, &[1, 2]));
        assert_eq!((queue.len(), queue.held()), (2, 1));
        assert!(refused(&mut queue, &[3]), "one waits");
        assert_eq!(read(&mut queue, 9), [1, 2]);
        queue.push_heap(vec![4]);
        assert!(refused(&mut queue, &[5]), "heap memory waits");
        assert_eq!(read(&mut queue, 9), [4]);
    }

    #[test]
    fn a_read_takes_from_the_front_and_across_runs() {
        let mut queue = RecvQueue::new();
        queue.push(Slice(vec![1, 2, 3]));
        queue.push_heap(vec![4, 5]);
        queue.push(Slice(vec![6]));
        assert_eq!((queue.len(), queue.held()), (6, 2));
        assert_eq!(read(&mut queue, 2), [1, 2]);
        assert_eq!(read(&mut queue, 2), [3, 4]);
        assert_eq!(queue.held(), 1);
        assert_eq!(read(&mut queue, 9), [5, 6]);
        assert!(queue.is_empty());
        assert_eq!(read(&mut queue, 9), []);
    }

    #[test]
    fn a_peek_takes_nothing() {
        let mut queue = RecvQueue::new();
        queue.push(Slice(vec![1, 2]));
        queue.push(Slice(vec![3]));
        let mut out = Vec::new();
        assert_eq!(queue.peek(9, |bytes| out.extend_from_slice(bytes)), 3);
        assert_eq!(out, [1, 2, 3]);
        assert_eq!(queue.peek(1, |_| ()), 1);
        assert_eq!(queue.len(), 3);
    }

    #[test]
    fn empty_runs_are_not_kept() {
        let mut queue = RecvQueue::new();
        queue.push(Slice(vec![]));
        queue.push_heap(vec![]);
        assert!(queue.pop().is_none());
    }

    #[test]
    fn settling_keeps_order_and_gives_the_buffers_back() {
        let mut queue = RecvQueue::new();
        queue.push(Slice(vec![1]));
        queue.push_heap(vec![2]);
        queue.push(Slice(vec![3]));
        queue.push(Slice(vec![4]));
        queue.settle();
        assert_eq!((queue.len(), queue.held()), (4, 0));
        assert!(matches!(queue.chunks.front(), Some(Chunk::Heap(_))));
        queue.push(Slice(vec![5]));
        queue.settle();
        assert_eq!(read(&mut queue, 9), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_run_is_taken_whole() {
        let mut queue = RecvQueue::new();
        queue.push(Slice(vec![1, 2, 3]));
        assert_eq!(read(&mut queue, 1), [1]);
        assert_eq!(queue.pop().map(|run| run.bytes().to_vec()), Some(vec![2, 3]));
        assert_eq!((queue.len(), queue.held()), (0, 0));
    }

    /// Against a plain list of bytes, with every operation mixed.
    #[test]
    fn it_behaves_as_a_list_of_bytes() {
        let mut queue = RecvQueue::new();
        let mut model = std::collections::VecDeque::new();
        let (mut random, mut next) = (0x2545_F491_4F6C_DD1D_u64, 0_u8);
        for _ in 0..20_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let n = (random >> 8) as usize % 40;
            match random % 6 {
                0 | 1 => {
                    let bytes: Vec<u8> = (0..n).map(|i| next.wrapping_add(i as u8)).collect();
                    next = next.wrapping_add(n as u8);
                    model.extend(bytes.iter().copied());
                    if random % 6 == 0 {
                        queue.push(Slice(bytes));
                    } else {
                        queue.push_heap(bytes);
                    }
                }
                2 | 3 => {
                    let expected: Vec<u8> = model.drain(..n.min(model.len())).collect();
                    assert_eq!(read(&mut queue, n), expected);
                }
                4 => queue.settle(),
                _ => {
                    if let Some(run) = queue.pop() {
                        let run = run.bytes().to_vec();
                        let expected: Vec<u8> = model.drain(..run.len()).collect();
                        assert_eq!(run, expected);
                    }
                }
            }
            assert_eq!(queue.len(), model.len());
        }
    }
}
