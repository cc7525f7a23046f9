//! Models of a channel between two loops: what is sent is received, whether the receiver's loop
//! looks or sleeps.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use loom::sync::atomic::{AtomicUsize, Ordering};

use super::super::{Local, Peers};
use super::{Sender, channel};
use crate::executor::Home;
use crate::executor::inbox::Inbox;
use crate::shard_id::ShardId;

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.max_branches = 5_000;
    builder.check(f);
}

/// A waker that counts.
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A loop that sends `messages`, `at_once` in a turn. Its handle goes before the last of them is
/// shown, or stays.
fn send(
    local: &Local,
    sender: Sender<usize>,
    messages: usize,
    at_once: usize,
    goes: bool,
) -> Option<Sender<usize>> {
    for message in 0..messages {
        if message % at_once == 0 {
            local.begin_turn();
            local.flush();
        }
        let mut cx = Context::from_waker(Waker::noop());
        let sent = pin!(sender.send(message)).poll(&mut cx);
        assert!(matches!(sent, Poll::Ready(Ok(()))), "there is room");
    }
    let stays = (!goes).then_some(sender);
    local.flush();
    stays
}

/// The receiver is on the model's first thread, and sleeps when it has found nothing.
fn all_arrives(messages: usize, at_once: usize, goes: bool) {
    let inbox = || Arc::new(Inbox::new(|| {}));
    let inboxes = [inbox(), inbox()];
    let peers = Peers::new(inboxes.iter().cloned(), 1);
    let home = Home::with_inbox(inboxes[1].clone());
    let local = Local::new(&peers, Some(1), inboxes[1].clone());
    let (_local, _home) = (local.enter(), home.enter());
    // So many places that batches are of as many as are sent at once.
    let (sender, port) = channel(ShardId::new(1), messages * if at_once > 1 { 4 } else { 1 });
    let other = loom::thread::spawn(move || {
        let local = Local::new(&peers, Some(0), inboxes[0].clone());
        let _entered = local.enter();
        send(&local, sender, messages, at_once, goes)
    });
    let mut receiver = port.open();
    let woken = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(woken.clone());
    let mut got = 0;
    while goes || got < messages {
        let before = woken.0.load(Ordering::SeqCst);
        match receiver.poll_recv(&mut Context::from_waker(&waker)) {
            Poll::Ready(Some(message)) => {
                assert_eq!(message, got);
                got += 1;
            }
            Poll::Ready(None) => break,
            Poll::Pending => {
                let is_woken = || woken.0.load(Ordering::SeqCst) > before;
                home.take_inbox();
                local.look(&home);
                local.flush();
                if !is_woken() {
                    local.rest(&home);
                }
                while !is_woken() {
                    home.take_inbox();
                    loom::thread::yield_now();
                }
            }
        }
    }
    assert_eq!(got, messages);
    drop(other.join().unwrap());
    // A loop that ends tells what it has noted, which refers to what notes it.
    local.close();
}

#[test]
fn loom_a_message_and_the_end_are_seen_by_who_looks_and_by_who_sleeps() {
    model(|| all_arrives(1, 1, true));
}

#[test]
fn loom_later_messages_find_a_receiver_that_watches_or_has_let_go() {
    // Nothing but the message itself calls for the second: the lane is known, the handle stays.
    model(|| all_arrives(2, 1, false));
}

#[test]
fn loom_what_is_sent_on_the_quick_way_is_shown_by_the_flush() {
    // The first is shown as it is sent, the second by nothing but the end of the turn.
    model(|| all_arrives(2, 2, false));
}
