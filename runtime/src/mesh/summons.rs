//! How a thread has itself called by others: by one message at a time, whose link is here.
//!
//! The owner says that it wants to be called, and looks once more at what it waits for. Others do
//! what it may wait for, and call. Both fence in between, so of the two fences one comes first:
//! either the other one finds that a call is wanted, or the owner finds what was done.
//!
//! ```text
//!           want                    call                     opened, by the owner
//!   IDLE ----------> WANTED ---------------------> SENT ------------------------> IDLE
//!     |                                             ^
//!     +---------------------- nudge ----------------+
//! ```
//!
//! A call that is not wanted any more is made all the same: who is called looks for itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_utils::CachePadded;

use super::current;
use super::local::Local;
use crate::executor::Home;
use crate::executor::inbox::{Content, Inbox, Parcel};
use crate::loom::sync::atomic::{AtomicU8, fence};

const IDLE: u8 = 0;
const WANTED: u8 = 1;
const SENT: u8 = 2;

/// Who is called.
pub(super) trait Summoned: Send + Sync + 'static {
    /// On the owner's thread, inside of its loop or while that closes.
    fn come(&self);
}

/// See the module's documentation.
pub(super) struct Summons<S> {
    /// In a line of its own: those who call read it after all that they do, and the owner counts
    /// references to this parcel, at the end of each turn perhaps.
    state: CachePadded<AtomicU8>,
    /// Of the owner.
    inbox: Arc<Inbox>,
    pub(super) who: S,
}

/// What is done before a look at whether a call is wanted, by those who call.
#[inline]
pub(super) fn fence_before_calls() {
    // SeqCst: against the fence in `want`; see the module's documentation.
    fence(Ordering::SeqCst);
}

impl<S: Summoned> Summons<S> {
    pub(super) fn new(inbox: Arc<Inbox>, who: S) -> Arc<Parcel<Summons<S>>> {
        let state = CachePadded::new(AtomicU8::new(IDLE));
        Arc::new(Parcel::new(Summons { state, inbox, who }))
    }

    /// For the owner, who must look once more at what it waits for after this, before it waits.
    pub(super) fn want(&self) {
        // If it is WANTED or SENT already, there is nothing to change. Acquire: the last opening of
        // the parcel came before the next one.
        let _was = self.state.compare_exchange(IDLE, WANTED, Ordering::AcqRel, Ordering::Relaxed);
        // SeqCst: against `fence_before_calls`; see the module's documentation.
        fence(Ordering::SeqCst);
    }

    /// Whether the owner wants to be called, as far as is known.
    #[inline]
    pub(super) fn is_wanted(&self) -> bool {
        self.state.load(Ordering::Relaxed) == WANTED
    }

    /// Has the owner called if it wants to be, and says whether this did it. After
    /// `fence_before_calls`, which comes after what was done; without, it may miss that the owner
    /// has just begun to want it.
    #[inline]
    pub(super) fn call(this: &Arc<Parcel<Summons<S>>>) -> bool {
        let state = &this.content.state;
        // AcqRel: as in `nudge`.
        let calls = this.content.is_wanted() && state.swap(SENT, Ordering::AcqRel) != SENT;
        if calls {
            Self::post(this);
        }
        calls
    }

    /// Has the owner called, whether it wants to be or not.
    pub(super) fn nudge(this: &Arc<Parcel<Summons<S>>>) {
        // AcqRel: whoever turns SENT on has the parcel, after its last opening; and an opening that
        // comes later has seen what was done before this, who sent it whoever may.
        if this.content.state.swap(SENT, Ordering::AcqRel) != SENT {
            Self::post(this);
        }
    }

    /// After SENT was turned on by this.
    fn post(this: &Arc<Parcel<Summons<S>>>) {
        // SAFETY: SENT was turned on by the caller, and is on while the parcel is under way.
        // An owner that has ended has nothing left that waits.
        drop(unsafe { this.content.inbox.post(Arc::clone(this)) });
        current::with(|local| local.map(Local::note_call));
    }
}

impl<S: Summoned> Content for Summons<S> {
    fn open(parcel: Arc<Parcel<Self>>, _home: Option<&Home>) {
        // AcqRel: the opening comes before the next sending, and after what those who found it sent
        // had done.
        parcel.content.state.swap(IDLE, Ordering::AcqRel);
        parcel.content.who.come();
    }
}

#[cfg(all(test, henge_loom))]
mod loom_tests {
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicUsize, Ordering};

    use super::{Summoned, Summons, fence_before_calls};
    use crate::executor::Home;

    struct Bell(Arc<AtomicUsize>);

    impl Summoned for Bell {
        fn come(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn model(f: impl Fn() + Sync + Send + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(3));
        builder.check(f);
    }

    #[test]
    fn loom_who_waits_is_called_by_the_last_of_two() {
        model(|| {
            let home = Home::new(|| {});
            let calls = Arc::new(AtomicUsize::new(0));
            let summons = Summons::new(home.inbox().clone(), Bell(calls.clone()));
            let done = Arc::new(AtomicUsize::new(0));
            let others: Vec<_> = (0..2)
                .map(|_| {
                    let (summons, done) = (summons.clone(), done.clone());
                    loom::thread::spawn(move || {
                        // Relaxed: the fences alone must make this visible.
                        done.fetch_add(1, Ordering::Relaxed);
                        fence_before_calls();
                        Summons::call(&summons);
                    })
                })
                .collect();
            while done.load(Ordering::Relaxed) < 2 {
                summons.content.want();
                if done.load(Ordering::Relaxed) == 2 {
                    break;
                }
                // Waits until it is called, as a task would.
                let before = calls.load(Ordering::Relaxed);
                while calls.load(Ordering::Relaxed) == before {
                    home.take_inbox();
                    loom::thread::yield_now();
                }
            }
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    }

    #[test]
    fn loom_a_nudge_is_a_call_whoever_else_calls() {
        model(|| {
            let home = Home::new(|| {});
            let calls = Arc::new(AtomicUsize::new(0));
            let summons = Summons::new(home.inbox().clone(), Bell(calls.clone()));
            let other = loom::thread::spawn({
                let summons = summons.clone();
                move || {
                    fence_before_calls();
                    Summons::call(&summons);
                    Summons::nudge(&summons);
                }
            });
            summons.content.want();
            home.take_inbox();
            other.join().unwrap();
            home.take_inbox();
            assert!((1..=2).contains(&calls.load(Ordering::Relaxed)));
        });
    }
}
