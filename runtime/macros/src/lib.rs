//! The attribute macros of henge, which re-exports them: use them by that name.

mod arguments;
mod expand;

use proc_macro::TokenStream;

use expand::Kind;

/// Makes an async function the whole of a program, or of any function: its body runs on a runtime
/// of its own.
///
/// With several shards, the default, the body runs on shard 0, as in `Runtime::run`: neither it nor
/// what it spawns need be `Send`. On `main` the result need not be either: whoever calls it gets
/// the exit code, which is what it would be of a plain `main`. Another function, and a `main` that
/// is `pub`, returns what is written, and may have parameters that are borrowed or not `Send`, or
/// such a result: its body then runs on the calling thread, as in `Runtime::block_on`.
///
/// # Arguments
/// | argument | meaning |
/// |---|---|
/// | `flavor = "multi_thread"` | a shard a CPU: the default |
/// | `flavor = "current_thread"` | one shard, on the calling thread |
/// | `worker_threads = 4` | so many shards |
/// | `stealing = true` | idle shards take what `steal::spawn` spawned; only with several |
/// | `name = "text"` | what `Handle::name` answers |
/// | `start_paused = true` | the clock stands still; only with one thread |
/// | `crate = "path"` | where henge is, if it was renamed |
///
/// # Examples
/// ```
/// #[henge::main(worker_threads = 2)]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let task = henge::spawn(async { "42".parse::<u32>() });
///     assert_eq!(task.await??, 42);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Kind::Main, arguments.into(), item.into()).into()
}

/// Makes an async function a test: its body runs on a runtime of its own.
///
/// One thread, the test's own, unless `flavor = "multi_thread"` is given; shards are never pinned.
/// The arguments are those of [`main`](macro@main).
///
/// # Examples
/// ```
/// #[henge::test]
/// async fn sleeping_takes_time() {
///     let start = henge::time::Instant::now();
///     henge::time::sleep(std::time::Duration::from_millis(1)).await;
///     assert!(start.elapsed() >= std::time::Duration::from_millis(1));
/// }
/// # fn main() {}
/// ```
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Kind::Test, arguments.into(), item.into()).into()
}
