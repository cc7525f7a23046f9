//! Why this process cannot have a ring, and what to do about it.
//!
//! The kernel answers with one number for many causes, so the number is looked at together with
//! the facts that tell the causes apart. [`cause`] is a pure function of both.

use std::error::Error;
use std::fmt;
use std::io;

use crate::known_bugs::Bug;
use crate::sys::{abi, host};

/// The oldest kernel with everything that the driver rests on (DEFER_TASKRUN above all).
const FLOOR: (u32, u32) = (6, 1);

/// What is known beside the kernel's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Facts {
    release: String,
    disabled: Option<u8>,
    filtered: Option<bool>,
    descriptors: Option<u64>,
    memlock: Option<u64>,
}

impl Facts {
    fn gather() -> Facts {
        Facts {
            release: host::release().to_owned(),
            disabled: host::io_uring_disabled(),
            filtered: host::seccomp_filter(),
            descriptors: host::descriptor_limit(),
            memlock: host::memlock_limit(),
        }
    }
}

/// Why there is no ring.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    TooOld { release: String },
    NotBuilt { release: String },
    Broken { release: String, bug: String },
    Disabled,
    DisabledForMost,
    Seccomp,
    Forbidden,
    ProcessDescriptors { limit: Option<u64> },
    SystemDescriptors,
    Memory { memlock: Option<u64> },
    Other,
}

fn is_too_old(release: &str) -> bool {
    host::version(release).is_some_and(|(major, minor, _)| (major, minor) < FLOOR)
}

fn cause(errno: Option<i32>, facts: &Facts) -> Cause {
    let release = facts.release.clone();
    let filtered = facts.filtered == Some(true);
    match errno {
        // The older kernel's answer may be any; that it is too old comes first, since with the
        // other cause out of the way this one would be next.
        _ if is_too_old(&facts.release) => Cause::TooOld { release },
        Some(abi::EPERM | abi::EACCES) => match facts.disabled {
            Some(2) => Cause::Disabled,
            // Those that the sysctl lets through may still be stopped by a filter, but who is not
            // let through is the more likely case.
            Some(1) => Cause::DisabledForMost,
            _ if filtered => Cause::Seccomp,
            _ => Cause::Forbidden,
        },
        Some(abi::ENOSYS) if filtered => Cause::Seccomp,
        Some(abi::ENOSYS) => Cause::NotBuilt { release },
        Some(abi::EMFILE) => Cause::ProcessDescriptors { limit: facts.descriptors },
        Some(abi::ENFILE) => Cause::SystemDescriptors,
        Some(abi::ENOMEM) => Cause::Memory { memlock: facts.memlock },
        _ => Cause::Other,
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = FLOOR;
        match self {
            Cause::TooOld { release } => write!(
                f,
                "the kernel is too old: {release} runs, {major}.{minor} or newer is needed"
            ),
            Cause::NotBuilt { release } => write!(
                f,
                "the kernel ({release}) was built without io_uring: it needs CONFIG_IO_URING"
            ),
            Cause::Broken { release, bug } => write!(
                f,
                "the kernel ({release}) is known to be broken: {bug}; to use it all the same, set \
                 HENGE_IGNORE_KERNEL_BUGS=1"
            ),
            Cause::Disabled => f.write_str(
                "the sysctl kernel.io_uring_disabled is 2, which forbids io_uring to everybody: \
                 set it to 0 (`sysctl -w kernel.io_uring_disabled=0`)",
            ),
            Cause::DisabledForMost => f.write_str(
                "the sysctl kernel.io_uring_disabled is 1, which forbids io_uring to processes \
                 without CAP_SYS_ADMIN that are not in the group kernel.io_uring_group: set it to \
                 0 (`sysctl -w kernel.io_uring_disabled=0`), or put the user into that group",
            ),
            Cause::Seccomp => f.write_str(
                "a seccomp filter forbids io_uring, as those of container engines do by default: \
                 allow io_uring_setup, io_uring_enter and io_uring_register in the container's \
                 profile (`--security-opt seccomp=profile.json`)",
            ),
            Cause::Forbidden => f.write_str(
                "the system forbids io_uring to this process, and neither a sysctl nor a seccomp \
                 filter is to be seen: look at the security module (SELinux, AppArmor) and at the \
                 sandbox",
            ),
            Cause::ProcessDescriptors { limit } => {
                f.write_str("the process has as many descriptors open as it may")?;
                if let Some(limit) = limit {
                    write!(f, " ({limit})")?;
                }
                f.write_str(": raise the limit (`ulimit -n`, or LimitNOFILE= of the service)")
            }
            Cause::SystemDescriptors => f.write_str(
                "the system has as many files open as it may: raise the sysctl fs.file-max",
            ),
            Cause::Memory { memlock } => {
                f.write_str("the kernel had no memory for the ring")?;
                if let Some(memlock) = memlock.filter(|&memlock| memlock != u64::MAX) {
                    write!(
                        f,
                        ", or this user has locked as much memory as he may (the limit is \
                         {memlock} bytes)"
                    )?;
                }
                f.write_str(
                    ": use smaller rings, give the memory control group more, or raise the limit \
                     (`ulimit -l`, or LimitMEMLOCK= of the service)",
                )
            }
            Cause::Other => f.write_str("the kernel refused the ring"),
        }
    }
}

/// The error behind the `io::Error` of a driver that could not be made.
#[derive(Debug)]
struct Refused {
    cause: Cause,
    answer: io::Error,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "io_uring is not available: {} ({})", self.cause, self.answer)
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.answer)
    }
}

/// Names the cause of the kernel's answer, and the cure. The kind stays; the answer itself is the
/// [source](Error::source).
pub(crate) fn explain(answer: io::Error) -> io::Error {
    let cause = cause(answer.raw_os_error(), &Facts::gather());
    io::Error::new(answer.kind(), Refused { cause, answer })
}

/// The answer for a ring that was had, but without what the driver rests on.
pub(crate) fn too_old() -> io::Error {
    let (release, answer) = (host::release().to_owned(), io::ErrorKind::Unsupported.into());
    io::Error::new(io::ErrorKind::Unsupported, Refused { cause: Cause::TooOld { release }, answer })
}

/// The answer on a kernel that is known for a bug that henge cannot live with.
pub(crate) fn broken(bug: &Bug) -> io::Error {
    let (release, answer) = (host::release().to_owned(), io::ErrorKind::Unsupported.into());
    let cause = Cause::Broken { release, bug: bug.describe() };
    io::Error::new(io::ErrorKind::Unsupported, Refused { cause, answer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(errno: i32, set: impl FnOnce(&mut Facts)) -> String {
        let mut facts = Facts { release: "6.18.1".to_owned(), ..Facts::default() };
        set(&mut facts);
        cause(Some(errno), &facts).to_string()
    }

    #[test]
    fn kernels_before_the_floor_are_too_old() {
        assert!(is_too_old("6.0.19") && is_too_old("5.19.0") && is_too_old("4.18.0-553.el8"));
        assert!(!is_too_old("6.1.0") && !is_too_old("7.0.0") && !is_too_old("a riddle"));
    }

    #[test]
    fn an_old_kernel_is_named_whatever_it_answers() {
        for errno in [abi::EINVAL, abi::ENOSYS, abi::EPERM] {
            let text = told(errno, |facts| facts.release = "5.15.0-91-generic".to_owned());
            assert!(text.contains("too old: 5.15.0-91-generic runs, 6.1 or newer"), "{text}");
        }
    }

    #[test]
    fn the_sysctl_is_named_with_its_value() {
        let text = told(abi::EPERM, |facts| facts.disabled = Some(2));
        assert!(text.contains("kernel.io_uring_disabled is 2"), "{text}");
        assert!(text.contains("sysctl -w kernel.io_uring_disabled=0"), "{text}");
        let text = told(abi::EPERM, |facts| facts.disabled = Some(1));
        assert!(text.contains("kernel.io_uring_disabled is 1"), "{text}");
        assert!(text.contains("kernel.io_uring_group"), "{text}");
    }

    #[test]
    fn a_filter_is_named_for_either_answer() {
        for errno in [abi::EPERM, abi::ENOSYS] {
            let text = told(errno, |facts| facts.filtered = Some(true));
            assert!(text.contains("seccomp") && text.contains("io_uring_setup"), "{text}");
        }
        let text = told(abi::EPERM, |facts| (facts.disabled, facts.filtered) = (Some(0), None));
        assert!(text.contains("security module"), "{text}");
        let text = told(abi::ENOSYS, |facts| facts.filtered = Some(false));
        assert!(text.contains("CONFIG_IO_URING"), "{text}");
    }

    #[test]
    fn limits_are_named_with_their_values() {
        let text = told(abi::EMFILE, |facts| facts.descriptors = Some(256));
        assert!(text.contains("(256)") && text.contains("ulimit -n"), "{text}");
        let text = told(abi::ENFILE, |_| ());
        assert!(text.contains("fs.file-max"), "{text}");
        let text = told(abi::ENOMEM, |facts| facts.memlock = Some(65_536));
        assert!(text.contains("limit is 65536 bytes") && text.contains("ulimit -l"), "{text}");
        let text = told(abi::ENOMEM, |facts| facts.memlock = Some(u64::MAX));
        assert!(!text.contains("locked"), "{text}");
    }

    #[test]
    fn the_answer_is_the_source_and_its_kind_stays() {
        let error = explain(io::Error::from_raw_os_error(abi::EMFILE));
        assert_eq!(error.kind(), io::Error::from_raw_os_error(abi::EMFILE).kind());
        let source = error.get_ref().and_then(|refused| refused.source());
        let answer = source.and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(answer.and_then(io::Error::raw_os_error), Some(abi::EMFILE));
    }
}
