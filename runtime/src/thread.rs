//! Threads beside the shards.

use std::io;
use std::thread::JoinHandle;

use henge_driver::sys;

/// Starts a thread that may run on all CPUs of the process.
///
/// A thread inherits the CPUs of the one that starts it; started by `std::thread::spawn` on a
/// pinned shard, it would share that shard's one CPU.
///
/// # Errors
/// If the system cannot have one more thread.
///
/// # Examples
/// ```
/// let thread = henge::thread::spawn(|| 6 * 7)?;
/// assert_eq!(thread.join().ok(), Some(42));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn spawn<F, T>(main: F) -> io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    sys::thread::spawn(String::from("henge-thread"), None, move || {
        // Where a sandbox forbids it, the thread keeps the CPUs it has, and works all the same.
        drop(sys::cpu::unpin());
        main()
    })
}
