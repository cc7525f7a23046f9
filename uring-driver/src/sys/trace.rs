//! Where another thread is at this moment.
//!
//! A thread can only be asked by a signal, whose handler walks the stack that it interrupts. The
//! signal is SIGURG, as in Go's scheduler and for its reasons: nobody uses it for anything else,
//! and one that comes unasked is ignored by default and here, where what handled it before is
//! called. The handler stores addresses and does nothing else; names are looked up by whoever asks,
//! on a thread that may allocate.
//!
//! One question is under way at a time:
//!
//! ```text
//!   IDLE --ask--> ASKED --handler--> WRITING --handler--> DONE --asker--> IDLE
//!                   '------------ asker, out of patience ------------------^
//! ```
//!
//! The word also says who is asked, so that a handler which comes late does not take the question
//! that was put to another thread since.
//!
//! # What the handler relies on
//! Unwinding takes no lock and allocates nothing on Linux: frames are found through
//! `_dl_find_object` (glibc 2.35), which is safe in handlers, or before that through
//! `dl_iterate_phdr`, whose lock is recursive. The first walk may load the unwinder, so one is made
//! before the handler is installed.

use std::fmt::Write;
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::clock;
use super::signal;

/// The most frames that are recorded.
const DEEPEST: usize = 96;

/// The states, in the lowest bits; above them is the thread that is asked.
const IDLE: u64 = 0;
const ASKED: u64 = 1;
const WRITING: u64 = 2;
const DONE: u64 = 3;

static STATE: AtomicU64 = AtomicU64::new(IDLE);

/// What it answers, valid while the state is `DONE`.
static FRAMES: [AtomicPtr<libc::c_void>; DEEPEST] =
    [const { AtomicPtr::new(ptr::null_mut()) }; DEEPEST];
static DEPTH: AtomicUsize = AtomicUsize::new(0);

/// Held by whoever asks; whether the handler is installed.
static ASKING: Mutex<bool> = Mutex::new(false);

/// A thread of this process, as the kernel knows it.
///
/// # Examples
/// ```
/// # #[cfg(feature = "backtrace")] {
/// use std::time::Duration;
/// use henge_driver::sys::trace::Thread;
///
/// let here = Thread::current();
/// let asker = std::thread::spawn(move || here.backtrace(Duration::from_secs(10)));
/// let text = asker.join().expect("it does not panic")?.expect("it answers");
/// assert!(text.contains("main"), "{text}");
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread(i32);

impl Thread {
    /// The calling thread.
    pub fn current() -> Thread {
        // SAFETY: takes nothing, changes nothing, and cannot fail.
        Thread(unsafe { libc::gettid() })
    }

    /// Where the thread is now, a frame a line, the innermost first. `None` if it has not answered
    /// in time: it has ended, blocks the signal, or does not get a CPU.
    ///
    /// A system call that the thread is in may end early, with `EINTR` or short, as after any
    /// signal.
    ///
    /// # Errors
    /// If the handler cannot be installed.
    pub fn backtrace(self, patience: Duration) -> io::Result<Option<String>> {
        let mut is_installed = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_installed {
            backtrace::trace(|_| true);
            signal::call_on_urgent(handler)?;
            *is_installed = true;
        }
        Ok(self.ask(patience).map(|frames| describe(&frames)))
    }

    fn bits(self) -> u64 {
        u64::from(self.0.cast_unsigned()) << 2
    }

    /// Under the lock.
    fn ask(self, patience: Duration) -> Option<Vec<*mut libc::c_void>> {
        let whom = self.bits();
        // Release: the handler that takes the question writes after what was read before.
        STATE.store(whom | ASKED, Ordering::Release);
        let (process, number) = (std::process::id(), libc::SIGURG);
        // SAFETY: sends a signal that is handled to a thread of this process, if there is one of
        // this number.
        let sent = unsafe { libc::syscall(libc::SYS_tgkill, process, self.0, number) };
        let until = clock::now().checked_add(patience);
        while sent == 0 && until.is_none_or(|until| clock::now() < until) {
            // Acquire: pairs with the handler's store, for the frames.
            if STATE.load(Ordering::Acquire) == whom | DONE {
                return Some(take());
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        // Acquire: as above, if the handler was faster after all.
        let (asked, acquire) = (whom | ASKED, Ordering::Acquire);
        let withdrawn = STATE.compare_exchange(asked, IDLE, acquire, acquire);
        if withdrawn.is_ok() {
            return None;
        }
        // The handler is in the middle of it, which is not long.
        // Acquire: as above.
        while STATE.load(Ordering::Acquire) != whom | DONE {
            std::thread::yield_now();
        }
        Some(take())
    }
}

/// For the asker, when the state is `DONE`.
fn take() -> Vec<*mut libc::c_void> {
    let depth = DEPTH.load(Ordering::Relaxed);
    let frames = FRAMES[..depth].iter().map(|frame| frame.load(Ordering::Relaxed)).collect();
    // Relaxed: the next question is put by a store that releases.
    STATE.store(IDLE, Ordering::Relaxed);
    frames
}

/// Called by the kernel, on the stack of the thread that it interrupts.
fn handler() {
    // SAFETY: as in `Thread::current`; it may be called in a handler.
    let whom = Thread(unsafe { libc::gettid() }).bits();
    let (asked, writing) = (whom | ASKED, whom | WRITING);
    // Acquire: pairs with the asker's store: it has read the last answer. A signal of somebody
    // else's finds no question.
    if STATE.compare_exchange(asked, writing, Ordering::Acquire, Ordering::Relaxed).is_err() {
        return;
    }
    let mut depth = 0;
    // SAFETY: what is not synchronized is the look-up of names, which does not happen here; walking
    // a stack touches that stack alone.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            FRAMES[depth].store(frame.ip(), Ordering::Relaxed);
            depth += 1;
            depth < DEEPEST
        });
    }
    DEPTH.store(depth, Ordering::Relaxed);
    // Release: whoever sees that it is done sees the frames.
    STATE.store(whom | DONE, Ordering::Release);
}

/// The function that the kernel calls, which calls the one above.
const OURS: &str = "henge_driver::sys::signal::handler";

/// Names and places, from the frame that the signal interrupted on.
fn describe(frames: &[*mut libc::c_void]) -> String {
    let mut symbols: Vec<(String, Option<String>)> = Vec::new();
    for &ip in frames {
        let before = symbols.len();
        // The address is behind the call: one byte earlier is inside of it.
        backtrace::resolve(ip.wrapping_byte_sub(1), |symbol| {
            let name = symbol.name().map_or_else(|| format!("{ip:p}"), |name| format!("{name:#}"));
            let place = symbol.filename().zip(symbol.lineno());
            let place = place.map(|(file, line)| format!("{}:{line}", file.display()));
            symbols.push((name, place));
        });
        if symbols.len() == before {
            symbols.push((format!("{ip:p}"), None));
        }
    }
    // What the handler itself adds ends with the frame that returns from a signal.
    let ours = symbols.iter().rposition(|(name, _)| name.starts_with(OURS));
    let interrupted = match ours {
        Some(ours) if symbols.get(ours + 1).is_some_and(|(name, _)| is_return(name)) => ours + 2,
        Some(ours) => ours + 1,
        None => 0,
    };
    let mut text = String::new();
    for (number, (name, place)) in symbols[interrupted..].iter().enumerate() {
        // Writing to a string cannot fail.
        let _always_ok = match place {
            Some(place) => writeln!(text, "{number:>4}: {name}\n             at {place}"),
            None => writeln!(text, "{number:>4}: {name}"),
        };
    }
    text
}

/// Whether this is libc's way back from a handler, which often has no name.
fn is_return(name: &str) -> bool {
    name.starts_with("0x") || name.contains("restore_rt") || name == "<unknown>"
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[inline(never)]
    fn stands_here(told: &std::sync::mpsc::Sender<Thread>, over: &AtomicBool) {
        assert!(told.send(Thread::current()).is_ok());
        while !over.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_thread_is_found_where_it_stands() {
        let over = Arc::new(AtomicBool::new(false));
        let (tell, told) = std::sync::mpsc::channel();
        let its = Arc::clone(&over);
        let thread = std::thread::spawn(move || stands_here(&tell, &its));
        let target = told.recv().expect("it tells");
        for _ in 0..50 {
            let text = target.backtrace(Duration::from_secs(30)).expect("installed");
            let text = text.expect("it answers");
            let innermost = text.lines().next().expect("a frame");
            assert!(text.contains("stands_here") && !innermost.contains("handler"), "{text}");
        }
        over.store(true, Ordering::Relaxed);
        assert!(thread.join().is_ok());
        let gone = target.backtrace(Duration::from_millis(10)).expect("installed");
        assert_eq!(gone, None, "there is no such thread any more");
    }
}
