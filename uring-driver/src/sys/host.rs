//! What the machine and this process's limits are like, for messages that name the cause.

use std::ffi::CStr;
use std::fs;
use std::sync::OnceLock;

/// The kernel's own name for its version, as `uname -r` prints it; empty if it will not say. Asked
/// for once.
pub(crate) fn release() -> &'static str {
    static RELEASE: OnceLock<String> = OnceLock::new();
    RELEASE.get_or_init(ask_release)
}

fn ask_release() -> String {
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

/// Major, minor and patch number of a release such as `6.1.0-13-amd64`. One without a patch number
/// (`6.12-rc1`) is taken for the first.
pub(crate) fn version(release: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = release.splitn(3, '.');
    let major = numbers.next()?.parse().ok()?;
    let mut leading = || {
        let text = numbers.next()?;
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    Some((major, leading()?, leading().unwrap_or(0)))
}

/// A variable of the environment, if it is set and text.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
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
    use super::{release, version};

    #[test]
    fn versions_are_read_as_distributions_write_them() {
        assert_eq!(version("6.1.115-13-amd64"), Some((6, 1, 115)));
        assert_eq!(version("5.15.167.4-microsoft-standard-WSL2"), Some((5, 15, 167)));
        assert_eq!(version("6.12-rc1"), Some((6, 12, 0)));
        assert_eq!(version("10.0.1"), Some((10, 0, 1)));
        assert_eq!(version("6"), None);
        assert_eq!(version(""), None);
        assert_eq!(version("unknown"), None);
    }

    #[test]
    fn the_release_is_a_version() {
        assert!(release().starts_with(|c: char| c.is_ascii_digit()));
    }
}
