//! Which buffer is whose: the pool's bookkeeping, as a value without memory.
//!
//! ```text
//!             ┌─────────────────────────── provide ──────────────────────────┐
//!             ▼                                                              │
//!   ┌───────────────────┐   used(more)    ┌──────┐   used(last)   ┌──────────┴┐
//!   │ kernel's, n bytes │ ──────────────▶ │ same │ ─────────────▶ │  held by  │
//!   │      filled       │ ◀────────────── │      │                │  readers  │
//!   └───────────────────┘                 └──────┘                └───────────┘
//! ```
//!
//! A buffer goes back to the kernel when it was used up *and* the last of its pieces is gone.
//! Incremental buffers (6.12) are used piece by piece and say with each completion whether more
//! will come; classic ones are used up by one completion.

use std::cell::Cell;

/// How many have a buffer: the kernel is one, and each piece that somebody reads. It stands beside
/// the memory, so that whoever gives up a piece need not ask for the rest.
#[derive(Debug, Default)]
pub(super) struct Users(Cell<u32>);

impl Users {
    #[inline]
    fn join(&self) {
        self.0.set(self.0.get() + 1);
    }

    /// So many go. True if nobody is left: then the buffer is to be provided again.
    #[inline]
    #[must_use = "a buffer that is not provided again is lost"]
    pub(super) fn leave(&self, n: u32) -> bool {
        debug_assert!(self.0.get() >= n, "more came back than was given out");
        self.0.set(self.0.get() - n);
        self.0.get() == 0
    }
}

/// The memory of a buffer.
pub(super) trait Used {
    /// How many have it.
    fn users(&self) -> &Users;
}

/// What is known of one buffer, whose memory is `M`.
#[derive(Debug)]
struct Entry<M> {
    memory: M,
    /// Bytes that the kernel has put into it since it was provided.
    filled: u32,
    kernels: bool,
}

/// The buffers by their numbers.
#[derive(Debug)]
pub(super) struct Ledger<M> {
    entries: Vec<Entry<M>>,
    size: u32,
    kernels: usize,
}

/// What a completion has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brought {
    /// `len` bytes at `at`: a piece, which is counted as held.
    Piece { at: u32, len: u32 },
    /// Nothing.
    Nothing,
    /// Nothing, and the buffer is to be provided again.
    Provide,
    /// Not a buffer that the kernel has, or not as many bytes: not believed.
    Bogus,
}

impl<M: Used> Ledger<M> {
    /// No buffers, each to be of `size` bytes.
    pub(super) fn new(size: u32) -> Ledger<M> {
        Ledger { entries: Vec::new(), size, kernels: 0 }
    }

    /// How many buffers there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them the kernel can put something into.
    pub(super) fn kernels(&self) -> usize {
        self.kernels
    }

    /// A further buffer, which is the kernel's from now on, made from its number, which comes back.
    pub(super) fn add(&mut self, make: impl FnOnce(u16) -> M) -> u16 {
        let id = u16::try_from(self.entries.len()).expect("the cap is below 2¹⁵");
        let memory = make(id);
        memory.users().join();
        self.entries.push(Entry { memory, filled: 0, kernels: true });
        self.kernels += 1;
        id
    }

    /// The memory of buffer `id`.
    #[inline]
    pub(super) fn memory(&self, id: u16) -> Option<&M> {
        self.entries.get(usize::from(id)).map(|entry| &entry.memory)
    }

    /// The end: the memory of all buffers, and how many pieces of each are read by somebody.
    pub(super) fn close(self) -> impl Iterator<Item = (M, u32)> {
        self.entries.into_iter().map(|entry| {
            let held = entry.memory.users().0.get() - u32::from(entry.kernels);
            (entry.memory, held)
        })
    }

    /// As [`used`](Ledger::used), where the kernel says that it has put something into buffer `id`,
    /// and that more will come: where the piece begins, and in which memory. If that is not to be
    /// believed, nothing was done.
    #[inline]
    pub(super) fn used_in_part(&mut self, id: u16, len: u32) -> Option<(&M, u32)> {
        let entry = self.entries.get_mut(usize::from(id))?;
        if !entry.kernels || len > self.size - entry.filled || len == 0 {
            return None;
        }
        let at = entry.filled;
        entry.filled += len;
        entry.memory.users().join();
        Some((&entry.memory, at))
    }

    /// The kernel says that it has put `len` bytes into buffer `id`, and whether more will come.
    #[inline]
    pub(super) fn used(&mut self, id: u16, len: u32, more: bool) -> Brought {
        let Some(entry) = self.entries.get_mut(usize::from(id)) else { return Brought::Bogus };
        if !entry.kernels || len > self.size - entry.filled {
            return Brought::Bogus;
        }
        let (at, users) = (entry.filled, entry.memory.users());
        entry.filled += len;
        if len > 0 {
            users.join();
        }
        let mut deserted = false;
        if !more {
            entry.kernels = false;
            self.kernels -= 1;
            deserted = users.leave(1);
        }
        match len {
            0 if deserted => Brought::Provide,
            0 => Brought::Nothing,
            _ => Brought::Piece { at, len },
        }
    }

    /// Buffer `id` is the kernel's again, from its first byte on.
    #[inline]
    pub(super) fn provided(&mut self, id: u16) {
        let entry = &mut self.entries[usize::from(id)];
        debug_assert!(!entry.kernels && entry.memory.users().0.get() == 0);
        entry.filled = 0;
        entry.kernels = true;
        entry.memory.users().join();
        self.kernels += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Brought, Ledger, Used, Users};

    /// A buffer without memory.
    #[derive(Debug, Default)]
    struct Named(u16, Users);

    impl Named {
        fn new(id: u16) -> Named {
            Named(id, Users::default())
        }
    }

    impl Used for Named {
        fn users(&self) -> &Users {
            &self.1
        }
    }

    /// The naive pool: every byte has an owner, and a buffer is a row of them.
    struct Naive {
        /// By buffer: how far the kernel came, `None` when it does not have it.
        kernel: Vec<Option<u32>>,
        /// The pieces that are out: buffer, first byte, length.
        pieces: Vec<(u16, u32, u32)>,
    }

    #[test]
    fn agrees_with_a_naive_pool() {
        const SIZE: u32 = 64;
        for seed in 1..=200_u64 {
            let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut random = move |n: u32| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state % u64::from(n)) as u32
            };
            let mut ledger: Ledger<Named> = Ledger::new(SIZE);
            let mut naive = Naive { kernel: Vec::new(), pieces: Vec::new() };
            for _ in 0..500 {
                match random(4) {
                    0 if naive.kernel.len() < 5 => {
                        let id = ledger.add(Named::new);
                        assert_eq!(ledger.memory(id).map(|named| named.0), Some(id));
                        assert_eq!(usize::from(id), naive.kernel.len());
                        naive.kernel.push(Some(0));
                    }
                    1 | 2 if !naive.kernel.is_empty() => {
                        let id = random(naive.kernel.len() as u32) as u16;
                        let len = random(SIZE / 2);
                        let used = match naive.kernel[usize::from(id)] {
                            Some(filled) if filled + len <= SIZE => {
                                // The kernel keeps what has room left; now and then it gives up.
                                let more = filled + len < SIZE && random(8) > 0;
                                // There are two ways to say so, and both are the same.
                                let quickly = more && len > 0 && random(2) > 0;
                                let used = if quickly {
                                    let piece = ledger.used_in_part(id, len);
                                    let (memory, at) = piece.expect("to be believed");
                                    assert_eq!(memory.0, id);
                                    Brought::Piece { at, len }
                                } else {
                                    ledger.used(id, len, more)
                                };
                                if len > 0 {
                                    assert_eq!(used, Brought::Piece { at: filled, len });
                                    for &(other, at, n) in &naive.pieces {
                                        let apart = at + n <= filled || filled + len <= at;
                                        assert!(other != id || apart, "two owners of a byte");
                                    }
                                    naive.pieces.push((id, filled, len));
                                }
                                naive.kernel[usize::from(id)] = more.then_some(filled + len);
                                used
                            }
                            _ => {
                                assert!(ledger.used_in_part(id, len).is_none());
                                assert_eq!(ledger.used(id, len, false), Brought::Bogus);
                                continue;
                            }
                        };
                        let out = naive.pieces.iter().any(|piece| piece.0 == id);
                        let idle = naive.kernel[usize::from(id)].is_none() && !out;
                        assert_eq!(used == Brought::Provide, idle);
                        if idle {
                            ledger.provided(id);
                            naive.kernel[usize::from(id)] = Some(0);
                        }
                    }
                    3 if !naive.pieces.is_empty() => {
                        let at = random(naive.pieces.len() as u32) as usize;
                        let (id, _, _) = naive.pieces.swap_remove(at);
                        let out = naive.pieces.iter().any(|piece| piece.0 == id);
                        let idle = naive.kernel[usize::from(id)].is_none() && !out;
                        let users = ledger.memory(id).expect("there is one").users();
                        assert_eq!(users.leave(1), idle);
                        if idle {
                            ledger.provided(id);
                            naive.kernel[usize::from(id)] = Some(0);
                        }
                    }
                    _ => {}
                }
                let kernels = naive.kernel.iter().filter(|filled| filled.is_some()).count();
                assert_eq!(ledger.kernels(), kernels);
            }
            for (Named(id, _), held) in ledger.close() {
                let out = naive.pieces.iter().filter(|piece| piece.0 == id).count();
                assert_eq!(held as usize, out);
            }
        }
    }

    #[test]
    fn what_the_kernel_does_not_have_is_not_believed() {
        let mut ledger = Ledger::new(16);
        assert_eq!(ledger.used(0, 1, false), Brought::Bogus);
        assert!(ledger.used_in_part(0, 1).is_none());
        let id = ledger.add(Named::new);
        assert!(ledger.used_in_part(id, 17).is_none());
        assert!(ledger.used_in_part(id, 0).is_none(), "that is no piece");
        assert_eq!(ledger.used(id, 17, false), Brought::Bogus);
        assert_eq!(ledger.used(id, 16, false), Brought::Piece { at: 0, len: 16 });
        assert_eq!(ledger.used(id, 0, false), Brought::Bogus);
    }
}
