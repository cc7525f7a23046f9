//! Threads beside the shards.

use std::cell::Cell;
use std::io;
use std::thread::JoinHandle;

use henge_driver::sys;
use henge_driver::sys::cpu::{self, CpuSet};

thread_local! {
    /// Whether this thread is a shard's that was pinned.
    static PINNED: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread, a shard's, was pinned.
pub(crate) fn is_pinned_now() {
    PINNED.set(true);
}

/// Calls `f` while this thread may run on all CPUs of the process: a child inherits the CPUs of the
/// thread that starts it, and would have a shard's one.
pub(crate) fn with_all_cpus<R>(f: impl FnOnce() -> R) -> R {
    struct Back(Option<CpuSet>);
    impl Drop for Back {
        fn drop(&mut self) {
            // Refused where the CPUs were taken from the process meanwhile: those that it has then
            // are right.
            let _moved = self.0.take().map(|own| cpu::set_affinity(&own));
        }
    }
    if !PINNED.get() {
        return f();
    }
    let own = cpu::affinity().ok();
    // Without a way back it stays. Where a sandbox forbids it the child has the shard's CPU.
    let _back = Back(own.filter(|_| cpu::unpin().is_ok()));
    f()
}

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
        drop(cpu::unpin());
        main()
    })
}
