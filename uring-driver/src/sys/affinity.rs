//! Which CPUs a thread may use.

use std::io;

/// Lets the calling thread use every CPU that the process's first thread may use.
///
/// A thread inherits the CPUs of the thread that started it, so one that was started on a pinned
/// shard would share the shard's CPU.
///
/// # Errors
///
/// What the system answers; where a sandbox forbids the call the thread keeps the CPUs it has.
///
/// ```
/// henge_driver::sys::affinity::unpin()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn unpin() -> io::Result<()> {
    // A mask of the kernel may be longer than libc's `cpu_set_t` of 1,024 CPUs.
    let mut mask = [0u64; 128];
    let bytes = size_of_val(&mask);
    // The process's own number is also the number of its first thread.
    let first = std::process::id().cast_signed();
    // SAFETY: the pointer and the length describe `mask`, which is exclusively ours.
    let got = unsafe { libc::sched_getaffinity(first, bytes, mask.as_mut_ptr().cast()) };
    if got < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above; the call only reads. Zero is the calling thread.
    let set = unsafe { libc::sched_setaffinity(0, bytes, mask.as_ptr().cast()) };
    if set < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
