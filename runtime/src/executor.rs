//! What polls tasks: futures with a home, an allocation each, and handles that may be elsewhere.
//!
//! A home ([`Home`]) is what a loop has of tasks: it spawns them, polls those that can run, and
//! drops them when it closes. It knows no loop: shards, guests and sets of local tasks each have
//! one. What users see of tasks is in [`task`](crate::task), on top of runtimes.
//
// # How a task lives
//
// ```text
//                       wake                    pop
//   spawn ---> queued <------ idle     queued -------> running ---> done ---> freed
//                ^              ^                      |  |  |       ^  last reference
//                +---- woken ---|----------------------+  |  |       |
//                               +------- pending ---------+  +-------+ ready, panicked or aborted
// ```
//
// One allocation, of the home's slab (`slab`), holds the header (`header`) and then the future and
// later its result (`raw`). What it is doing stands in two words (`state`).
//
// *Local* belongs to the thread of the home. It holds the run state and the references that this
// thread counts, and is read and written plainly: spawning, waking, polling, joining and freeing
// at home need no atomic read-modify-write and no malloc. Others read one of its flags, DONE.
//
// *Shared* is everybody's. Another thread never changes the task: it sets a bit that says what it
// asks for (a wake, an abort, the end of the join handle), and if it is the first to ask it pushes
// the task, by its own link, into the home's inbox and rings. The home takes the link, takes the
// bits, and does what they say, so that nothing of a task's life is raced for. A thread is at home
// if the home that it has entered is the one that the task's address yields (`waker::home_of`);
// the same thread outside of its loop is a stranger like any other, which is slower and as right.
//
// # Counting
//
// A task is freed when it is done and no handle and no waker refers to it; until it is done it
// stays whoever refers to it. References are counted where they are made and dropped: at home in
// the local word, elsewhere in the shared one, and either may become negative since references
// travel. Their sum is the truth.
//
// 1. At home a count that reaches zero is compared with the shared word by a plain load. If that is
//    zero too there are no references: whoever changed it after the value that was read would need
//    a reference, made from one that is counted as neither dropped at home nor in that value
//    (`Shared::settle`).
// 2. Elsewhere a count that falls below zero is the home's to understand, so the dropper pushes the
//    link, and the home adds it to its own.
// 3. If the home's count of a task that is done reaches zero and others remain, it adds its count
//    to the shared word for good (WHOLE): from then on that word is the sum, and whoever brings it
//    to zero pushes the link for the home to free the task.
// 4. When the home closes it drops all futures, closes the inbox, and does step 3 for every task
//    that is left (ORPHAN). Whoever finds the inbox closed does what the home would have done,
//    and whoever finds ORPHAN and no reference frees the memory. Between the closing of the inbox
//    and ORPHAN the links of refused pushers are left to the home, which is about to count.
//
// # Who may touch what
//
// | part | before DONE | after DONE |
// |---|---|---|
// | future | home | gone |
// | result | nobody | the join handle, wherever it is; the home once that is gone |
// | joiner's waker | home | home, which takes it at once |
// | link | whoever sets LINKED, until the home clears it | the same |
// | memory | nobody frees it | home; after ORPHAN whoever drops the last reference |
//
// All of this is about tasks that have a home. Those that have none, since any shard may poll them,
// share the header, the handles and the wakers, and have a protocol of their own (`stealable`).
//
// A join from elsewhere cannot write the joiner's waker: it sends the home a waker of a cell of its
// own (`join_elsewhere`).

#[allow(unsafe_code, reason = "counted references of one type to tasks of any")]
mod abort;
pub mod coop;
mod current;
mod errand;
mod error;
pub(crate) mod gauge;
#[allow(unsafe_code, reason = "tasks by their addresses")]
mod header;
#[allow(unsafe_code, reason = "polls, cancels and frees tasks whose type is erased")]
mod home;
mod id;
#[allow(unsafe_code, reason = "closures of any type behind links")]
pub(crate) mod inbox;
#[allow(unsafe_code, reason = "takes the result out of a task whose type is erased")]
mod join;
#[allow(unsafe_code, reason = "a waker that two threads hand to each other")]
mod join_elsewhere;
#[cfg(all(test, henge_loom))]
mod loom_tests;
#[allow(unsafe_code, reason = "wakers that point to seats, counted together")]
pub(crate) mod members;
#[allow(unsafe_code, reason = "makes tasks whose type is erased")]
mod newborn;
#[allow(unsafe_code, reason = "the memory that holds first a future, then its result")]
mod raw;
pub(crate) mod roster;
#[allow(unsafe_code, reason = "the allocator of tasks")]
mod slab;
mod span;
pub(crate) mod spawn_meta;
mod state;
#[allow(unsafe_code, reason = "tasks without a home, on counted memory that any thread may free")]
pub(crate) mod stealable;
#[cfg(all(test, not(henge_loom)))]
#[allow(unsafe_code, reason = "wakers and counts that only a test makes")]
mod tests;
#[allow(unsafe_code, reason = "wakers are made of a pointer and four unsafe functions")]
mod waker;
mod yield_now;

pub use abort::AbortHandle;
pub use error::JoinError;
pub use id::{Id, id, try_id};
pub use join::JoinHandle;
pub use yield_now::yield_now;

pub(crate) use current::{View, level};
pub(crate) use errand::Errand;
pub(crate) use home::{Entered, Home, Polls};
pub(crate) use raw::swallow;
