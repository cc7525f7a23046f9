//! What the running kernel gives, and what it does not.

use std::fmt;
use std::io;

use crate::known_bugs::{self, Bug};
use crate::ring::{Flags, Ring};
use crate::sys::host;

/// What a ring had of what the driver asks for; printed, it says so line by line.
///
/// # Examples
///
/// ```
/// let driver = henge_driver::Driver::new()?;
/// let capabilities = driver.capabilities()?;
/// assert!(capabilities.has("DEFER_TASKRUN"));
/// println!("{capabilities}");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    release: String,
    entries: u32,
    completions: u32,
    features: Vec<Feature>,
    missing_operations: Vec<String>,
    known_bugs: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Feature {
    name: &'static str,
    since: &'static str,
    had: bool,
    effect: &'static str,
}

impl Capabilities {
    pub(crate) fn of(ring: &Ring, incremental: Option<bool>) -> io::Result<Capabilities> {
        let missing = ring.missing_operations()?;
        let flags = ring.flags();
        let release = host::release();
        Ok(Capabilities {
            known_bugs: known_bugs::of(release).map(Bug::describe).collect(),
            release: release.to_owned(),
            entries: flags.entries,
            completions: flags.completions,
            features: features(flags, incremental),
            missing_operations: missing.iter().map(|missing| format!("{missing:?}")).collect(),
        })
    }

    /// Whether the ring has the feature of this name, as the kernel's manual pages write it without
    /// its prefix: `"SINGLE_ISSUER"`.
    ///
    /// # Examples
    ///
    /// ```
    /// let driver = henge_driver::Driver::new()?;
    /// assert!(driver.capabilities()?.has("SINGLE_ISSUER"));
    /// assert!(!driver.capabilities()?.has("NO_SUCH_THING"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|known| known.name == feature && known.had)
    }

    /// The operations that the driver knows and this kernel does not.
    ///
    /// # Examples
    ///
    /// ```
    /// let driver = henge_driver::Driver::new()?;
    /// for operation in driver.capabilities()?.missing_operations() {
    ///     println!("this kernel has no {operation}");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn missing_operations(&self) -> impl Iterator<Item = &str> {
        self.missing_operations.iter().map(String::as_str)
    }

    /// What kernels of this version are known to do wrong, with where to read about it. A
    /// distribution may have repaired it.
    ///
    /// # Examples
    ///
    /// ```
    /// let driver = henge_driver::Driver::new()?;
    /// for bug in driver.capabilities()?.known_bugs() {
    ///     println!("beware: {bug}");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn known_bugs(&self) -> impl Iterator<Item = &str> {
        self.known_bugs.iter().map(String::as_str)
    }
}

fn features(flags: &Flags, incremental: Option<bool>) -> Vec<Feature> {
    let feature = |name, since, had, effect| Feature { name, since, had, effect };
    let mut features = vec![
        feature("CQSIZE", "5.5", flags.cqsize, "room for what multishot entries bring"),
        feature("NODROP", "5.5", flags.nodrop, "completions wait where the queue is full"),
        feature("EXT_ARG", "5.11", flags.ext_arg, "waits end at a deadline"),
        feature("SUBMIT_ALL", "5.18", flags.submit_all, "one bad entry does not stop the rest"),
        feature("REGISTERED_RING", "5.18", flags.registered_ring, "no look-up an enter"),
        feature("TASKRUN_FLAG", "5.19", flags.taskrun_flag, "a look tells whether to enter"),
        feature("SINGLE_ISSUER", "6.0", flags.single_issuer, "no locking in the kernel"),
        feature("DEFER_TASKRUN", "6.1", flags.defer_taskrun, "completions when they are wanted"),
        feature("NO_SQARRAY", "6.6", flags.no_sqarray, "one indirection less an entry"),
        feature("RECVSEND_BUNDLE", "6.10", flags.bundles, "not used"),
        feature("MIN_TIMEOUT", "6.12", flags.min_wait, "batches of completions, when asked for"),
        feature("NO_IOWAIT", "6.15", flags.no_iowait, "an idle shard does not count as iowait"),
    ];
    if let Some(incremental) = incremental {
        let effect = "one receive buffer serves many small receives";
        features.push(feature("PBUF_RING_INC", "6.12", incremental, effect));
    }
    features
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Linux {}", self.release)?;
        writeln!(f, "ring: {} entries, {} completions", self.entries, self.completions)?;
        for Feature { name, since, had, effect } in &self.features {
            let had = if *had { "yes" } else { "no " };
            writeln!(f, "{had} {name:<16} (Linux {since}): {effect}")?;
        }
        for bug in &self.known_bugs {
            writeln!(f, "known bug: {bug}")?;
        }
        if self.missing_operations.is_empty() {
            return write!(f, "every operation that henge knows");
        }
        write!(f, "without {}", self.missing_operations.join(", "))
    }
}
