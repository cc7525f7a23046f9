//! The pool with real threads, and its models.

#[cfg(not(henge_loom))]
mod real {
    use std::cell::RefCell;
    use std::future::Future;
    use std::io;
    use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Arc, Barrier, OnceLock};
    use std::task::{Context, Poll, Wake, Waker};
    use std::thread;
    use std::time::{Duration, Instant};

    use crate::offload::{Class, Config, Job, JobError, Metrics, Pool};

    /// Long enough for any machine, short enough that a hang is a failure.
    const PATIENCE: Duration = Duration::from_secs(60);

    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let start = Instant::now();
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return value;
            }
            assert!(start.elapsed() < PATIENCE, "the job does not finish");
            thread::park_timeout(PATIENCE);
        }
    }

    fn until(what: &str, condition: impl Fn() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < PATIENCE, "in vain: {what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn small(max_threads: usize) -> Pool {
        Pool::new(Config { max_threads, ..Config::default() })
    }

    /// Occupies one thread until the sender sends or is dropped.
    fn occupy(pool: &Pool) -> (Sender<()>, Job<()>) {
        let (started, on_it) = channel();
        let (release, released) = channel::<()>();
        let job = pool.spawn(Class::User, move || {
            started.send(()).expect("the test waits");
            let _released = released.recv();
        });
        on_it.recv_timeout(PATIENCE).expect("the job starts");
        (release, job)
    }

    /// Sends when dropped.
    struct Tell(Sender<thread::ThreadId>);

    impl Drop for Tell {
        fn drop(&mut self) {
            let _nobody_listens = self.0.send(thread::current().id());
        }
    }

    fn tell() -> (Tell, Receiver<thread::ThreadId>) {
        let (sender, receiver) = channel();
        (Tell(sender), receiver)
    }

    #[test]
    fn gives_the_value() {
        assert_eq!(wait(small(1).spawn(Class::User, || 6 * 7)).unwrap(), 42);
    }

    #[test]
    fn a_panic_is_a_value_and_the_thread_lives_on() {
        let pool = small(1);
        let id = wait(pool.spawn(Class::User, || thread::current().id())).unwrap();
        let error = wait(pool.spawn(Class::User, || panic!("number {}", 7))).unwrap_err();
        assert_eq!(error.to_string(), "a closure on the blocking pool panicked: number 7");
        assert!(error.is_panic());
        assert_eq!(wait(pool.spawn(Class::User, || thread::current().id())).unwrap(), id);
    }

    #[test]
    fn a_payload_that_panics_when_dropped_kills_no_thread() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic_any("again");
            }
        }
        let pool = small(1);
        let (release, job) = occupy(&pool);
        drop(pool.spawn(Class::User, || panic_any(Bomb)));
        drop(pool.spawn(Class::User, || Bomb));
        drop(release);
        wait(job).unwrap();
        assert_eq!(wait(pool.spawn(Class::User, || 1)).unwrap(), 1);
        assert_eq!(pool.metrics().threads, 1);
    }

    #[test]
    fn an_idle_thread_is_used_before_another_is_started() {
        let pool = small(8);
        for _ in 0..100 {
            until("idle", || pool.metrics().idle == pool.metrics().threads);
            wait(pool.spawn(Class::User, || ())).unwrap();
        }
        assert_eq!(pool.metrics().threads, 1);
    }

    #[test]
    fn a_thread_that_is_telling_comes_for_one_more_job() {
        let pool = Arc::new(small(8));
        let own = Arc::clone(&pool);
        let job = pool.spawn_telling(Class::User, move |telling| {
            telling.begin();
            telling.begin();
            let next = own.spawn(Class::User, || ());
            let one = own.metrics().threads;
            let after = own.spawn(Class::User, || ());
            ([next, after], [one, own.metrics().threads])
        });
        let (jobs, threads) = wait(job).unwrap();
        assert_eq!(threads, [1, 2]);
        jobs.into_iter().for_each(|job| wait(job).unwrap());
        until("idle", || pool.metrics().idle == pool.metrics().threads);
    }

    #[test]
    fn grows_to_the_cap_and_queues_behind_it() {
        let pool = small(3);
        let all = Arc::new(Barrier::new(4));
        let busy: Vec<_> = (0..3)
            .map(|_| {
                let all = Arc::clone(&all);
                pool.spawn(Class::User, move || all.wait().is_leader())
            })
            .collect();
        let behind = pool.spawn(Class::User, || "ran");
        let full = Metrics { threads: 3, queued: 1, ..Metrics::default() };
        until("all threads are busy", || pool.metrics() == full);
        assert!(!behind.is_finished());
        all.wait();
        assert_eq!(wait(behind).unwrap(), "ran");
        assert_eq!(pool.metrics().waits, 1, "the others found a thread");
        assert!(pool.metrics().waited > Duration::ZERO);
        busy.into_iter().for_each(|job| assert!(wait(job).is_ok()));
    }

    #[test]
    fn the_library_goes_first_at_the_cap() {
        let pool = small(1);
        let (release, job) = occupy(&pool);
        let (order, seen) = channel();
        let jobs: Vec<_> = [(Class::User, 1), (Class::System, 2), (Class::User, 3)]
            .into_iter()
            .map(|(class, number)| {
                let order = order.clone();
                pool.spawn(class, move || order.send(number).expect("the test waits"))
            })
            .collect();
        drop(release);
        wait(job).unwrap();
        jobs.into_iter().for_each(|job| wait(job).unwrap());
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [2, 1, 3]);
    }

    #[test]
    fn an_aborted_job_never_runs_and_its_closure_is_dropped_at_once() {
        let pool = small(1);
        let (release, job) = occupy(&pool);
        let (closure, dropped) = tell();
        let ran = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ran);
        let aborted = pool.spawn(Class::User, move || {
            let _closure = closure;
            flag.store(true, Ordering::Relaxed);
        });
        assert!(aborted.abort());
        assert!(!aborted.abort());
        assert_eq!(dropped.try_recv().unwrap(), thread::current().id());
        assert_eq!(pool.metrics().queued, 0);
        assert!(wait(aborted).unwrap_err().is_cancelled());
        assert!(!job.abort(), "one that runs cannot be aborted");
        drop(release);
        wait(job).unwrap();
        assert!(!ran.load(Ordering::Relaxed));
    }

    #[test]
    fn an_abort_wakes_who_waits() {
        let pool = small(1);
        let (_release, _job) = occupy(&pool);
        let waiting = pool.spawn(Class::User, || ());
        let abort = waiting.abort_handle();
        let waiter = thread::spawn(move || wait(waiting));
        thread::sleep(Duration::from_millis(5));
        assert!(abort.abort());
        assert!(waiter.join().unwrap().unwrap_err().is_cancelled());
    }

    #[test]
    fn a_detached_job_runs_and_its_result_is_dropped_where_it_ran() {
        let pool = small(1);
        let (release, job) = occupy(&pool);
        let (result, dropped) = tell();
        let (id, ran_on) = channel();
        drop(pool.spawn(Class::User, move || {
            id.send(thread::current().id()).expect("the test waits");
            result
        }));
        drop(release);
        wait(job).unwrap();
        let thread = ran_on.recv_timeout(PATIENCE).unwrap();
        assert_eq!(dropped.recv_timeout(PATIENCE).unwrap(), thread);
    }

    #[test]
    fn a_finished_result_that_nobody_took_is_dropped_with_the_job() {
        let pool = small(1);
        let (result, dropped) = tell();
        let job = pool.spawn(Class::User, move || result);
        until("finished", || job.is_finished());
        assert!(dropped.try_recv().is_err());
        drop(job);
        assert_eq!(dropped.try_recv().unwrap(), thread::current().id());
    }

    #[test]
    fn the_last_waker_is_the_one_that_is_woken() {
        struct Count(AtomicUsize);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let pool = small(1);
        let (release, job) = occupy(&pool);
        let counts = [(); 2].map(|()| Arc::new(Count(AtomicUsize::new(0))));
        let mut job = pin!(job);
        for count in &counts {
            let waker = Waker::from(Arc::clone(count));
            assert!(job.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(Arc::strong_count(&counts[0]), 1, "the first waker was dropped");
        drop(release);
        until("woken", || counts[1].0.load(Ordering::Relaxed) == 1);
        assert_eq!(counts[0].0.load(Ordering::Relaxed), 0);
        wait(job).unwrap();
    }

    #[test]
    fn a_waker_that_panics_kills_no_thread() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("in a waker");
            }
        }
        let pool = small(1);
        let (release, job) = occupy(&pool);
        let mut job = pin!(job);
        let waker = Waker::from(Arc::new(Panics));
        assert!(job.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(release);
        assert_eq!(wait(pool.spawn(Class::User, || 1)).unwrap(), 1);
        wait(job).unwrap();
    }

    #[test]
    fn idle_threads_end_after_the_keep_alive() {
        let keep_alive = Duration::from_millis(10);
        let pool = Pool::new(Config { keep_alive, ..Config::default() });
        wait(pool.spawn(Class::User, || ())).unwrap();
        until("no thread", || pool.metrics().threads == 0);
        wait(pool.spawn(Class::User, || ())).unwrap();
    }

    /// The keep-alive ends again and again while jobs come in: none of them may be lost.
    #[test]
    fn no_job_is_lost_to_a_thread_that_is_leaving() {
        let keep_alive = Duration::from_micros(50);
        let pool = Pool::new(Config { keep_alive, max_threads: 2, ..Config::default() });
        for round in 0..2_000 {
            assert_eq!(wait(pool.spawn(Class::User, move || round)).unwrap(), round);
            let pause = Instant::now();
            while pause.elapsed() < Duration::from_micros(round % 100) {
                std::hint::spin_loop();
            }
        }
    }

    #[test]
    fn shutdown_drops_what_waits_and_waits_for_what_runs() {
        let pool = small(1);
        let (release, running) = occupy(&pool);
        let (closure, dropped) = tell();
        let queued = pool.spawn(Class::User, move || drop(closure));
        assert_eq!(pool.shutdown(Some(Duration::from_millis(5))), 1);
        assert_eq!(dropped.try_recv().unwrap(), thread::current().id());
        assert!(wait(queued).unwrap_err().is_cancelled());
        drop(release);
        assert_eq!(pool.shutdown(None), 0);
        wait(running).unwrap();
        assert!(wait(pool.spawn(Class::User, || ())).unwrap_err().is_cancelled());
    }

    #[test]
    fn what_was_promised_is_done_after_the_end() {
        let pool = small(1);
        let (release, running) = occupy(&pool);
        let user = pool.spawn(Class::User, || ());
        let promised = pool.spawn(Class::Promised, || "done");
        assert_eq!(pool.shutdown(Some(Duration::from_millis(5))), 1);
        assert!(wait(user).unwrap_err().is_cancelled());
        assert!(!promised.is_finished());
        drop(release);
        assert_eq!(pool.shutdown(None), 0);
        wait(running).unwrap();
        assert_eq!(wait(promised).unwrap(), "done");
        assert!(wait(pool.spawn(Class::Promised, || ())).unwrap_err().is_cancelled());
    }

    #[test]
    fn promises_are_waited_for_until_they_are_kept_or_given_up() {
        let soon = || Instant::now() + Duration::from_millis(5);
        let later = || Instant::now() + PATIENCE;
        let pool = small(1);
        pool.keep_promises(later());
        let (release, running) = occupy(&pool);
        // Of what was not promised nobody waits for the end.
        pool.keep_promises(later());
        let promised = pool.spawn(Class::Promised, || ());
        let aborted = pool.spawn(Class::Promised, || ());
        pool.keep_promises(soon());
        assert!(!promised.is_finished());
        assert!(aborted.abort());
        let waiting = thread::spawn(move || {
            pool.keep_promises(later());
            assert!(promised.is_finished());
            pool
        });
        thread::sleep(Duration::from_millis(5));
        drop(release);
        let pool = waiting.join().unwrap();
        wait(running).unwrap();
        let (_release, _job) = occupy(&pool);
        // Given up by the only one that is left.
        assert!(pool.spawn(Class::Promised, || ()).abort());
        pool.keep_promises(later());
    }

    #[test]
    fn a_thread_of_the_pool_may_shut_it_down() {
        let pool = Arc::new(small(2));
        let own = Arc::clone(&pool);
        let job = pool.spawn(Class::User, move || own.shutdown(Some(PATIENCE)));
        assert_eq!(wait(job).unwrap(), 1);
        assert_eq!(pool.shutdown(None), 0);
    }

    #[test]
    fn two_threads_of_the_pool_do_not_wait_for_each_other() {
        let pool = Arc::new(small(2));
        let (both, said) = (Arc::new(Barrier::new(2)), channel());
        let jobs = [(); 2].map(|()| {
            let (own, both, say) = (Arc::clone(&pool), Arc::clone(&both), said.0.clone());
            pool.spawn(Class::User, move || {
                both.wait();
                own.shutdown(None);
                say.send(()).expect("the test waits");
            })
        });
        for _ in 0..2 {
            said.1.recv_timeout(PATIENCE).expect("one waits for the other");
        }
        jobs.into_iter().for_each(|job| wait(job).unwrap());
        assert_eq!(pool.shutdown(None), 0);
    }

    #[test]
    fn a_hook_may_shut_the_pool_down() {
        static POOL: OnceLock<Pool> = OnceLock::new();
        let (say, said) = channel();
        let hook = move || {
            let pool = POOL.get().expect("it was made before the job");
            say.send(pool.shutdown(None)).expect("the test waits");
        };
        let pool = Pool::new(Config { on_start: Some(Arc::new(hook)), ..Config::default() });
        let pool = POOL.get_or_init(|| pool);
        let job = pool.spawn(Class::User, || ());
        assert_eq!(said.recv_timeout(PATIENCE), Ok(1), "it waits for itself");
        assert!(wait(job).unwrap_err().is_cancelled());
        assert_eq!(pool.shutdown(None), 0);
    }

    #[test]
    fn hooks_names_and_stacks_are_as_asked_for() {
        thread_local!(static LOG: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });
        let (stopped, stops) = channel();
        let pool = Pool::new(Config {
            thread_name: Arc::new(|| "named".to_owned()),
            stack_size: Some(16 << 20),
            on_start: Some(Arc::new(|| LOG.with_borrow_mut(|log| log.push("start")))),
            on_stop: Some(Arc::new(move || {
                LOG.with_borrow_mut(|log| log.push("stop"));
                stopped.send(LOG.with_borrow(Vec::clone)).expect("the test waits");
            })),
            ..Config::default()
        });
        let job = pool.spawn(Class::User, || {
            // More than the two MiB that a thread has by default.
            let deep = std::hint::black_box([1u8; 3 << 20]);
            LOG.with_borrow_mut(|log| log.push("job"));
            (thread::current().name().map(str::to_owned), deep[deep.len() - 1])
        });
        assert_eq!(wait(job).unwrap(), (Some("named".to_owned()), 1));
        assert_eq!(pool.shutdown(None), 0);
        assert_eq!(stops.recv().unwrap(), ["start", "job", "stop"]);
    }

    #[test]
    fn a_hook_that_panics_costs_no_job() {
        let pool = Pool::new(Config {
            on_start: Some(Arc::new(|| panic!("in a hook"))),
            on_stop: Some(Arc::new(|| panic!("in a hook"))),
            ..Config::default()
        });
        assert_eq!(wait(pool.spawn(Class::User, || 1)).unwrap(), 1);
        assert_eq!(pool.shutdown(None), 0);
    }

    #[test]
    fn a_name_that_panics_counts_no_thread() {
        let first = AtomicBool::new(true);
        let thread_name = Arc::new(move || {
            assert!(!first.swap(false, Ordering::Relaxed), "no name for the first");
            "second".to_owned()
        });
        let pool = Pool::new(Config { max_threads: 1, thread_name, ..Config::default() });
        let spawned = catch_unwind(AssertUnwindSafe(|| pool.spawn(Class::User, || ())));
        assert!(spawned.is_err());
        assert_eq!(pool.metrics(), Metrics::default());
        assert_eq!(wait(pool.spawn(Class::User, || 1)).expect("it runs"), 1);
        assert_eq!(pool.shutdown(None), 0);
    }

    #[test]
    fn without_any_thread_the_jobs_are_refused_with_the_reason() {
        let pool = Pool::with_start(Config::default(), |_| Err(io::Error::from_raw_os_error(11)));
        match wait(pool.spawn(Class::User, || ())) {
            Err(JobError::NoThread(error)) => assert_eq!(error.raw_os_error(), Some(11)),
            other => panic!("{other:?}"),
        }
        assert_eq!(pool.metrics(), Metrics::default());
    }

    #[test]
    fn a_job_that_trusted_a_start_that_failed_wakes_who_sleeps() {
        static STARTS: AtomicUsize = AtomicUsize::new(0);
        static FAILS: AtomicBool = AtomicBool::new(false);
        let config = Config { max_threads: 2, ..Config::default() };
        let pool = Arc::new(Pool::with_start(config, |shared| {
            if STARTS.fetch_add(1, Ordering::SeqCst) == 0 {
                let shared = Arc::clone(shared);
                drop(thread::spawn(move || shared.work()));
                return Ok(());
            }
            until("it is to fail", || FAILS.load(Ordering::SeqCst));
            Err(io::Error::from_raw_os_error(11))
        }));
        let (release, first) = occupy(&pool);
        let own = Arc::clone(&pool);
        let second = thread::spawn(move || wait(own.spawn(Class::User, || 2)));
        until("a second start", || STARTS.load(Ordering::SeqCst) == 2);
        drop(release);
        wait(first).unwrap();
        until("the first thread has done all", || pool.metrics().idle == 1);
        let third = pool.spawn(Class::User, || 3);
        FAILS.store(true, Ordering::SeqCst);
        assert_eq!(second.join().unwrap().unwrap(), 2);
        assert_eq!(wait(third).unwrap(), 3);
    }

    #[test]
    fn many_threads_and_many_jobs_all_run_once() {
        let pool = Arc::new(Pool::new(Config {
            max_threads: 4,
            keep_alive: Duration::from_micros(100),
            ..Config::default()
        }));
        let ran = Arc::new(AtomicUsize::new(0));
        let submitters: Vec<_> = (0..4)
            .map(|_| {
                let (pool, ran) = (Arc::clone(&pool), Arc::clone(&ran));
                thread::spawn(move || {
                    let mut aborted = 0;
                    for round in 0..2_000 {
                        let ran = Arc::clone(&ran);
                        let job = pool.spawn(Class::User, move || {
                            ran.fetch_add(1, Ordering::Relaxed);
                        });
                        match round % 3 {
                            0 => wait(job).unwrap(),
                            1 => aborted += usize::from(job.abort()),
                            _ => drop(job),
                        }
                    }
                    aborted
                })
            })
            .collect();
        let aborted: usize = submitters.into_iter().map(|thread| thread.join().unwrap()).sum();
        until("the rest", || ran.load(Ordering::Relaxed) + aborted == 8_000);
        assert_eq!(pool.shutdown(Some(PATIENCE)), 0);
        assert_eq!(ran.load(Ordering::Relaxed) + aborted, 8_000);
    }
}

#[cfg(henge_loom)]
mod models {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use loom::sync::atomic::{AtomicUsize, Ordering};

    use crate::offload::{Class, Config, Pool};

    fn pool(max_threads: usize, keep_alive: Duration) -> Pool {
        Pool::with_start(Config { max_threads, keep_alive, ..Config::default() }, |shared| {
            let shared = Arc::clone(shared);
            loom::thread::spawn(move || shared.work());
            Ok(())
        })
    }

    /// One job after another, each while the thread of the one before falls asleep, or leaves
    /// because its time is up. A lost job or a lost wake would be a deadlock.
    fn every_job_runs(max_threads: usize, keep_alive: Duration) {
        loom::model(move || {
            let pool = pool(max_threads, keep_alive);
            let ran = Arc::new(AtomicUsize::new(0));
            for _ in 0..2 {
                loom::future::block_on(add(&pool, &ran));
            }
            assert_eq!(ran.load(Ordering::Relaxed), 2);
            assert_eq!(pool.shutdown(None), 0);
        });
    }

    async fn add(pool: &Pool, ran: &Arc<AtomicUsize>) {
        let ran = Arc::clone(ran);
        let job = pool.spawn(Class::User, move || ran.fetch_add(1, Ordering::Relaxed));
        job.await.unwrap();
    }

    #[test]
    fn loom_every_job_runs_where_threads_stay() {
        every_job_runs(1, Duration::MAX);
    }

    #[test]
    fn loom_every_job_runs_where_threads_leave_at_once() {
        every_job_runs(1, Duration::ZERO);
    }

    #[test]
    fn loom_every_job_runs_on_two_threads() {
        every_job_runs(2, Duration::ZERO);
    }

    /// Two submit at once to one thread.
    #[test]
    fn loom_every_job_of_two_threads_runs() {
        let mut model = loom::model::Builder::new();
        // With three, minutes instead of seconds.
        model.preemption_bound = Some(2);
        model.check(|| {
            let pool = Arc::new(pool(1, Duration::MAX));
            let ran = Arc::new(AtomicUsize::new(0));
            let other = {
                let (pool, ran) = (Arc::clone(&pool), Arc::clone(&ran));
                loom::thread::spawn(move || loom::future::block_on(add(&pool, &ran)))
            };
            loom::future::block_on(add(&pool, &ran));
            other.join().unwrap();
            assert_eq!(ran.load(Ordering::Relaxed), 2);
            assert_eq!(pool.shutdown(None), 0);
        });
    }

    /// Neither a wait for it nor the end of the pool misses what was promised.
    #[test]
    fn loom_a_promise_is_kept() {
        loom::model(|| {
            let pool = pool(1, Duration::ZERO);
            let ran = Arc::new(AtomicUsize::new(0));
            for round in 1..=2 {
                let counter = Arc::clone(&ran);
                let count = move || counter.fetch_add(1, Ordering::Relaxed);
                drop(pool.spawn(Class::Promised, count));
                if round == 1 {
                    pool.keep_promises(Instant::now() + Duration::from_secs(3600));
                } else {
                    assert_eq!(pool.shutdown(None), 0);
                }
                assert_eq!(ran.load(Ordering::Relaxed), round);
            }
        });
    }

    /// An abort, the thread and the end of the pool race for one job: it runs once or never, and
    /// its owner learns which.
    #[test]
    fn loom_an_abort_races_with_the_thread() {
        loom::model(|| {
            let pool = Arc::new(pool(1, Duration::MAX));
            let ran = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&ran);
            let job = pool.spawn(Class::User, move || counter.fetch_add(1, Ordering::Relaxed));
            let abort = job.abort_handle();
            let aborter = loom::thread::spawn(move || abort.abort());
            let result = loom::future::block_on(job);
            let aborted = aborter.join().unwrap();
            assert_eq!(result.is_err(), aborted);
            assert_eq!(ran.load(Ordering::Relaxed), usize::from(!aborted));
            assert_eq!(pool.shutdown(None), 0);
        });
    }
}
