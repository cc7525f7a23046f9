//! Giving buffers to the kernel: the only place of the pool where an address goes over.

use std::io;

use super::Buffers;
use super::buffer::Buffer;
use crate::remote::Remote;
use crate::ring::Ring;

impl Buffers {
    /// Tells the kernel of the (empty) ring.
    pub(super) fn register(&self, ring: &Ring) -> io::Result<()> {
        // SAFETY: the ring's memory stays where it is when `self` moves, and is dropped only after
        // `Pool::close` has unregistered it; it is forgotten where that fails.
        unsafe { ring.register_buffers(&self.ring, self.incremental) }
    }

    /// Makes `n` more buffers.
    pub(super) fn grow(&mut self, n: usize, remote: &Remote) {
        for _ in 0..n.min(self.most - self.ledger.len()) {
            let id = self.ledger.add(|id| Buffer::new(self.size, id, remote.clone()));
            self.push(id);
        }
        self.ring.publish();
    }

    /// Gives buffer `id`, of which no piece is out, to the kernel again.
    #[inline]
    pub(super) fn provide(&mut self, id: u16) {
        self.ledger.provided(id);
        self.push(id);
        self.ring.publish();
    }

    #[inline]
    fn push(&self, id: u16) {
        let Some(buffer) = self.ledger.memory(id) else { return };
        // SAFETY: the buffer is the kernel's by the ledger, which keeps it from being given out
        // until a completion has named it; it is freed by `Pool::close` alone, after the ring is
        // unregistered. There are at most `most` buffers, each in the ring at most once, and the
        // ring has at least as many places.
        unsafe { self.ring.push(buffer.address(), self.size, id) };
    }
}
