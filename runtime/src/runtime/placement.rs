//! Which CPU each shard is pinned to: a plan made from values, and the calls that carry it out.
//!
//! A shard that is pinned keeps its caches and its ring's memory on one core, and no other thread
//! of ours is placed there. That is only a gain where the shards have the CPUs to themselves: with
//! more shards than CPUs, or under a CPU quota, the kernel's scheduler does better, so nothing is
//! pinned there unless the user asks. A thread that is not ours is never pinned.
//!
//! A new thread inherits the CPUs of the thread that starts it. A thread of the blocking pool,
//! started by a pinned shard, would so share that shard's one CPU; it is given back what the
//! runtime was allowed when it was built ([`Cpus::give_back`]).

use std::io;

use henge_driver::sys::cpu::{self, CpuSet, Location};

use super::context;
use crate::thread;

/// Which CPUs the shards of a runtime are pinned to.
///
/// Unless [`Builder::pinning`](crate::runtime::Builder::pinning) sets one, the shards are spread
/// over the CPUs that the process may use if there are at least as many of these as shards and no
/// CPU quota is set; otherwise none is pinned.
///
/// # Examples
/// ```
/// use henge::runtime::{Builder, Pinning};
///
/// let runtime = Builder::new_multi_thread()
///     .worker_threads(2)
///     .pinning(Pinning::None)
///     .build()?;
/// # drop(runtime);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pinning {
    /// No shard is pinned: the kernel's scheduler places the threads.
    None,
    /// One CPU a shard, close together: hardware threads of a core first, then cores of a package.
    /// Shares caches; leaves the rest of the machine to others.
    Compact,
    /// One CPU a shard, far apart: packages in turn, a core's second hardware thread last. The most
    /// cache and memory bandwidth a shard.
    Spread,
    /// Shard `i` on the `i`-th of these CPUs, by the kernel's numbers. There must be one per shard,
    /// and the process must be allowed to use it.
    Cpus(Vec<usize>),
}

/// Whether there is one CPU for all threads, those too that are never pinned.
pub(super) fn one_cpu() -> bool {
    cpu::process_affinity().is_ok_and(|cpus| cpus.len() == 1)
}

/// What this process may use, as found when a runtime is built.
#[derive(Clone, Debug)]
pub(crate) struct Cpus {
    allowed: CpuSet,
    /// How many threads can run at once: `allowed`, or less under a CPU quota.
    parallelism: usize,
}

impl Cpus {
    /// For a runtime that the calling thread builds: what it may use itself, since what it starts
    /// inherits that; on a shard that we have pinned, what its runtime may.
    pub(super) fn allowed() -> io::Result<Cpus> {
        match context::with_shard(|shard| shard.shared().cpus.clone()) {
            Some(cpus) => Ok(cpus),
            None => Ok(Cpus { allowed: cpu::affinity()?, parallelism: cpu::parallelism() }),
        }
    }

    /// How many shards a runtime has where nobody says.
    pub(super) fn default_shards(&self) -> usize {
        self.parallelism
    }

    /// Whether `shards` threads can each have a CPU for as long as they want it. Where they cannot,
    /// pinning and spinning take from one shard what they give to another.
    pub(super) fn have_room_for(&self, shards: usize) -> bool {
        let quota = self.parallelism < self.allowed.len();
        shards <= self.allowed.len() && !quota
    }

    /// The CPU of each shard, or `None` where it is not pinned.
    pub(super) fn place(
        &self,
        pinning: Option<&Pinning>,
        shards: usize,
    ) -> io::Result<Vec<Option<usize>>> {
        let order = match pinning {
            Some(Pinning::None) => return Ok(vec![None; shards]),
            None if !self.have_room_for(shards) => return Ok(vec![None; shards]),
            None | Some(Pinning::Spread) => spread(self.locations()),
            Some(Pinning::Compact) => compact(self.locations()),
            Some(Pinning::Cpus(cpus)) => self.named(cpus, shards)?,
        };
        // More shards than CPUs is what the user asked for: they share, evenly.
        Ok(order.into_iter().cycle().map(Some).take(shards).collect())
    }

    fn locations(&self) -> Vec<(usize, Location)> {
        self.allowed.iter().map(|cpu| (cpu, cpu::location(cpu))).collect()
    }

    fn named(&self, cpus: &[usize], shards: usize) -> io::Result<Vec<usize>> {
        let refuse = |text: String| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        if cpus.len() != shards {
            let named = cpus.len();
            return refuse(format!(
                "pinning names {named} CPUs for {shards} shards: name one each"
            ));
        }
        if let Some(cpu) = cpus.iter().find(|&&cpu| !self.allowed.contains(cpu)) {
            let allowed = &self.allowed;
            return refuse(format!("pinning names CPU {cpu}, this process may use {allowed}"));
        }
        Ok(cpus.to_vec())
    }
}

/// Pins the calling thread, which is a shard's.
pub(super) fn pin(cpu: usize) -> io::Result<()> {
    if core_affinity::set_for_current(core_affinity::CoreId { id: cpu }) {
        thread::is_pinned_now();
        return Ok(());
    }
    Err(io::Error::other(format!("the kernel refused to pin a shard to CPU {cpu}")))
}

/// Package by package, core by core, a core's hardware threads side by side.
fn compact(mut cpus: Vec<(usize, Location)>) -> Vec<usize> {
    cpus.sort_by_key(|&(cpu, at)| (at.package, at.core, cpu));
    cpus.into_iter().map(|(cpu, _)| cpu).collect()
}

/// First one hardware thread of each core, packages in turn; then the second of each core.
fn spread(mut cpus: Vec<(usize, Location)>) -> Vec<usize> {
    cpus.sort_by_key(|&(cpu, at)| (at.package, at.core, cpu));
    // How many earlier ones share the core, and how many of the same such rank share the package.
    let mut ranked = Vec::with_capacity(cpus.len());
    for (index, &(cpu, at)) in cpus.iter().enumerate() {
        let before = &ranked[..index];
        let thread = before.iter().filter(|(_, _, other): &&(_, _, Location)| *other == at).count();
        let core = before
            .iter()
            .filter(|((rank, _), _, other)| *rank == thread && other.package == at.package)
            .count();
        ranked.push(((thread, core), cpu, at));
    }
    ranked.sort_by_key(|&((thread, core), cpu, at)| (thread, core, at.package, cpu));
    ranked.into_iter().map(|(_, cpu, _)| cpu).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two packages of two cores of two hardware threads, numbered as Linux does: 0–3 are the first
    /// threads of the four cores, 4–7 the second.
    fn two_packages() -> Vec<(usize, Location)> {
        (0..8).map(|cpu| (cpu, Location { package: (cpu % 4) / 2, core: cpu % 2 })).collect()
    }

    fn cpus(allowed: &[usize], parallelism: usize) -> Cpus {
        Cpus { allowed: allowed.iter().copied().collect(), parallelism }
    }

    #[test]
    fn compact_fills_cores_then_packages() {
        assert_eq!(compact(two_packages()), [0, 4, 1, 5, 2, 6, 3, 7]);
    }

    #[test]
    fn spread_takes_packages_in_turn_and_second_threads_last() {
        assert_eq!(spread(two_packages()), [0, 2, 1, 3, 4, 6, 5, 7]);
    }

    #[test]
    fn unpinned_when_shards_outnumber_the_cpus() -> io::Result<()> {
        assert_eq!(cpus(&[3], 1).place(None, 2)?, [None, None]);
        assert_eq!(cpus(&[3], 1).place(None, 1)?, [Some(3)]);
        Ok(())
    }

    #[test]
    fn unpinned_under_a_quota() -> io::Result<()> {
        let quota = cpus(&[0, 1, 2, 3], 2);
        assert_eq!(quota.default_shards(), 2);
        assert_eq!(quota.place(None, 2)?, [None, None]);
        assert!(!quota.have_room_for(2));
        Ok(())
    }

    #[test]
    fn asked_for_pinning_shares_cpus_evenly() -> io::Result<()> {
        let placed = cpus(&[1, 2], 2).place(Some(&Pinning::Spread), 4)?;
        assert_eq!(placed[..2], placed[2..]);
        assert_ne!(placed[0], placed[1]);
        Ok(())
    }

    #[test]
    fn named_cpus_must_be_allowed_and_one_a_shard() -> io::Result<()> {
        let two = cpus(&[1, 2], 2);
        assert_eq!(two.place(Some(&Pinning::Cpus(vec![2, 1])), 2)?, [Some(2), Some(1)]);
        let refused =
            |named: Vec<usize>, shards| match two.place(Some(&Pinning::Cpus(named)), shards) {
                Ok(placed) => panic!("placed {placed:?}"),
                Err(error) => error.to_string(),
            };
        assert!(refused(vec![1, 7], 2).contains("CPU 7, this process may use 1-2"));
        assert!(refused(vec![1], 2).contains("names 1 CPUs for 2 shards"));
        Ok(())
    }
}
