//! Signals of the process, turned into descriptors that become readable.
//!
//! A handler may do next to nothing: no lock, no allocation, nothing that another thread could be
//! in the middle of. Ours walks a list and writes to eventfds.
//!
//! ```text
//! LISTENERS ──► node(SIGTERM, taken) ──► node(SIGINT, free) ──► node(SIGTERM, taken)
//! ```
//!
//! Who may touch what: nodes are pushed under the lock [`TAKEN`], are never freed and never change
//! their signal, so the handler, which may run on any thread at any moment, can walk the list
//! without one. A listener that is dropped marks its node free, for the next listener of the same
//! signal; its eventfd stays open. So the worst that a handler can do which still runs then is to
//! tell the next listener of a signal that came just before it listened.
//!
//! A handler is installed when a signal is first listened to, never unasked, and stays: a signal
//! that once was listened to no longer ends the process. What handled it before is called after.

use std::io;
use std::iter;
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::event::EventFd;
use crate::Fd;

pub use libc::{
    SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH,
};

/// One more than the highest signal that Linux has.
const SIGNALS: usize = 65;

static LISTENERS: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

/// Held to listen: which signals our handler is installed for.
static TAKEN: Mutex<u128> = Mutex::new(0);

/// What handled each signal before us: the address of a function, and whether it takes three
/// arguments. `SIG_DFL` and `SIG_IGN` are not functions, and stand as 0.
static BEFORE: [(AtomicUsize, AtomicBool); SIGNALS] =
    [const { (AtomicUsize::new(0), AtomicBool::new(false)) }; SIGNALS];

/// What is called in the handler of SIGURG besides, if anything: a `fn()`.
#[cfg(feature = "backtrace")]
static ON_URGENT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

#[derive(Debug)]
struct Node {
    signal: i32,
    taken: AtomicBool,
    event: EventFd,
    next: Option<&'static Node>,
}

/// Tells that a signal has come, once or several times, since it was asked last.
///
/// # Examples
/// ```
/// use henge_driver::sys::signal::{Listener, SIGUSR1};
///
/// let listener = Listener::new(SIGUSR1)?;
/// assert!(!listener.take());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Listener {
    node: &'static Node,
}

impl Listener {
    /// Listens to the signal of this number, from now on.
    ///
    /// # Errors
    /// `Other` for numbers that are no signals, and for those that cannot be handled (`SIGKILL`,
    /// `SIGSTOP`) or must not return (`SIGILL`, `SIGFPE`, `SIGSEGV`, `SIGBUS`); `InvalidInput` for
    /// the C library's own; what the kernel says to `eventfd`.
    pub fn new(signal: i32) -> io::Result<Listener> {
        use libc::{SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSTOP};
        let refused = [SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSTOP].contains(&signal);
        if refused || !(1..SIGNALS as i32).contains(&signal) {
            return Err(io::Error::other(format!("Refusing to register signal {signal}")));
        }
        let mut installed = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let node = match free_node(signal) {
            Some(node) => node,
            None => push_node(signal)?,
        };
        node.event.clear();
        // Relaxed: the handler only reads it, and a signal that comes right now may be missed.
        node.taken.store(true, Ordering::Relaxed);
        if *installed >> signal & 1 == 0 {
            // Not by a listener that is dropped, which would wait for the lock that is held here.
            install(signal).inspect_err(|_refused| node.taken.store(false, Ordering::Relaxed))?;
            *installed |= 1 << signal;
        }
        Ok(Listener { node })
    }

    /// Whether the signal has come since the last call.
    pub fn take(&self) -> bool {
        self.node.event.clear()
    }

    /// The descriptor that is readable while there is something to [`take`](Self::take). It is
    /// never closed.
    pub fn fd(&self) -> &'static Fd {
        self.node.event.fd()
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.node.event.as_raw_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Relaxed: nodes are taken under the lock.
        let _lock = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        self.node.taken.store(false, Ordering::Relaxed);
    }
}

/// From now on `call` is called in the handler of SIGURG, and must do only what a handler may do.
///
/// # Errors
/// If the handler cannot be installed.
#[cfg(feature = "backtrace")]
pub(super) fn call_on_urgent(call: fn()) -> io::Result<()> {
    let mut installed = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Relaxed: a function has nothing behind it that would have to be seen.
    ON_URGENT.store(call as *mut (), Ordering::Relaxed);
    if *installed >> libc::SIGURG & 1 == 0 {
        install(libc::SIGURG)?;
        *installed |= 1 << libc::SIGURG;
    }
    Ok(())
}

/// All nodes, as the handler and the holder of the lock walk them.
fn nodes() -> impl Iterator<Item = &'static Node> {
    // Acquire: pairs with `push_node`, for what the node was filled with.
    let first = LISTENERS.load(Ordering::Acquire);
    // SAFETY: null, or a node that was leaked by `push_node`, and is only ever shared.
    let first: Option<&'static Node> = unsafe { first.as_ref() };
    iter::successors(first, |node| node.next)
}

fn free_node(signal: i32) -> Option<&'static Node> {
    // Relaxed: changed under the lock that the caller holds.
    nodes().find(|node| node.signal == signal && !node.taken.load(Ordering::Relaxed))
}

/// Under the lock.
fn push_node(signal: i32) -> io::Result<&'static Node> {
    let taken = AtomicBool::new(false);
    let node = Node { signal, taken, event: EventFd::new()?, next: nodes().next() };
    let node = Box::leak(Box::new(node));
    // Release: whoever finds the node finds it filled.
    LISTENERS.store(node, Ordering::Release);
    Ok(node)
}

/// Under the lock.
fn install(signal: i32) -> io::Result<()> {
    let mut before = no_action();
    // SAFETY: asks only, into a struct that is exclusively ours.
    let asked = unsafe { libc::sigaction(signal, ptr::null(), &raw mut before) };
    if asked < 0 {
        return Err(io::Error::last_os_error());
    }
    if before.sa_sigaction != libc::SIG_DFL && before.sa_sigaction != libc::SIG_IGN {
        let (address, three) = &BEFORE[signal as usize];
        three.store(before.sa_flags & libc::SA_SIGINFO != 0, Ordering::Relaxed);
        // Relaxed: the kernel's call below publishes both to the handler.
        address.store(before.sa_sigaction, Ordering::Relaxed);
    }
    let mut action = no_action();
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    // Signals that are pending together would each get a frame before the first handler runs, and
    // a thread's stack for signals has room for two or three.
    // SAFETY: a set of our own.
    unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    // SAFETY: the handler has the signature that SA_SIGINFO announces, and does only what a
    // handler may do; the struct is read only.
    let set = unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    if set < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn no_action() -> libc::sigaction {
    // SAFETY: a C struct of integers, an empty signal set and an optional function, for all of
    // which zero is a value.
    unsafe { std::mem::zeroed() }
}

extern "C" fn handler(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the address of this thread's errno, valid while the thread lives.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above; the code that was interrupted must find what it left.
    let saved = unsafe { errno.read() };
    // Relaxed: a listener that goes away now may be told once more, which nobody sees.
    for node in nodes() {
        if node.signal == signal && node.taken.load(Ordering::Relaxed) {
            node.event.signal();
        }
    }
    #[cfg(feature = "backtrace")]
    if signal == libc::SIGURG {
        // Relaxed: as where it is stored.
        let call = ON_URGENT.load(Ordering::Relaxed);
        if !call.is_null() {
            // SAFETY: what is not null is the `fn()` that `call_on_urgent` was given.
            let call = unsafe { std::mem::transmute::<*mut (), fn()>(call) };
            call();
        }
    }
    // SAFETY: the arguments are those that the kernel called us with.
    unsafe { call_before(signal, info, context) };
    // SAFETY: as above.
    unsafe { errno.write(saved) };
}

/// # Safety
/// Called from a handler with its arguments.
unsafe fn call_before(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some((address, three)) = BEFORE.get(signal as usize) else { return };
    let function = address.load(Ordering::Relaxed) as *const ();
    if function.is_null() {
        return;
    }
    if three.load(Ordering::Relaxed) {
        type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);
        // SAFETY: what was installed with SA_SIGINFO is a function of this type.
        let function = unsafe { std::mem::transmute::<*const (), Handler>(function) };
        function(signal, info, context);
    } else {
        // SAFETY: what was installed without it is a function of this type.
        let function = unsafe { std::mem::transmute::<*const (), extern "C" fn(i32)>(function) };
        function(signal);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn raise(signal: i32) {
        // SAFETY: sends a signal that this test handles to the calling thread.
        assert_eq!(unsafe { libc::raise(signal) }, 0);
    }

    #[test]
    fn every_listener_of_the_signal_hears_it_and_no_other() -> io::Result<()> {
        let listeners = [Listener::new(SIGUSR2)?, Listener::new(SIGUSR2)?];
        let other = Listener::new(SIGWINCH)?;
        raise(SIGUSR2);
        raise(SIGUSR2);
        for listener in &listeners {
            assert!(listener.take(), "the signal came");
            assert!(!listener.take(), "two that came before the look are one");
        }
        assert!(!other.take());
        drop(listeners);
        let next = Listener::new(SIGUSR2)?;
        assert!(!next.take(), "a new listener hears nothing of before");
        Ok(())
    }

    #[test]
    fn signals_that_are_pending_together_are_handled_one_after_another() -> io::Result<()> {
        let listeners: io::Result<Vec<_>> =
            (libc::SIGRTMIN()..libc::SIGRTMAX()).map(Listener::new).collect();
        let listeners = listeners?;
        let (mut all, mut before) = (no_action().sa_mask, no_action().sa_mask);
        // SAFETY: a set of our own.
        unsafe { libc::sigfillset(&raw mut all) };
        // SAFETY: both sets are ours; what is blocked here is unblocked below.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before) };
        (libc::SIGRTMIN()..libc::SIGRTMAX()).for_each(raise);
        // SAFETY: a set that the kernel has filled.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut()) };
        assert!(listeners.iter().all(Listener::take), "each was heard");
        Ok(())
    }

    #[test]
    fn what_handled_the_signal_before_still_does() -> io::Result<()> {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        extern "C" fn mine(_: i32) {
            CALLS.fetch_add(1, Ordering::Relaxed);
        }
        let mut action = no_action();
        action.sa_sigaction = mine as *const () as usize;
        // SAFETY: the handler takes one argument and does what a handler may do.
        let set = unsafe { libc::sigaction(SIGIO, &raw const action, ptr::null_mut()) };
        assert_eq!(set, 0);
        let listener = Listener::new(SIGIO)?;
        raise(SIGIO);
        assert!(listener.take());
        assert_eq!(CALLS.load(Ordering::Relaxed), 1);
        Ok(())
    }

    #[test]
    fn what_cannot_be_handled_is_refused() {
        // Two are the C library's own, which refuses them itself.
        for signal in [libc::SIGKILL, libc::SIGSEGV, 0, -1, 32, 33, 32, 65, i32::MAX] {
            let error = Listener::new(signal).map(drop).expect_err("refused");
            let of_the_library = matches!(signal, 32 | 33);
            let kind =
                if of_the_library { io::ErrorKind::InvalidInput } else { io::ErrorKind::Other };
            assert_eq!(error.kind(), kind);
        }
    }
}
