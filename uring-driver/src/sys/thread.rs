//! Thread starts.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread with a name, and a stack of so many bytes if one is given.
///
/// # Errors
///
/// What the operating system answers when it cannot have one more thread, or `InvalidInput` if
/// the name holds a NUL byte.
///
/// ```
/// let thread = henge_driver::sys::thread::spawn("adder".into(), None, || 1 + 1)?;
/// assert_eq!(thread.join().expect("it does not panic"), 2);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn spawn<T: Send + 'static>(
    name: String,
    stack_bytes: Option<usize>,
    main: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    if name.as_bytes().contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "thread name with a NUL byte"));
    }
    let mut builder = Builder::new().name(name);
    if let Some(bytes) = stack_bytes {
        builder = builder.stack_size(bytes);
    }
    builder.spawn(main)
}

/// Lets other threads of this CPU run.
pub fn yield_now() {
    std::thread::yield_now();
}
