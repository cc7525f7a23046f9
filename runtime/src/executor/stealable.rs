//! Stealable tasks: tasks that any shard of a runtime may poll, one at a time.
//!
//! They have what every task has (header, future or result, handles, wakers: `executor.rs`), and no
//! home. What a home does for its tasks with plain memory, one word does here by atomic transitions
//! (`state`); where they are queued, and by whom they are polled, is the business of their
//! [`Scheduler`].
//!
//! ```text
//!                      wake                start
//!   spawn --> queued <------ idle   queued ------> running ----> complete --> freed
//!               ^              ^                    |   |           ^    last reference
//!               '--- Again ----|------ pause -------'   '-----------'
//!                              '------ Idle ------------' ready, panicked, or aborted
//! ```
//!
//! # Who may touch what
//!
//! | part | whose |
//! |---|---|
//! | future | who runs it: who has set RUNNING by `start` or `claim`, until `pause` or `complete` |
//! | result | after COMPLETE the join handle's if JOINED is set, else who completed it |
//! | joiner's waker | the join handle's; while JOINER is set, who completes the task |
//! | the flag DONE of the header | who completed it sets it, after COMPLETE |
//! | memory | nobody frees it while there are references |
//!
//! # References
//! An [`Entry`] has one: the right to be run, of which there is one while QUEUED is set, or while
//! the task runs. A [`Member`] has one: the scheduler's list of what is not complete, so that a
//! task that nobody will wake is dropped with its runtime. Handles and wakers have one each, as
//! always. The last one frees the memory, on any thread: future and result are gone by then.
//!
//! # The end of the scheduler
//! It refuses new members, claims those that it has, and cancels them on its own threads. A claim
//! takes a task out of the hands of a queued entry, which is then stale wherever it stands; a task
//! that is running is cancelled by whoever runs it. So a future is never dropped by a waker.

#[cfg(all(test, henge_loom))]
mod loom_tests;
mod state;

use super::span::{self, Traced};
use super::spawn_meta::SpawnMeta;
use std::alloc::{self, Layout};
use std::cell::Cell;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::current;
use super::header::{Header, TaskPtr};
use super::id::Id;
use super::join::JoinHandle;
use super::raw::{Task, swallow};
use super::roster::Roster;
use super::state::{DONE, Kind, Local, Shared};
use super::waker;
pub(super) use state::NEW;
use state::{Owes, Paused, Started, Word};

/// Who queues stealable tasks and has them run.
pub(crate) trait Scheduler: Send + Sync + 'static {
    /// Keeps a task until it is complete. The key is what [`dismiss`](Scheduler::dismiss) is called
    /// with then.
    ///
    /// # Errors
    /// Gives the task back if the scheduler has closed.
    fn enlist(&self, member: Member) -> Result<usize, Member>;

    /// Gives a task back that is complete, unless the scheduler's end has taken it.
    fn dismiss(&self, key: usize) -> Option<Member>;

    /// Sees to it that the entry is [run](Entry::run), or drops it if the scheduler has closed.
    /// Called from any thread, at any time; runs nothing of a user's.
    fn schedule(&self, entry: Entry);

    /// Where tasks stand that are not complete, if anybody wants to know.
    fn roster(&self) -> Option<&Roster> {
        None
    }
}

/// What stands in front of a stealable task.
#[repr(C, align(16))]
struct Head {
    scheduler: Arc<dyn Scheduler>,
    /// Written before the first entry is queued.
    key: Cell<usize>,
}

impl Head {
    /// The whole allocation of a task of this size and alignment, and the task's offset in it.
    fn layout(size: usize, align: usize) -> (Layout, usize) {
        let align = align.max(align_of::<Head>());
        let offset = size_of::<Head>().next_multiple_of(align);
        let whole =
            offset.checked_add(size).and_then(|bytes| Layout::from_size_align(bytes, align).ok());
        (whole.expect("a future is smaller than the address space"), offset)
    }

    /// Memory for a task, uninitialised, behind its head.
    fn allocate(size: usize, align: usize, scheduler: Arc<dyn Scheduler>) -> NonNull<Header> {
        let (layout, offset) = Self::layout(size, align);
        // SAFETY: the layout holds at least a `Head`.
        let Some(memory) = NonNull::new(unsafe { alloc::alloc(layout) }) else {
            alloc::handle_alloc_error(layout)
        };
        // SAFETY: `layout` has room for `offset` bytes and a task behind them.
        let header = unsafe { memory.add(offset) }.cast::<Header>();
        // SAFETY: `offset` leaves room for a `Head` in front of the task, and is a multiple of its
        // alignment.
        unsafe { Self::before(header).write(Head { scheduler, key: Cell::new(usize::MAX) }) };
        header
    }

    fn before(header: NonNull<Header>) -> NonNull<Head> {
        // SAFETY: only called for stealable tasks, in front of which a `Head` fits.
        unsafe { header.cast::<Head>().sub(1) }
    }

    /// # Safety
    /// The task is stealable and live while the answer is used.
    unsafe fn of<'a>(task: TaskPtr) -> &'a Head {
        let head = Self::before(task.as_ptr());
        // SAFETY: initialised with the task, and live as long as that.
        unsafe { head.as_ref() }
    }
}

/// Frees a task.
///
/// # Safety
/// The task is stealable and complete, its result was taken or dropped, and the caller has dropped
/// the last reference.
#[cold]
unsafe fn free(task: TaskPtr) {
    let (header, vtable) = (task.as_ptr(), task.header().vtable);
    let (layout, offset) = Head::layout(vtable.size, vtable.align);
    // SAFETY: initialised by `allocate`, and used for the last time.
    unsafe { Head::before(header).drop_in_place() };
    // SAFETY: `allocate` put the task at this offset from the start of the allocation.
    let memory = unsafe { header.cast::<u8>().sub(offset) };
    // SAFETY: allocated by `allocate` with the same layout.
    unsafe { alloc::dealloc(memory.as_ptr(), layout) };
}

#[inline]
fn word(task: &TaskPtr) -> Word<'_> {
    Word::of(task.header().shared.raw())
}

/// One reference less: the caller's.
#[inline]
pub(super) fn release(task: TaskPtr) {
    if word(&task).release() {
        // SAFETY: the last reference. The scheduler's went after the completion, and the join
        // handle's after it had taken or dropped the result.
        unsafe { free(task) };
    }
}

/// Wakes; the caller has a reference, and keeps it.
#[inline]
pub(super) fn wake(task: TaskPtr) {
    if word(&task).wake() == Owes::Entry {
        schedule(task);
    }
}

/// Asks for the task's end; the caller has a reference, and keeps it.
pub(super) fn abort(task: TaskPtr) {
    if word(&task).abort() == Owes::Entry {
        schedule(task);
    }
}

/// Queues an entry whose reference was made. The caller's own keeps the head, and so the scheduler,
/// until this returns: the task may be over by then.
#[inline]
fn schedule(task: TaskPtr) {
    // SAFETY: stealable, and live because of the caller's reference.
    let head = unsafe { Head::of(task) };
    head.scheduler.schedule(Entry(task));
}

/// The right to run a task once. Dropping it runs nothing, and leaves the task to the scheduler's
/// end.
pub(crate) struct Entry(TaskPtr);

// SAFETY: an entry may be run on any thread: the future of a stealable task is Send, as is its
// result, and one thread at a time runs it (`state`).
unsafe impl Send for Entry {}

impl Entry {
    pub(crate) fn id(&self) -> Id {
        Id::of(self.0)
    }

    /// Gives the entry up to a pointer.
    #[inline]
    pub(crate) fn into_raw(self) -> NonNull<()> {
        ManuallyDrop::new(self).0.as_ptr().cast()
    }

    /// Undoes [`into_raw`](Entry::into_raw).
    ///
    /// # Safety
    /// `raw` came from there, and is given up to this call.
    #[inline]
    pub(crate) unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: the pointer of a task that the entry's reference keeps.
        Self(unsafe { TaskPtr::new(raw.cast()) })
    }

    /// Polls the task once, or cancels it. If it is to run again at once, its entry comes back, to
    /// stand behind others. Sets the id of the task that this thread runs, and leaves it so.
    #[must_use = "a dropped entry is not run"]
    pub(crate) fn run(self) -> Option<Entry> {
        let header = self.0.header();
        match word(&self.0).start() {
            Started::Stale => return None,
            Started::Cancel => self.cancel(),
            Started::Poll => {
                current::set_task(Some(Id::of(self.0)));
                let waker = waker::borrowed(self.0);
                // SAFETY: this thread runs the task, which is not complete, so the future is there
                // and nobody else touches it.
                let polled =
                    unsafe { (header.vtable.poll)(self.0, &mut Context::from_waker(&waker)) };
                match polled {
                    Poll::Ready(()) => complete(self.0),
                    Poll::Pending => match word(&self.0).pause() {
                        Paused::Again => return Some(self),
                        Paused::Cancel => self.cancel(),
                        Paused::Idle => {
                            // The reference was given up with the right to run.
                            let _not_ours = ManuallyDrop::new(self);
                            return None;
                        }
                    },
                }
            }
        }
        self.dismiss();
        None
    }

    /// Drops the future: for whoever runs the task.
    fn cancel(&self) {
        cancel(self.0);
    }

    /// The task is complete: the scheduler need not keep it any more.
    fn dismiss(self) {
        // SAFETY: stealable, and live because of the entry's reference.
        let head = unsafe { Head::of(self.0) };
        drop(head.scheduler.dismiss(head.key.get()));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        release(self.0);
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&Id::of(self.0)).finish()
    }
}

/// What a scheduler's list has of a task that is not complete.
pub(crate) struct Member(TaskPtr);

// SAFETY: as for `Entry`.
unsafe impl Send for Member {}

impl Member {
    pub(crate) fn id(&self) -> Id {
        Id::of(self.0)
    }

    /// The scheduler closes: drops the task's future here, or leaves that to whoever runs it.
    pub(crate) fn cancel(self) {
        if word(&self.0).claim() {
            let outer = current::task();
            cancel(self.0);
            current::set_task(outer);
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        release(self.0);
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Member").field(&Id::of(self.0)).finish()
    }
}

/// Drops the future and publishes that the task was cancelled: for whoever runs it.
fn cancel(task: TaskPtr) {
    current::set_task(Some(Id::of(task)));
    // SAFETY: this thread runs the task, which is not complete.
    unsafe { (task.header().vtable.cancel)(task) };
    complete(task);
}

/// The result is stored: publishes it. The caller runs the task, and has a reference.
fn complete(task: TaskPtr) {
    let header = task.header();
    let completed = word(&task).complete();
    if completed.unwanted {
        // SAFETY: complete, and there is no join handle any more.
        unsafe { (header.vtable.drop_output)(task) };
    }
    header.local.set_flags(DONE);
    if completed.joiner
        && let Some(joiner) = header.joiner.take()
    {
        waker::wake_any(joiner);
    }
}

/// Makes a stealable task and queues it. If the scheduler has closed, it is cancelled at once, on
/// this thread, which made its future.
pub(crate) fn spawn<F>(
    scheduler: &Arc<impl Scheduler>,
    meta: SpawnMeta<'_>,
    future: F,
) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let future = span::of_task(meta, future);
    let (size, align) = (Task::<Traced<F>>::SIZE, Task::<Traced<F>>::ALIGN);
    let memory = Head::allocate(size, align, scheduler.clone());
    let local = Local::new(0, 0, Kind::Stealable);
    let vtable = Task::<Traced<F>>::VTABLE;
    let header = Header::new(vtable, Shared::stealable(), local, span::id::<F>(&future));
    // SAFETY: fresh memory of the task's size and alignment, of the kind that is named.
    let task = unsafe { Task::<Traced<F>>::write(memory, header, future) };
    // SAFETY: one of the three references of a new task; `F::Output` is its result.
    let handle = unsafe { JoinHandle::new(task) };
    if let Some(roster) = scheduler.roster() {
        roster.add::<F>(Id::of(task), meta);
    }
    // The other two.
    let (entry, member) = (Entry(task), Member(task));
    match scheduler.enlist(member) {
        Ok(key) => {
            // SAFETY: stealable, and live because of the handle.
            unsafe { Head::of(task) }.key.set(key);
            scheduler.schedule(entry);
        }
        Err(member) => member.cancel(),
    }
    handle
}

/// Leaves a waker to be woken when the task is complete. False if it is already. For the join
/// handle.
pub(super) fn join(task: TaskPtr, waker: &Waker) -> bool {
    let left = leave_joiner(task, waker);
    if !left {
        // Whoever completed the task is about to do the same.
        task.header().local.set_flags(DONE);
    }
    left
}

fn leave_joiner(task: TaskPtr, waker: &Waker) -> bool {
    let (header, word) = (task.header(), word(&task));
    if word.has_joiner() {
        if !word.take_joiner() {
            return false;
        }
        if header.joiner.will_wake(waker) {
            return word.leave_joiner();
        }
    }
    let waker = waker.clone();
    let old = header.joiner.set(waker);
    let left = word.leave_joiner();
    // Dropping is the waker's own code, and may panic.
    drop(old);
    left
}

/// The join handle goes; `taken` if it has had the result.
pub(super) fn unjoin(task: TaskPtr, taken: bool) {
    let (header, word) = (task.header(), word(&task));
    let complete = header.local.is_done() || !word.unjoin();
    if complete && !taken {
        // SAFETY: complete, and the result is the join handle's, which this is.
        unsafe { (header.vtable.drop_output)(task) };
    }
    if !word.has_joiner() {
        swallow(|| drop(header.joiner.take()));
    }
    release(task);
}
