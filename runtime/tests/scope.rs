//! `task::scope`: children that borrow, and what becomes of them when something goes wrong.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream};
use henge::runtime::Builder;
use henge::sync::oneshot;
use henge::task::{self, scope};
use henge::time::{sleep, timeout};

/// Long enough for the slowest machine; a hang fails.
const PATIENCE: Duration = Duration::from_secs(60);

fn run<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { timeout(PATIENCE, future).await.unwrap() })
}

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    (*panic.downcast::<&'static str>().unwrap()).to_owned()
}

/// Counts its drops.
struct Dropped<'a>(&'a Cell<u32>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn children_borrow_and_run_in_turns_with_the_body() {
    let order = RefCell::new(Vec::new());
    let say = |what: &'static str| order.borrow_mut().push(what);
    let output = run(scope(|s| {
        let say = &say;
        async move {
            for names in [["a1", "a2"], ["b1", "b2"]] {
                s.spawn(async move {
                    say(names[0]);
                    task::yield_now().await;
                    say(names[1]);
                });
            }
            say("body");
            7
        }
    }));
    assert_eq!(output, 7);
    assert_eq!(*order.borrow(), ["body", "a1", "b1", "a2", "b2"]);
}

#[test]
fn results_come_by_the_handles() {
    run(async {
        let numbers: Vec<u64> = (0..1_000).collect();
        let sum = scope(|s| {
            let numbers = &numbers;
            async move {
                let parts = numbers.chunks(10).map(|part| {
                    s.spawn(async move {
                        sleep(Duration::from_millis(part[0] % 7)).await;
                        part.iter().sum::<u64>()
                    })
                });
                let mut sum = 0;
                for part in parts.collect::<Vec<_>>() {
                    sum += part.await.unwrap();
                }
                sum
            }
        });
        assert_eq!(sum.await, 499_500);
    });
}

#[test]
fn the_scope_waits_for_children_whose_handles_are_gone() {
    let count = Cell::new(0);
    run(scope(|s| {
        let count = &count;
        async move {
            let inner = s.clone();
            s.spawn(async move {
                sleep(Duration::from_millis(5)).await;
                // A child may have children in the same scope.
                inner.spawn(async {
                    task::yield_now().await;
                    count.set(count.get() + 1);
                });
            });
        }
    }));
    assert_eq!(count.get(), 1);
}

#[test]
fn scopes_in_scopes() {
    let count = Cell::new(0);
    run(scope(|outer| {
        let count = &count;
        async move {
            for _ in 0..3 {
                outer.spawn(async move {
                    let local = Cell::new(0);
                    scope(|inner| {
                        let local = &local;
                        async move {
                            for _ in 0..4 {
                                inner.spawn(async move {
                                    task::yield_now().await;
                                    local.set(local.get() + 1);
                                });
                            }
                        }
                    })
                    .await;
                    count.set(count.get() + local.get());
                });
            }
        }
    }));
    assert_eq!(count.get(), 12);
}

#[test]
fn a_panic_of_a_child_is_its_handles() {
    run(scope(|s| async move {
        let child = s.spawn(async { panic!("in a child") });
        let other = s.spawn(async { 1 });
        let (own, id) = (child.id(), s.spawn(async { task::id() }));
        let error = child.await.unwrap_err();
        assert_eq!(error.id(), own);
        assert_eq!(message(error.into_panic()), "in a child");
        assert_eq!(other.await.unwrap(), 1);
        let expected = id.id();
        assert_eq!(id.await.unwrap(), expected);
    }));
}

#[test]
fn a_panic_that_nobody_has_seen_is_the_scopes_when_the_others_are_done() {
    let done = Cell::new(0);
    let run_one = |keep: bool| {
        let done = &done;
        run(scope(move |s| async move {
            let child = s.spawn(async { panic!("unseen") });
            s.spawn(async {
                sleep(Duration::from_millis(5)).await;
                done.set(done.get() + 1);
            });
            if keep {
                // It has panicked when its handle is dropped.
                task::yield_now().await;
                task::yield_now().await;
                assert!(child.is_finished());
            }
            drop(child);
        }));
    };
    for keep in [false, true] {
        let panic = catch_unwind(AssertUnwindSafe(|| run_one(keep))).unwrap_err();
        assert_eq!(message(panic), "unseen");
    }
    assert_eq!(done.get(), 2, "the others were waited for");
}

#[test]
fn a_panic_of_the_body_drops_the_children() {
    let dropped = Cell::new(0);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        run(scope(|s| {
            let guard = Dropped(&dropped);
            async move {
                s.spawn(async move {
                    let _guard = guard;
                    pending::<()>().await;
                });
                task::yield_now().await;
                panic!("in the body");
            }
        }));
    }));
    assert_eq!(message(panic.unwrap_err()), "in the body");
    assert_eq!(dropped.get(), 1);
}

#[test]
fn dropping_the_scope_drops_its_children_started_or_not() {
    let dropped = Cell::new(0);
    for polls in 0..3 {
        let mut cx = Context::from_waker(Waker::noop());
        dropped.set(0);
        let mut future = Box::pin(scope(|s| {
            let dropped = &dropped;
            async move {
                for _ in 0..4 {
                    let guard = Dropped(dropped);
                    s.spawn(async move {
                        let _guard = guard;
                        pending::<()>().await;
                    });
                }
                pending::<()>().await;
            }
        }));
        for _ in 0..polls {
            assert!(future.as_mut().poll(&mut cx).is_pending());
        }
        drop(future);
        assert_eq!(dropped.get(), if polls == 0 { 0 } else { 4 });
    }
}

static FORGOTTEN: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_scope_that_is_forgotten_stops() {
    // What the children borrow may be gone once the scope's future is: it is never polled again,
    // whatever wakes them.
    let polls = Cell::new(0);
    let (wake, woken) = oneshot::channel();
    {
        let local = String::from("only here");
        let mut future = Box::pin(scope(|s| {
            let (polls, local) = (&polls, &local);
            async move {
                s.spawn(async move {
                    polls.set(polls.get() + local.len());
                    _ = woken.await;
                    polls.set(polls.get() + local.len());
                });
            }
        }));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert_eq!(polls.get(), 9);
        // As `mem::forget`, but known to the leak checker.
        let forgotten = Box::leak(Box::new(future));
        FORGOTTEN.store((&raw const *forgotten).addr(), Ordering::Relaxed);
    }
    wake.send(()).unwrap();
    run(task::yield_now());
    assert_eq!(polls.get(), 9);
}

#[test]
fn aborting_a_child_drops_it_when_its_turn_comes() {
    let dropped = Cell::new(0);
    run(scope(|s| {
        let (early, late) = (Dropped(&dropped), Dropped(&dropped));
        let dropped = &dropped;
        async move {
            let early = s.spawn(async move {
                let _early = early;
                panic!("aborted before its first poll")
            });
            early.abort();
            let late = s.spawn(async move {
                let _late = late;
                pending::<()>().await;
            });
            task::yield_now().await;
            task::yield_now().await;
            assert_eq!(dropped.get(), 1);
            late.abort();
            late.abort();
            assert!(late.await.unwrap_err().is_cancelled());
            assert!(early.await.unwrap_err().is_cancelled());
            assert_eq!(dropped.get(), 2);
            let done = s.spawn(async { 1 });
            while !done.is_finished() {
                task::yield_now().await;
            }
            done.abort();
            assert_eq!(done.await.unwrap(), 1);
        }
    }));
}

#[test]
fn what_is_spawned_into_a_scope_that_is_done_is_cancelled() {
    run(async {
        let ended = scope(|s| async move { s }).await;
        assert!(ended.spawn(async { 1 }).await.unwrap_err().is_cancelled());
        // A handle may leave its scope.
        let handle = scope(|s| std::future::ready(s.spawn(async { 2 }))).await;
        assert_eq!(handle.await.unwrap(), 2);
    });
}

#[test]
fn children_are_polled_only_when_they_were_woken() {
    let polls = Cell::new(0);
    let idle = &polls;
    run(scope(|s| async move {
        s.spawn(async move {
            let mut sleep = pin!(sleep(Duration::from_millis(20)));
            std::future::poll_fn(|cx| {
                idle.set(idle.get() + 1);
                sleep.as_mut().poll(cx)
            })
            .await;
        });
        for _ in 0..100 {
            task::yield_now().await;
        }
    }));
    assert!(polls.get() <= 3, "{}", polls.get());
}

#[test]
fn a_child_that_wakes_itself_keeps_nobody_from_running() {
    run(async {
        let (done, waits) = oneshot::channel();
        drop(task::spawn(async move {
            task::yield_now().await;
            done.send(()).unwrap();
        }));
        let waits = RefCell::new(waits);
        scope(|s| {
            let waits = &waits;
            async move {
                s.spawn(std::future::poll_fn(move |cx| {
                    cx.waker().wake_by_ref();
                    if waits.borrow_mut().try_recv().is_ok() {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                }))
                .await
                .unwrap();
            }
        })
        .await;
    });
}

#[test]
fn wakes_from_other_threads_arrive() {
    run(async {
        let count = Cell::new(0);
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..100).map(|_| oneshot::channel::<u32>()).unzip();
        let thread = std::thread::spawn(|| {
            for (n, sender) in senders.into_iter().enumerate() {
                sender.send(n as u32).unwrap();
                if n % 10 == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        });
        scope(|s| {
            let count = &count;
            async move {
                for receiver in receivers {
                    s.spawn(async move {
                        let number = receiver.await.unwrap();
                        count.set(count.get() + number);
                    });
                }
            }
        })
        .await;
        assert_eq!(count.get(), 4_950);
        thread.join().unwrap();
    });
}

#[test]
fn any_executor_will_do() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(count.clone());
    let (send, receive) = oneshot::channel();
    let mut future = pin!(scope(|s| async move { s.spawn(receive).await.unwrap() }));
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let before = count.0.load(Ordering::Relaxed);
    send.send(5).unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), before + 1);
    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
    assert_eq!(polled, Poll::Ready(Ok(5)));
}

#[test]
fn a_connection_read_and_written_by_two_children() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let echo = task::spawn(async move {
            let (mut stream, _peer) = listener.accept().await.unwrap();
            let (mut read, mut write) = stream.split();
            henge::io::copy(&mut read, &mut write).await.unwrap();
        });
        let mut stream = TcpStream::connect(address).await.unwrap();
        let (mut read, mut write) = stream.split();
        let bytes = vec![7; 300_000];
        let echoed = scope(|s| {
            let (bytes, read, write) = (&bytes, &mut read, &mut write);
            async move {
                let reads = s.spawn(async move {
                    let mut echoed = vec![0; 300_000];
                    read.read_exact(&mut echoed).await.unwrap();
                    echoed
                });
                s.spawn(async move { write.write_all(bytes).await.unwrap() });
                reads.await.unwrap()
            }
        })
        .await;
        assert!(echoed == bytes);
        drop(stream);
        echo.await.unwrap();
    });
}
