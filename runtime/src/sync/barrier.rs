//! A point that a number of tasks pass together.
//!
//! Everything is in one mutex. The line holds the round that each waiter is of, and is sorted by
//! it: who stands in line has seen, under the mutex, that its round is not over.

use std::fmt;
use std::future::poll_fn;
use std::ops::DerefMut;

use crate::executor::coop;
use crate::loom::sync::Mutex;
use crate::sync::place::{Line, Place};
use crate::sync::wait_queue::WaitQueue;

/// Holds tasks up until there are `n` of them.
///
/// They go on together, one of them, the last to come, as the leader; then the next `n` can come.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use henge::sync::Barrier;
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let barrier = Rc::new(Barrier::new(3));
/// let tasks: Vec<_> = (0..3)
///     .map(|_| {
///         let barrier = barrier.clone();
///         henge::spawn(async move { barrier.wait().await.is_leader() })
///     })
///     .collect();
/// let mut leaders = 0;
/// for task in tasks {
///     leaders += u32::from(task.await.unwrap());
/// }
/// assert_eq!(leaders, 1);
/// # }
/// ```
pub struct Barrier {
    state: Mutex<State>,
    n: usize,
}

pub(crate) struct State {
    arrived: usize,
    /// How often the barrier has opened.
    round: u64,
    line: WaitQueue<u64>,
}

impl Line for Barrier {
    type State = State;
    type Value = u64;

    fn lock(&self) -> impl DerefMut<Target = State> {
        // No foreign code runs under this mutex, so a poisoned one is as good as any.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn queue(state: &mut State) -> &mut WaitQueue<u64> {
        &mut state.line
    }
}

impl Barrier {
    /// A barrier for `n` tasks. One for none opens for each, as one for one does.
    ///
    /// # Examples
    ///
    /// ```
    /// let barrier = henge::sync::Barrier::new(2);
    /// # drop(barrier);
    /// ```
    pub fn new(n: usize) -> Self {
        let state = State { arrived: 0, round: 0, line: WaitQueue::new() };
        Self { state: Mutex::new(state), n: n.max(1) }
    }

    /// Waits until `n` tasks are here.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: who was polled has arrived, and counts even if it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let barrier = henge::sync::Barrier::new(2);
    /// let (a, b) = henge::join!(barrier.wait(), barrier.wait());
    /// assert!(a.is_leader() != b.is_leader());
    /// # }
    /// ```
    pub async fn wait(&self) -> BarrierWaitResult {
        let Some(round) = self.arrive() else { return BarrierWaitResult(true) };
        let mut place = Place::new(self);
        coop::cooperative(poll_fn(|cx| {
            place.poll(cx, |state| if state.round > round { Ok(()) } else { Err(round) })
        }))
        .await;
        BarrierWaitResult(false)
    }

    /// The round to wait for the end of, or `None` for the one who has ended it.
    fn arrive(&self) -> Option<u64> {
        let mut state = self.lock();
        let round = state.round;
        state.arrived += 1;
        if state.arrived < self.n {
            return Some(round);
        }
        state.arrived = 0;
        state.round += 1;
        drop(state);
        self.wake_while(|waits| *waits <= round, |_state| ());
        None
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("n", &self.n).finish_non_exhaustive()
    }
}

/// What [`Barrier::wait`] returns: who is the leader.
///
/// # Examples
///
/// ```
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// assert!(henge::sync::Barrier::new(1).wait().await.is_leader());
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether this was the last to come: true for one of each `n`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[henge::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let barrier = henge::sync::Barrier::new(2);
    /// let (first, last) = henge::join!(biased; barrier.wait(), barrier.wait());
    /// assert!(!first.is_leader());
    /// assert!(last.is_leader());
    /// # }
    /// ```
    pub fn is_leader(&self) -> bool {
        self.0
    }
}
