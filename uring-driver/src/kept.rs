//! What the kernel may still write after its driver's end: kept for the life of the process, in a
//! list, so that whoever looks for leaks finds whose it is.

use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// Addresses of memory that is never freed.
static KEPT: Mutex<Vec<Address>> = Mutex::new(Vec::new());

/// Never followed: it stands for the memory.
struct Address(#[expect(dead_code, reason = "only a leak checker reads it")] NonNull<()>);

// SAFETY: an address that nobody follows may be known to every thread.
unsafe impl Send for Address {}

/// Lists memory that is left to the kernel.
pub(crate) fn keep(memory: impl IntoIterator<Item = NonNull<()>>) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.extend(memory.into_iter().map(Address));
}
