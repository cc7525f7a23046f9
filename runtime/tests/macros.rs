//! `#[henge::main]` and `#[henge::test]`: flavours, results that are not `Send`, arguments.

use std::error::Error;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use henge::time::{Instant, sleep};

#[henge::main(worker_threads = 2)]
async fn many() -> usize {
    assert_eq!(henge::shard::current().index(), 0);
    let local = Rc::new(henge::shard::count());
    let there = Rc::clone(&local);
    henge::spawn(async move { *there }).await.unwrap_or(0)
}

#[henge::main(flavor = "current_thread")]
async fn one(factor: usize, text: &str) -> usize {
    factor * text.len()
}

#[henge::main(worker_threads = 2)]
async fn borrowed(text: &str, number: impl ToString) -> String {
    assert_eq!(henge::shard::count(), 2);
    format!("{text} {}", number.to_string())
}

#[henge::main(worker_threads = 1)]
async fn generic<T: Default>() -> T {
    henge::task::yield_now().await;
    T::default()
}

/// Of a type that the attribute cannot tell from others.
type Shared = Rc<thread::ThreadId>;

#[henge::main(worker_threads = 1)]
async fn shared(from: Shared) -> Shared {
    assert_eq!(*from, thread::current().id());
    let there = from.clone();
    henge::spawn(async move { there }).await.unwrap()
}

#[henge::main(worker_threads = 1)]
async fn error(text: &'static str) -> Result<u32, Box<dyn Error>> {
    Ok(text.parse()?)
}

#[henge::main(worker_threads = 1)]
async fn thread_of(_text: &'static str) -> thread::ThreadId {
    thread::current().id()
}

/// What can be sent runs on shard 0, and the rest where it was called.
#[test]
fn functions_need_not_be_sent() {
    let here = thread::current().id();
    assert_ne!(thread_of("static"), here);
    assert_eq!(borrowed(&String::from("six"), 7), "six 7");
    assert_eq!(generic::<u32>(), 0);
    assert_eq!(*shared(Rc::new(here)), here);
    assert_eq!(error("42").unwrap(), 42);
    assert!(error("none").is_err());
}

mod program {
    #[henge::main(worker_threads = 1)]
    async fn main() -> Result<(), Box<dyn std::error::Error>> {
        let number: u32 = "not a number".parse()?;
        assert_eq!(number, 0);
        Ok(())
    }

    pub(super) fn exit_code() -> std::process::ExitCode {
        main()
    }
}

/// Somebody else's `main` is a function like others.
mod called {
    #[henge::main(worker_threads = 1)]
    pub(super) async fn main() -> Result<usize, std::num::ParseIntError> {
        assert_eq!(henge::shard::current().index(), 0);
        "42".parse()
    }
}

#[test]
fn a_main_that_is_public_keeps_its_result() {
    assert_eq!(called::main(), Ok(42));
}

#[test]
fn functions_become_plain() {
    assert_eq!(many(), 2);
    assert_eq!(one(2, "three"), 10);
}

#[test]
fn an_error_of_main_is_an_exit_code() {
    let failure = format!("{:?}", std::process::ExitCode::FAILURE);
    assert_eq!(format!("{:?}", program::exit_code()), failure);
}

#[henge::test]
async fn a_test_runs_here() -> Result<(), Box<dyn Error>> {
    let name = thread::current().name().map(String::from);
    assert_eq!(name.as_deref(), Some("a_test_runs_here"));
    let number: u32 = "42".parse()?;
    assert_eq!(number, 42);
    Ok(())
}

#[henge::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_test_of_several_shards() -> Result<(), Box<dyn Error>> {
    assert_eq!(henge::shard::count(), 3);
    let cpus = henge::driver::sys::cpu::affinity()?;
    assert_eq!(cpus, henge::driver::sys::cpu::process_affinity()?, "tests are not pinned");
    Ok(())
}

#[henge::test(flavor = "multi_thread", worker_threads = 2, stealing = true)]
async fn a_test_whose_tasks_are_stolen() {
    let (sender, receiver) = std::sync::mpsc::channel();
    henge::steal::spawn(async move { sender.send(henge::shard::current().index()) });
    // This shard stands until the other one has come for it.
    let shard = receiver.recv_timeout(Duration::from_secs(60));
    assert_eq!(shard, Ok(1));
}

#[henge::test(start_paused = true)]
async fn a_test_whose_clock_stands() {
    let start = Instant::now();
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(start.elapsed(), Duration::from_secs(3600));
}

#[henge::test]
#[should_panic(expected = "as it should")]
async fn a_test_that_should_panic() {
    panic!("as it should");
}

mod renamed {
    use ::henge as standing_stones;

    #[standing_stones::test(crate = "standing_stones")]
    async fn by_another_name() {
        standing_stones::task::yield_now().await;
    }

    #[standing_stones::test(crate = standing_stones)]
    async fn without_quotes() {
        standing_stones::task::yield_now().await;
    }
}

trait Answer {
    fn answer(self) -> u32;
}

impl Answer for u32 {
    #[henge::main(flavor = "local", name = "deep thought")]
    async fn answer(self) -> u32 {
        let name = henge::runtime::Handle::current().name().map(str::len);
        self + name.map_or(0, |_| 2)
    }
}

#[test]
fn a_method_has_its_receiver() {
    assert_eq!(40.answer(), 42);
}

/// Branches that are always ready do not keep the shard from others.
#[henge::test(flavor = "current_thread")]
async fn a_loop_of_ready_branches_gives_way() {
    let seen = std::rc::Rc::new(std::cell::Cell::new(false));
    let other = seen.clone();
    henge::spawn(async move { other.set(true) });
    for _ in 0..1_000 {
        henge::select! {
            () = henge::task::coop::consume_budget() => {}
            () = std::future::ready(()) => {}
        }
    }
    assert!(seen.get(), "the other task had its turn");
}

/// Nor do streams in memory, from which there is always more to copy.
#[henge::test(flavor = "current_thread")]
async fn streams_in_memory_give_way() {
    let limit = std::time::Duration::from_millis(20);
    let (mut from, mut to) = (henge::io::repeat(0), henge::io::sink());
    let endless = henge::io::copy(&mut from, &mut to);
    assert!(henge::time::timeout(limit, endless).await.is_err());
}
