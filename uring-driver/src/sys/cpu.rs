//! The CPUs that a thread may run on, and where each of them sits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, fs, io, thread};

/// A set of CPUs, by the kernel's numbers; of any size.
///
/// # Examples
/// ```
/// use henge_driver::sys::cpu::CpuSet;
///
/// let set: CpuSet = [0, 1, 2, 5].into_iter().collect();
/// assert_eq!(set.to_string(), "0-2,5");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuSet {
    words: Vec<u64>,
}

impl CpuSet {
    /// Whether `cpu` is in the set.
    pub fn contains(&self, cpu: usize) -> bool {
        self.words.get(cpu / 64).is_some_and(|word| word >> (cpu % 64) & 1 == 1)
    }

    /// How many CPUs are in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no CPU is in the set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The CPUs, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.words.len() * 64).filter(|&cpu| self.contains(cpu))
    }
}

impl FromIterator<usize> for CpuSet {
    fn from_iter<I: IntoIterator<Item = usize>>(cpus: I) -> CpuSet {
        let mut set = CpuSet::default();
        for cpu in cpus {
            if set.words.len() <= cpu / 64 {
                set.words.resize(cpu / 64 + 1, 0);
            }
            set.words[cpu / 64] |= 1 << (cpu % 64);
        }
        set
    }
}

/// As the kernel writes them: `0-2,5`.
impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpus: Vec<usize> = self.iter().collect();
        for (index, run) in cpus.chunk_by(|a, b| a + 1 == *b).enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match run {
                [cpu] => write!(f, "{comma}{cpu}")?,
                _ => write!(f, "{comma}{}-{}", run[0], run[run.len() - 1])?,
            }
        }
        Ok(())
    }
}

/// The CPUs that the calling thread may run on.
///
/// # Errors
/// What the kernel says to `sched_getaffinity`.
pub fn affinity() -> io::Result<CpuSet> {
    affinity_of(0)
}

/// The CPUs that the process was given: those of its first thread, which nothing of ours pins.
///
/// # Errors
/// What the kernel says to `sched_getaffinity`.
pub fn process_affinity() -> io::Result<CpuSet> {
    affinity_of(std::process::id().cast_signed())
}

fn affinity_of(thread: libc::pid_t) -> io::Result<CpuSet> {
    // The kernel refuses a set smaller than its own with EINVAL, and does not tell how large that
    // is.
    let mut words = vec![0u64; 16];
    loop {
        // SAFETY: the kernel writes at most the given number of bytes to `words`, which is alive
        // and that long; every bit pattern is a valid u64.
        let got = unsafe {
            libc::sched_getaffinity(
                thread,
                size_of_val(words.as_slice()),
                words.as_mut_ptr().cast(),
            )
        };
        if got >= 0 {
            return Ok(CpuSet { words });
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINVAL) || words.len() >= 1 << 12 {
            return Err(error);
        }
        words.resize(words.len() * 2, 0);
    }
}

/// Lets the calling thread run on the CPUs of `set`, and no others.
///
/// # Errors
/// What the kernel says to `sched_setaffinity`: `EINVAL` if no CPU of the set is one that the
/// process may use.
pub fn set_affinity(set: &CpuSet) -> io::Result<()> {
    // SAFETY: the kernel reads the given number of bytes from `words`, which is alive and that
    // long.
    let done = unsafe {
        libc::sched_setaffinity(0, size_of_val(set.words.as_slice()), set.words.as_ptr().cast())
    };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Lets the calling thread run on every CPU that the process was given.
///
/// A thread inherits the CPUs of the one that started it, so one that was started on a pinned
/// shard would share the shard's CPU.
///
/// # Errors
/// What the kernel says; where a sandbox forbids the call the thread keeps the CPUs it has.
pub fn unpin() -> io::Result<()> {
    set_affinity(&process_affinity()?)
}

/// How long the calling thread has been on a CPU so far. None where the kernel does not tell.
///
/// ```
/// use henge_driver::sys::cpu;
/// use std::time::{Duration, Instant};
///
/// let (before, begun) = (cpu::spent(), Instant::now());
/// std::thread::sleep(Duration::from_millis(20));
/// if let (Some(before), Some(after)) = (before, cpu::spent()) {
///     assert!(after >= before && after - before < begun.elapsed());
/// }
/// ```
pub fn spent() -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes to `time`, which is alive, and to nothing else.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    (done == 0).then(|| Some(Duration::new(seconds.ok()?, nanos.ok()?))).flatten()
}

/// How many threads can run at once: the CPUs of the calling thread, or less under a CPU quota
/// (cgroups). At least 1.
///
/// Whether there is a quota takes reading several files. It is looked for anew only by a thread
/// that has more CPUs than all that have asked before: a quota that is set later is not seen.
pub fn parallelism() -> usize {
    /// So many CPUs were found to be no more than the quota.
    static WITHIN_QUOTA: AtomicUsize = AtomicUsize::new(0);
    let cpus = affinity().map_or(0, |cpus| cpus.len());
    // Relaxed, here and below: the number is all there is to it.
    if (1..=WITHIN_QUOTA.load(Ordering::Relaxed)).contains(&cpus) {
        return cpus;
    }
    let parallelism = thread::available_parallelism().map_or(1, usize::from);
    if parallelism == cpus {
        WITHIN_QUOTA.fetch_max(cpus, Ordering::Relaxed);
    }
    parallelism
}

/// Where a CPU sits. CPUs with the same location are hardware threads of one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The physical package.
    pub package: usize,
    /// The core, within its package.
    pub core: usize,
}

/// Where `cpu` sits. A machine that does not tell is taken for one package of single-threaded
/// cores. Asked for once.
pub fn location(cpu: usize) -> Location {
    static KNOWN: Mutex<BTreeMap<usize, Location>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known.entry(cpu).or_insert_with(|| ask_location(cpu))
}

fn ask_location(cpu: usize) -> Location {
    let read = |name: &str| {
        let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/{name}");
        fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    Location {
        package: read("physical_package_id").unwrap_or(0),
        core: read("core_id").unwrap_or(cpu),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_round_trip_and_print_as_the_kernel_does() {
        let set: CpuSet = [130, 0, 1, 64, 3].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 1, 3, 64, 130]);
        assert_eq!((set.len(), set.is_empty()), (5, false));
        assert_eq!(set.to_string(), "0-1,3,64,130");
        assert!(!set.contains(1 << 20));
    }

    #[test]
    fn a_thread_can_be_moved_and_moved_back() -> io::Result<()> {
        let before = affinity()?;
        let first = before.iter().next().into_iter().collect::<CpuSet>();
        let moved = thread::spawn(move || {
            set_affinity(&first)?;
            assert_eq!(affinity()?.len(), 1);
            unpin()?;
            affinity()
        });
        let moved = moved.join().map_err(|_| io::Error::other("the thread panicked"))??;
        assert_eq!(moved, process_affinity()?);
        assert_eq!(affinity()?, before);
        Ok(())
    }
}
