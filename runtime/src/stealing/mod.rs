//! Work that may move: the queues of stealable tasks, and who looks at them when.
//!
//! It knows tasks, and nothing of rings or runtimes. `docs/stealing.md` is the whole in prose.

#[allow(unsafe_code, reason = "owned values as pointers in slots that threads share")]
pub(crate) mod deque;
pub(crate) mod idle;
pub(crate) mod injector;
