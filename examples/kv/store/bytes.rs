//! Short byte strings without an allocation.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// As many bytes as fit beside their number and the tag.
const INLINE: usize = 22;

/// A byte string. Most keys and many values are short: those stand in the entry itself, which saves
/// an allocation for each, and for each look a line of the cache.
#[derive(Clone)]
pub enum Bytes {
    /// So many of these bytes.
    Inline(u8, [u8; INLINE]),
    /// A longer one.
    Heap(Box<[u8]>),
}

impl Bytes {
    /// Becomes `bytes`, in the memory that is there already where the length is the same.
    pub fn assign(&mut self, bytes: &[u8]) {
        match self {
            Bytes::Heap(old) if old.len() == bytes.len() => old.copy_from_slice(bytes),
            _ => *self = Bytes::from(bytes),
        }
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Bytes {
        let mut inline = [0; INLINE];
        match inline.get_mut(..bytes.len()) {
            Some(start) => {
                start.copy_from_slice(bytes);
                Bytes::Inline(bytes.len() as u8, inline)
            }
            None => Bytes::Heap(bytes.into()),
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        if bytes.len() <= INLINE { Bytes::from(&bytes[..]) } else { Bytes::Heap(bytes.into()) }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Inline(length, bytes) => &bytes[..usize::from(*length)],
            Bytes::Heap(bytes) => bytes,
        }
    }
}

impl Borrow<[u8]> for Bytes {
    fn borrow(&self) -> &[u8] {
        self
    }
}

// As slices are, or a look-up by slice would not find them.
impl Hash for Bytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl PartialOrd for Bytes {
    fn partial_cmp(&self, other: &Bytes) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bytes {
    fn cmp(&self, other: &Bytes) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}
