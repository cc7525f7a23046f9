//! The trait by which anybody adds an operation.

use crate::cqe::Cqe;
use crate::sqe::{Sqe, Timespec};

/// What an operation makes of a completion.
///
/// ```
/// use henge_driver::{Cqe, Next};
///
/// /// Of a receive that is repeated by the kernel: goes on until the end of the stream.
/// fn next(cqe: Cqe) -> Next<u32> {
///     match cqe.into_result() {
///         Ok(n) if cqe.has_more() => Next::More(n),
///         Ok(0) | Err(_) => Next::Done(0),
///         Ok(_) => Next::Again, // it has ended, and the stream has not
///     }
/// }
///
/// const MORE: u32 = 1 << 1; // IORING_CQE_F_MORE
/// assert_eq!(next(Cqe::new(512, MORE)), Next::More(512));
/// assert_eq!(next(Cqe::new(512, 0)), Next::Again);
/// assert_eq!(next(Cqe::new(0, 0)), Next::Done(0));
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Next<T> {
    /// The result. If the completion has [more](Cqe::has_more) to come, the driver cancels the
    /// rest; the operation still sees every completion, and outputs of those are
    /// [orphaned](Operation::orphaned).
    Done(T),
    /// A result, with more completions to come, which the operation wants. A future resolves with
    /// the first result; later ones are orphaned.
    More(T),
    /// No result yet; a later completion brings it (the notification of a zero-copy send). Only
    /// for a completion that has more to come.
    Held,
    /// Prepare and submit once more, under the same ticket: the kernel has ended a multishot, or
    /// moved less than all. With more completions to come it means `Held`. Once the driver shuts
    /// down, the operation gets one more completion instead, with `ECANCELED`.
    Again,
}

/// What becomes of an operation that a future waits for when the thread of its ring goes on to
/// something else, perhaps for ever: [`Operation::AT_LEAVE`].
///
/// ```
/// use henge_driver::{AtLeave, Operation, ops};
///
/// // A connection may be long in coming: the future goes on with it wherever it is polled next.
/// assert_eq!(ops::Connect::AT_LEAVE, AtLeave::Renews);
/// // That will not take long.
/// assert_eq!(ops::Rename::AT_LEAVE, AtLeave::Ends);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtLeave {
    /// It stays under way, and its result is known when the thread returns.
    Stays,
    /// It ends by itself: the thread waits a few seconds for that.
    Ends,
    /// It is cancelled. If the kernel has given it back with nothing done (`ECANCELED`), or
    /// [`complete`](Operation::complete) answers [`Again`](Next::Again), the future submits it anew
    /// where it is polled next: [`prepare`](Operation::prepare) is called once more, in another
    /// place perhaps and on another thread. Else it has a result, which is as good as ever.
    Renews,
}

/// One kind of request to the kernel.
///
/// The driver moves the operation into memory that does not move again, calls
/// [`prepare`](Operation::prepare) and submits; it calls [`complete`](Operation::complete) with
/// every completion, on the thread of its ring. The operation, and with it all memory that it
/// owns, lives until the last of them, whatever becomes of the future.
///
/// Inside `complete` the driver can be asked for ([`current::with`](crate::current::with)) and
/// given other operations; it cannot be turned.
///
/// # Safety
///
/// All memory that the entries made by `prepare` point to must be owned by the operation (or live
/// for ever), must not move when the operation is moved (until `prepare`, which sees it in its
/// final place), and must not be touched by anybody else until the last completion, nor by the
/// operation where the kernel may write. Descriptors must stay open until the last completion.
///
/// ```
/// use henge_driver::{Cqe, Driver, Next, Operation, Sqe, submit};
///
/// /// Nothing, some more times.
/// struct Nops(u32);
///
/// // SAFETY: the entry points to no memory and names no descriptor.
/// unsafe impl Operation for Nops {
///     type Output = i32;
///     fn prepare(&mut self) -> Sqe { Sqe::nop() }
///     fn complete(&mut self, cqe: Cqe) -> Next<i32> {
///         match self.0 {
///             0 => Next::Done(cqe.result()),
///             _ => { self.0 -= 1; Next::Again }
///         }
///     }
/// }
///
/// let driver = Driver::new()?;
/// assert_eq!(driver.block_on(submit(Nops(3)))?, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
pub unsafe trait Operation: Send + 'static {
    /// The result.
    type Output: Send + 'static;

    /// Goes on when its future is dropped: it is then neither cancelled nor kept from being
    /// repeated. For what was promised to somebody who need not wait for it.
    const PERSISTS: bool = false;

    /// The kernel keeps it with its time-outs, where it finds all of them fast and one of many
    /// slowly; everything else it keeps the other way round. What it costs to shut down depends
    /// on this, and nothing else does.
    const IS_TIMEOUT: bool = false;

    /// Where one of these has completed, a turn fetches what else has before anybody is polled,
    /// with more enters if it must: an enter brings some twenty completions, but a device is told
    /// of new work once an enter, and that costs more than the enter does. For transfers that
    /// devices carry out, whose completions come many at a time and are followed by as many
    /// submissions.
    const GATHERS: bool = false;

    /// As a rule it completes as it is submitted: a send into a socket that has room. A sleep that
    /// [waits for several completions](crate::Driver::set_min_wait) does not count it among them.
    const AT_ONCE: bool = false;

    /// What becomes of it when its thread leaves the loop, as a thread does that returns from a
    /// runtime's `block_on`, while a future waits for it, which may go to another thread.
    const AT_LEAVE: AtLeave = AtLeave::Stays;

    /// The entry to submit. `self` is where it will be until the last completion.
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Fd, Next, Operation, Sqe, submit};
    /// use std::{fs::File, os::fd::OwnedFd};
    ///
    /// struct Magic(Fd, [u8; 4]);
    ///
    /// // SAFETY: the bytes are a field, which does not move after `prepare`; so is the descriptor.
    /// unsafe impl Operation for Magic {
    ///     type Output = [u8; 4];
    ///     fn prepare(&mut self) -> Sqe { Sqe::read(&self.0, self.1.as_mut_ptr(), 4, 0) }
    ///     fn complete(&mut self, _: Cqe) -> Next<[u8; 4]> { Next::Done(self.1) }
    /// }
    ///
    /// let program = Fd::from(OwnedFd::from(File::open("/proc/self/exe")?));
    /// let magic = Driver::new()?.block_on(submit(Magic(program, [0; 4])))?;
    /// assert_eq!(&magic, b"\x7fELF");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn prepare(&mut self) -> Sqe;

    /// Makes sense of a completion.
    ///
    /// ```
    /// use henge_driver::{Cqe, Next, Operation, Sqe};
    /// use std::io;
    ///
    /// struct Wait;
    ///
    /// // SAFETY: the entry points to no memory and names no descriptor.
    /// unsafe impl Operation for Wait {
    ///     type Output = io::Result<()>;
    ///     fn prepare(&mut self) -> Sqe { Sqe::nop() }
    ///     fn complete(&mut self, cqe: Cqe) -> Next<io::Result<()>> {
    ///         match cqe.into_result() {
    ///             Err(error) if error.kind() == io::ErrorKind::Interrupted => Next::Again,
    ///             result => Next::Done(result.map(drop)),
    ///         }
    ///     }
    /// }
    ///
    /// const EINTR: i32 = 4;
    /// assert!(matches!(Wait.complete(Cqe::new(-EINTR, 0)), Next::Again));
    /// assert!(matches!(Wait.complete(Cqe::new(0, 0)), Next::Done(Ok(()))));
    /// ```
    fn complete(&mut self, cqe: Cqe) -> Next<Self::Output>;

    /// Disposes of a result that nobody waits for any more: closes a descriptor, gives bytes back
    /// to whoever owns the stream. On the thread of the ring, or on that of the future.
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Next, Operation, Sqe, submit_now};
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use std::task::{Context, Waker};
    ///
    /// static SEATS: AtomicUsize = AtomicUsize::new(1);
    ///
    /// struct TakeSeat;
    ///
    /// // SAFETY: the entry points to no memory and names no descriptor.
    /// unsafe impl Operation for TakeSeat {
    ///     type Output = usize;
    ///     fn prepare(&mut self) -> Sqe { Sqe::nop() }
    ///     fn complete(&mut self, _: Cqe) -> Next<usize> {
    ///         Next::Done(SEATS.fetch_sub(1, Ordering::Relaxed))
    ///     }
    ///     fn orphaned(_seat: usize) {
    ///         SEATS.fetch_add(1, Ordering::Relaxed); // for somebody else
    ///     }
    /// }
    ///
    /// let driver = Driver::new()?;
    /// let _entered = driver.enter();
    /// drop(submit_now(TakeSeat, &mut Context::from_waker(Waker::noop()))?);
    /// while driver.in_flight() > 0 {
    ///     driver.park(None, || false)?;
    /// }
    /// assert_eq!(SEATS.load(Ordering::Relaxed), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn orphaned(output: Self::Output) {
        drop(output);
    }

    /// The kernel cancels the entry after this span (a linked time-out). Asked after `prepare`;
    /// the span must stay where it is until the first completion.
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Fd, Next, Operation, Sqe, Timespec, ops::events, submit};
    /// use std::{os::fd::OwnedFd, time::Duration};
    ///
    /// struct Readable(Fd, Timespec);
    ///
    /// // SAFETY: the entry points to no memory; descriptor and limit are fields.
    /// unsafe impl Operation for Readable {
    ///     type Output = i32;
    ///     fn prepare(&mut self) -> Sqe { Sqe::poll_add(&self.0, events::IN) }
    ///     fn complete(&mut self, cqe: Cqe) -> Next<i32> { Next::Done(cqe.result()) }
    ///     fn time_limit(&self) -> Option<&Timespec> { Some(&self.1) }
    /// }
    ///
    /// const ECANCELED: i32 = 125;
    /// let (reader, _silent) = std::io::pipe()?;
    /// let limit = Timespec::from(Duration::from_millis(1));
    /// let wait = Readable(OwnedFd::from(reader).into(), limit);
    /// assert_eq!(Driver::new()?.block_on(submit(wait))?, -ECANCELED);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn time_limit(&self) -> Option<&Timespec> {
        None
    }

    /// Bytes that were promised to somebody and are still to be sent: shutting down waits for
    /// operations that have some, up to its first deadline.
    ///
    /// ```
    /// use henge_driver::{Cqe, Driver, Next, Operation, Sqe};
    /// use std::time::Duration;
    ///
    /// /// So many bytes, sent one at a time.
    /// struct Slow(u64);
    ///
    /// // SAFETY: the entry points to no memory and names no descriptor.
    /// unsafe impl Operation for Slow {
    ///     type Output = ();
    ///     fn prepare(&mut self) -> Sqe { Sqe::nop() }
    ///     fn complete(&mut self, _: Cqe) -> Next<()> {
    ///         self.0 -= 1;
    ///         if self.0 == 0 { Next::Done(()) } else { Next::Again }
    ///     }
    ///     fn unsent(&self) -> u64 { self.0 }
    /// }
    ///
    /// let driver = Driver::new()?;
    /// driver.submit_detached(Slow(100));
    /// let leaked = driver.shutdown(Duration::from_secs(60), Duration::from_secs(60));
    /// assert_eq!(leaked.unsent, 0, "it was waited for");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn unsent(&self) -> u64 {
        0
    }
}
