//! Other drivers that this one has sent wakes to: whose message was it that failed?

use std::sync::Arc;

use slab::Slab;

use crate::remote::Shared;

/// The drivers that were written to, by the number that travels with the message.
#[derive(Debug)]
pub(crate) struct Peers {
    peers: Slab<Arc<Shared>>,
}

impl Peers {
    pub(crate) fn new() -> Peers {
        Peers { peers: Slab::new() }
    }

    /// The number of this peer. A number is given to another peer only after its first one has
    /// been shut down: its late failures then cost the other one wake too many.
    pub(crate) fn index_of(&mut self, peer: &Arc<Shared>) -> u64 {
        let known = self.peers.iter().find(|(_, known)| Arc::ptr_eq(known, peer));
        if let Some((index, _)) = known {
            return index as u64;
        }
        self.peers.retain(|_, known| !known.list.is_closed());
        self.peers.insert(Arc::clone(peer)) as u64
    }

    /// The peer of this number.
    pub(crate) fn get(&self, index: u64) -> Option<Arc<Shared>> {
        self.peers.get(usize::try_from(index).ok()?).cloned()
    }
}
