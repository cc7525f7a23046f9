//! Byte buffers that are wanted for a moment, and always again: those that writes gather in.
//!
//! The one that came back last goes out first, because its memory is warm. Only so many are kept,
//! so what a burst took is given back.

use std::cell::RefCell;

/// The capacity of a buffer: what a stream's writes of one turn usually need.
const CAPACITY: usize = 4 << 10;
/// How many are kept at most: somewhat more than tasks run between two enters.
const KEPT: usize = 128;

/// A driver's spare byte buffers.
#[derive(Debug, Default)]
pub struct Scratch(RefCell<Vec<Vec<u8>>>);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        Scratch::default()
    }

    /// An empty buffer with some capacity.
    #[inline]
    pub fn take(&self) -> Vec<u8> {
        self.0.borrow_mut().pop().unwrap_or_else(|| Vec::with_capacity(CAPACITY))
    }

    /// Takes a buffer back, from whomever; one that has grown is freed.
    #[inline]
    pub fn give(&self, mut buffer: Vec<u8>) {
        let mut kept = self.0.borrow_mut();
        if buffer.capacity() == CAPACITY && kept.len() < KEPT {
            buffer.clear();
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, KEPT, Scratch};

    #[test]
    fn the_last_one_back_goes_out_first_and_is_empty() {
        let scratch = Scratch::new();
        let (a, mut b) = (scratch.take(), scratch.take());
        let at = b.as_ptr();
        b.push(1);
        scratch.give(a);
        scratch.give(b);
        let again = scratch.take();
        assert_eq!((again.as_ptr(), again.len()), (at, 0));
    }

    #[test]
    fn it_keeps_neither_many_nor_big_ones() {
        let scratch = Scratch::new();
        scratch.give(Vec::with_capacity(2 * CAPACITY));
        assert_eq!(scratch.0.borrow().len(), 0);
        let all: Vec<_> = (0..2 * KEPT).map(|_| scratch.take()).collect();
        all.into_iter().for_each(|buffer| scratch.give(buffer));
        assert_eq!(scratch.0.borrow().len(), KEPT);
    }
}
