//! What the machine and this process's limits are like, for messages that name the cause.

use std::ffi::CStr;
use std::fs;

/// The kernel's own name for its version, as `uname -r` prints it; empty if it will not say.
pub(crate) fn release() -> String {
    // SAFETY: `struct utsname` is arrays of characters, for which zero is a value.
    let mut name: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a struct of this type that is exclusively ours.
    if unsafe { libc::uname(&mut name) } < 0 {
        return String::new();
    }
    // SAFETY: the kernel has ended the string with a zero, within the array.
    let release = unsafe { CStr::from_ptr(name.release.as_ptr()) };
    release.to_string_lossy().into_owned()
}

/// The sysctl `kernel.io_uring_disabled`; `None` on kernels before 6.6, or where /proc is hidden.
pub(crate) fn io_uring_disabled() -> Option<u8> {
    fs::read_to_string("/proc/sys/kernel/io_uring_disabled").ok()?.trim().parse().ok()
}

/// Whether a seccomp filter is in force on this thread; `None` where /proc is hidden.
pub(crate) fn seccomp_filter() -> Option<bool> {
    let status = fs::read_to_string("/proc/thread-self/status").ok()?;
    let mode = status.lines().find_map(|line| line.strip_prefix("Seccomp:"))?;
    Some(mode.trim() == "2")
}

/// How many descriptors this process may have open.
pub(crate) fn descriptor_limit() -> Option<u64> {
    limit(libc::RLIMIT_NOFILE)
}

/// How many bytes this process may lock in memory.
pub(crate) fn memlock_limit() -> Option<u64> {
    limit(libc::RLIMIT_MEMLOCK)
}

fn limit(resource: libc::__rlimit_resource_t) -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a struct of this type that is exclusively ours.
    let got = unsafe { libc::getrlimit(resource, &mut limit) };
    (got == 0).then_some(limit.rlim_cur)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_release_is_a_version() {
        assert!(super::release().starts_with(|c: char| c.is_ascii_digit()));
    }
}
