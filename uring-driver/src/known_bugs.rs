//! Kernels whose io_uring is known to be broken, by version.
//!
//! A version says little: distributions repair bugs without changing it, and bring some of their
//! own. So the list is short, each entry has a report that anybody can read, and an environment
//! variable overrides what it does: with `HENGE_IGNORE_KERNEL_BUGS=1` a kernel is refused for none
//! of them. What can be tried is not listed, it is tried.

use crate::sys::host;

/// The variable that has bugs ignored, if it is set to anything but nothing and `0`.
const OVERRIDE: &str = "HENGE_IGNORE_KERNEL_BUGS";

/// Major, minor and patch number.
type Version = (u32, u32, u32);

/// What is done about a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// It breaks a promise of henge's: no driver is made.
    Refuse,
    /// It is rare, or costs only speed: it is told.
    Tell,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bug {
    /// From the first version on and before the second: of several lines of kernels.
    versions: &'static [(Version, Version)],
    effect: Effect,
    what: &'static str,
    /// A kernel to go to.
    cure: &'static str,
    report: &'static str,
}

const BUGS: [Bug; 5] = [
    Bug {
        versions: &[((6, 6, 0), (6, 6, 18)), ((6, 7, 0), (6, 7, 6))],
        effect: Effect::Refuse,
        what: "a multishot accept may return a number that is no descriptor of the connection",
        cure: "6.6.18, 6.7.6, or 6.8",
        report: "github.com/axboe/liburing/issues/1062",
    },
    Bug {
        versions: &[((6, 1, 115), (6, 1, 116))],
        effect: Effect::Tell,
        what: "a thread was seen to hang in io_uring_enter, and could not be killed",
        cure: "a later 6.1",
        report: "github.com/axboe/liburing/issues/1289",
    },
    Bug {
        versions: &[((6, 8, 0), (6, 9, 0))],
        effect: Effect::Tell,
        what: "threads of 6.8.0-1026-aws were seen to lock each other out in the kernel",
        cure: "6.12",
        report: "github.com/axboe/liburing/issues/1387",
    },
    Bug {
        versions: &[((6, 11, 0), (6, 12, 0))],
        effect: Effect::Tell,
        what: "time limits of operations were seen to crash 6.11.0-24-generic",
        cure: "6.15, or a distribution's kernel that has the repair",
        report: "github.com/axboe/liburing/issues/1390",
    },
    Bug {
        versions: &[((6, 6, 0), (6, 6, 86)), ((6, 7, 0), (6, 12, 21)), ((6, 13, 0), (6, 13, 9))],
        effect: Effect::Tell,
        what: "operations may fail with ENOMEM while there is memory",
        cure: "6.6.86, 6.12.21, 6.13.9, or 6.14",
        report: "github.com/scylladb/seastar/issues/2728",
    },
];

impl Bug {
    fn affects(&self, version: Version) -> bool {
        self.versions.iter().any(|(from, until)| (*from..*until).contains(&version))
    }

    /// What it is, and which kernel does not have it.
    pub(crate) fn describe(&self) -> String {
        format!("{} (better: {}; {})", self.what, self.cure, self.report)
    }
}

/// The bugs that a kernel of this release is known for.
pub(crate) fn of(release: &str) -> impl Iterator<Item = &'static Bug> {
    let version = host::version(release);
    BUGS.iter().filter(move |bug| version.is_some_and(|version| bug.affects(version)))
}

/// The bug for which no driver is made on the kernel that runs.
pub(crate) fn reason_to_refuse() -> Option<&'static Bug> {
    refusing(host::release(), host::variable(OVERRIDE).as_deref())
}

fn refusing(release: &str, ignore: Option<&str>) -> Option<&'static Bug> {
    if ignore.is_some_and(|value| !matches!(value, "" | "0")) {
        return None;
    }
    of(release).find(|bug| bug.effect == Effect::Refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(release: &str) -> Vec<&'static str> {
        of(release).filter_map(|bug| bug.report.rsplit('/').next()).collect()
    }

    #[test]
    fn bugs_are_found_by_version_as_distributions_write_it() {
        assert_eq!(reports("6.6.9-200.fc39.x86_64"), ["1062", "2728"]);
        assert_eq!(reports("6.7.4"), ["1062", "2728"]);
        assert_eq!(reports("6.1.115-1"), ["1289"]);
        assert_eq!(reports("6.8.0-1026-aws"), ["1387", "2728"]);
        assert_eq!(reports("6.11.0-24-generic"), ["1390", "2728"]);
        assert_eq!(reports("6.7-rc3"), ["1062", "2728"], "no patch number is the first");
    }

    #[test]
    fn repaired_and_unknown_kernels_have_none() {
        for release in ["6.6.86", "6.12.21", "6.13.9-arch1-1", "6.14.0", "6.18.44", "7.0.0"] {
            assert_eq!(reports(release), [""; 0], "{release}");
        }
        for release in ["", "a riddle", "6", "6.x"] {
            assert_eq!(reports(release), [""; 0], "{release}");
        }
        assert_eq!(reports("6.6.18"), ["2728"]);
        assert_eq!(reports("6.1.116"), [""; 0]);
    }

    #[test]
    fn the_variable_overrides_a_refusal() {
        for value in [None, Some(""), Some("0")] {
            assert!(refusing("6.6.17", value).is_some(), "{value:?}");
        }
        assert!(refusing("6.6.17", Some("1")).is_none());
        assert!(refusing("6.6.18", None).is_none());
        assert!(refusing("6.8.0-1026-aws", None).is_none(), "this one is told");
    }

    #[test]
    fn every_bug_says_where_to_read_about_it() {
        for bug in &BUGS {
            assert!(bug.describe().contains("/issues/"), "{bug:?}");
            assert!(bug.versions.iter().all(|(from, until)| from < until), "{bug:?}");
        }
    }
}
