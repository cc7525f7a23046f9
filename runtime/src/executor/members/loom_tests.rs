//! The model of a wake and a rearming that meet.

use std::sync::Arc;
use std::task::{Wake, Waker};

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::Members;

/// Counts in a loom atomic, so that a wake that is lost shows in the model.
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a member is woken for is seen by the group, however a wake and a rearming meet.
#[test]
fn loom_no_wake_is_lost_and_the_pool_goes_last() {
    loom::model(|| {
        let mut members = Members::new();
        let (_, waker) = members.add(0);
        waker.wake_by_ref();
        let value = loom::sync::Arc::new(AtomicUsize::new(0));
        let written = value.clone();
        let other = thread::spawn(move || {
            written.store(1, Ordering::Relaxed);
            waker.wake();
        });
        let (_key, taken) = members.next().unwrap();
        let armed = members.rearm(taken);
        let mut seen = value.load(Ordering::Relaxed) == 1;
        let count = Arc::new(Count(AtomicUsize::new(0)));
        drop(members.wait(&Waker::from(count.clone())));
        if !seen && let Some((_key, taken)) = members.next() {
            seen = value.load(Ordering::Relaxed) == 1;
            assert!(seen, "it was woken for that");
            members.retire(taken);
        } else if seen {
            members.remove(armed);
        }
        if seen {
            drop(members);
            other.join().unwrap();
        } else {
            other.join().unwrap();
            assert_eq!(count.0.load(Ordering::Relaxed), 1, "the group is woken");
            assert!(members.next().is_some_and(|(key, taken)| {
                members.retire(taken);
                key == 0
            }));
        }
    });
}
