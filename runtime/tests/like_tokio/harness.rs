//! What the programs have in common: chance, futures that wait with wakers that tell, and the
//! notes that are compared.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Chance, the same for the same seed.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % n as u64).expect("below a usize")
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What a program saw.
#[derive(Default)]
pub(crate) struct Log {
    lines: Vec<String>,
}

impl Log {
    pub(crate) fn note(&mut self, what: &str, seen: impl Debug) {
        self.lines.push(format!("{what}: {seen:?}"));
    }

    /// Notes whose wakers were called, each once between two polls: more often is neither better
    /// nor worse. Those of futures that are done may be called or not.
    pub(crate) fn wakes<T>(&mut self, waiting: &mut [Waiting<T>]) {
        let mut line = String::new();
        for (i, waiting) in waiting.iter_mut().enumerate() {
            if waiting.wakes.called() && !waiting.is_idle() && !waiting.noted {
                waiting.noted = true;
                write!(line, " {i}").expect("a string can be written to");
            }
        }
        if !line.is_empty() {
            self.lines.push(format!("woken:{line}"));
        }
    }

    /// Where the two part, with the steps that led there.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let at = (0..self.lines.len().max(other.lines.len()))
            .find(|at| self.lines.get(*at) != other.lines.get(*at))?;
        let before = self.lines[..at].join("\n  ");
        let (ours, theirs) = (self.lines.get(at), other.lines.get(at));
        Some(format!("\n  {before}\nhenge saw {ours:?}\ntokio saw {theirs:?}"))
    }
}

#[derive(Default)]
struct Wakes(AtomicBool);

impl Wakes {
    fn called(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A place for a future that waits.
pub(crate) struct Waiting<T> {
    future: Option<Pin<Box<dyn Future<Output = T>>>>,
    wakes: Arc<Wakes>,
    noted: bool,
}

impl<T> Waiting<T> {
    pub(crate) fn places(n: usize) -> Vec<Self> {
        (0..n).map(|_| Self { future: None, wakes: Arc::default(), noted: false }).collect()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.future.is_none()
    }

    pub(crate) fn start(&mut self, future: impl Future<Output = T> + 'static) {
        self.future = Some(Box::pin(future));
        self.wakes = Arc::default();
        self.noted = false;
    }

    /// Polls what is here, once in a while with another waker. What it returns is noted by the
    /// caller, that it waits here.
    pub(crate) fn poll(&mut self, rng: &mut Rng, log: &mut Log) -> Option<T> {
        let other_waker = rng.one_in(4);
        let future = self.future.as_mut()?;
        if other_waker {
            self.wakes = Arc::default();
        }
        self.wakes.0.store(false, Ordering::Relaxed);
        self.noted = false;
        let waker = Waker::from(self.wakes.clone());
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => {
                self.future = None;
                Some(output)
            }
            Poll::Pending => {
                log.note("poll", "pending");
                None
            }
        }
    }

    pub(crate) fn cancel(&mut self, log: &mut Log) {
        if self.future.take().is_some() {
            log.note("cancel", ());
        }
    }
}

/// Something that a future borrows while it waits, and gives back when it is dropped.
pub(crate) struct Lent<T> {
    home: Home<T>,
    value: Option<T>,
}

/// Where what is lent comes back to.
pub(crate) struct Home<T>(Rc<RefCell<Option<T>>>);

impl<T> Home<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Rc::new(RefCell::new(Some(value))))
    }

    /// `None` while it is lent, or after it was taken for good.
    pub(crate) fn lend(&self) -> Option<Lent<T>> {
        let value = self.0.borrow_mut().take()?;
        Some(Lent { home: Self(self.0.clone()), value: Some(value) })
    }
}

impl<T> Lent<T> {
    /// Takes it for good.
    pub(crate) fn keep(mut self) -> T {
        self.value.take().expect("it is here until it is given back")
    }
}

impl<T> Deref for Lent<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is here until it is given back")
    }
}

impl<T> DerefMut for Lent<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is here until it is given back")
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        *self.home.0.borrow_mut() = self.value.take();
    }
}
