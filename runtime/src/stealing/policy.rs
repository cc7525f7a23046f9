//! The rules by which stealable tasks are queued and looked for, each with its switch.

/// How stealable tasks are queued and looked for; see
/// [`Builder::stealing_policy`](crate::runtime::Builder::stealing_policy).
///
/// The defaults are the right ones; a switch is there so that what a rule is worth can be measured.
/// No setting loses work or makes it wait for ever.
///
/// # Examples
/// ```
/// use henge::steal::Policy;
///
/// let mut policy = Policy::default();
/// policy.lifo_slot = false; // tasks run in the order in which they are woken
/// let runtime = henge::runtime::Builder::new_multi_thread()
///     .worker_threads(2)
///     .stealing(true)
///     .stealing_policy(policy)
///     .build()?;
/// # drop(runtime);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// A stealable task that another one wakes runs next on the same shard, three times in a row at
    /// most, and is not stolen meanwhile: what the one has written is in that core's cache.
    pub lifo_slot: bool,
    /// Every so many picks a shard looks at the common queue first. At least 1. It also does so
    /// after eight polls if these and what came before have taken 200 µs.
    pub injector_interval: u32,
    /// A thief takes half of what it finds, and not one task only.
    pub steal_half: bool,
    /// At most half of the shards look for work at the same time.
    pub limit_searchers: bool,
    /// The last one that looked for work and found some wakes another one.
    pub wake_one_more: bool,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            lifo_slot: true,
            injector_interval: 31,
            steal_half: true,
            limit_searchers: true,
            wake_one_more: true,
        }
    }
}

impl Policy {
    /// How many of so many shards may search at once.
    pub(super) fn most_searching(&self, shards: usize) -> usize {
        if self.limit_searchers { (shards / 2).max(1) } else { shards }
    }

    /// How many tasks a thief takes at most.
    pub(super) fn most_stolen(&self) -> usize {
        if self.steal_half { usize::MAX } else { 1 }
    }
}
