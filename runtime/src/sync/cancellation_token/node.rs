//! The tree of tokens.
//!
//! A node is what the clones of one token share. It knows its parent and its children:
//!
//! - **Link.** A node stands among the children of its parent, under the key that it keeps, unless
//!   the parent is cancelled. Both ends are changed only with both mutexes held.
//! - **Order.** A mutex is taken only by who holds none of a younger node. Parents are older than
//!   their children and a node only ever moves to an older parent, so "first the parent" follows
//!   the order, and nobody waits in a circle.
//! - **End.** A node is cancelled with its mutex held, in which its children are taken from it for
//!   good. From then on it gets no further ones.
//!
//! *Cancelling* (`cancel`) holds the node's mutex throughout, so that it is marked only when all of
//! its descendants are: first it collects these, each parent before its children, marks them and
//! cuts their links; and only then, without a mutex, it wakes those who wait.
//!
//! *Dropping* the last token of a node (`detach`) takes the node out of the tree and gives its
//! children to its parent. Reading who that is needs the node's mutex and locking it must come
//! first, so it reads, locks both, and looks whether it is still so. If the parent is cancelled
//! meanwhile, its canceller has this node in hand and does all there is to do.

use std::ops::DerefMut;
use std::sync::atomic::Ordering;

use slab::Slab;

use crate::loom::sync::atomic::{AtomicBool, AtomicUsize};
use crate::loom::sync::{Arc, Mutex, MutexGuard};
use crate::sync::place::Line;
use crate::sync::wait_queue::WaitQueue;

/// A node that has no children left gives their room back if it had more than this.
const KEPT_CAPACITY: usize = 64;

pub(super) struct Node {
    /// What `State::is_cancelled` says, for those who do not hold the mutex.
    cancelled: AtomicBool,
    /// Tokens of this node. One that has reached zero stays there.
    handles: AtomicUsize,
    state: Mutex<State>,
}

pub(crate) struct State {
    parent: Option<Link>,
    /// `None` once cancelled.
    children: Option<Slab<Arc<Node>>>,
    line: WaitQueue<()>,
}

struct Link {
    parent: Arc<Node>,
    /// Where the parent keeps the child.
    key: usize,
}

impl Node {
    pub(super) fn root() -> Arc<Self> {
        Arc::new(Self::new(None, Some(Slab::new())))
    }

    /// With one handle.
    fn new(parent: Option<Link>, children: Option<Slab<Arc<Self>>>) -> Self {
        let cancelled = children.is_none();
        let state = State { parent, children, line: WaitQueue::new() };
        Self {
            cancelled: AtomicBool::new(cancelled),
            handles: AtomicUsize::new(1),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No foreign code runs under this mutex, so a poisoned one is as good as any.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn is_cancelled(&self) -> bool {
        // Acquire: who sees the flag sees what the canceller did before (pairs with `mark`).
        self.cancelled.load(Ordering::Acquire)
    }

    /// Needs the mutex.
    fn mark(&self) {
        // Release: pairs with `is_cancelled`.
        self.cancelled.store(true, Ordering::Release);
    }

    pub(super) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// A new node below this one, with one handle.
    pub(super) fn child(parent: &Arc<Self>) -> Arc<Self> {
        let mut above = parent.state();
        let Some(siblings) = &mut above.children else {
            return Arc::new(Self::new(None, None));
        };
        let place = siblings.vacant_entry();
        let link = Link { parent: Arc::clone(parent), key: place.key() };
        let child = Arc::new(Self::new(Some(link), Some(Slab::new())));
        place.insert(Arc::clone(&child));
        child
    }

    /// Cancels the node and all below it.
    pub(super) fn cancel(&self) {
        let mut state = self.state();
        let mut family = Vec::new();
        if !state.take_children(&mut family) {
            return;
        }
        let mut seen = 0;
        while let Some(member) = family.get(seen).cloned() {
            seen += 1;
            let mut below = member.state();
            // Not the last reference: the parent is this node, or stands further ahead.
            below.parent = None;
            if below.take_children(&mut family) {
                member.mark();
            }
        }
        self.mark();
        drop(state);
        self.wake_while(|()| true, |_state| ());
        for member in family {
            member.wake_while(|()| true, |_state| ());
        }
    }

    pub(super) fn drop_handle(node: &Arc<Self>) {
        // AcqRel: who takes the node out of the tree has seen all that was done with it.
        if node.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            Self::detach(node);
        }
    }

    /// Takes a node that nobody can name any more out of the tree.
    fn detach(node: &Arc<Self>) {
        loop {
            let parent = match &node.state().parent {
                Some(link) => Arc::clone(&link.parent),
                None => break,
            };
            let mut above = parent.state();
            let mut state = node.state();
            let Some(link) = state.parent.take_if(|link| Arc::ptr_eq(&link.parent, &parent)) else {
                continue;
            };
            let Some(siblings) = &mut above.children else {
                // The parent is cancelled, and its canceller has this node in hand.
                state.parent = Some(link);
                return;
            };
            let own = siblings.remove(link.key);
            for (_key, child) in state.children.take().into_iter().flatten() {
                let key = siblings.insert(Arc::clone(&child));
                child.state().parent = Some(Link { parent: Arc::clone(&parent), key });
            }
            if siblings.is_empty() && siblings.capacity() > KEPT_CAPACITY {
                siblings.shrink_to_fit();
            }
            drop(state);
            drop(above);
            drop(own);
            return;
        }
        // Without a parent: it never gets one again, and its children become roots.
        let mut children = Vec::new();
        node.state().take_children(&mut children);
        for child in children {
            child.state().parent = None;
        }
    }
}

impl State {
    /// Whether the node is cancelled, or about to be before the mutex is free.
    pub(super) fn is_cancelled(&self) -> bool {
        self.children.is_none()
    }

    /// Takes the children for good. False if they were taken before.
    fn take_children(&mut self, into: &mut Vec<Arc<Node>>) -> bool {
        let children = self.children.take();
        let taken = children.is_some();
        into.extend(children.into_iter().flatten().map(|(_key, child)| child));
        taken
    }
}

impl Line for Node {
    type State = State;
    type Value = ();

    fn lock(&self) -> impl DerefMut<Target = State> {
        self.state()
    }

    fn queue(state: &mut State) -> &mut WaitQueue<()> {
        &mut state.line
    }
}
