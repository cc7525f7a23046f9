//! What the calls of this crate share: paths for the kernel, the budget, the blocking pool.

use std::ffi::CString;
use std::future::poll_fn;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use henge_driver::offload::{Class, Job};
use henge_driver::sys::file::blocking;
use henge_driver::{Driver, Fd, coop, current, ops, submit};

/// A path as the kernel reads it.
pub(crate) fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_nul| {
        let text = "file name contained an unexpected NUL byte";
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })
}

/// Spends a unit of the task's budget, for what is about to be done without waiting.
pub(crate) async fn proceed() {
    poll_fn(|cx| coop::poll_proceed(cx).map(|spent| spent.made_progress())).await;
}

/// Starts a call that may wait on the driver's blocking pool. It runs to its end, whether or not
/// its result is waited for.
pub(crate) fn start<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Job<T>> {
    start_as(Class::System, call)
}

/// As [`start`], for what is to be done even if everything ends before it has begun.
pub(crate) fn promise<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Job<T>> {
    start_as(Class::Promised, call)
}

fn start_as<T: Send + 'static>(
    class: Class,
    call: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Job<T>> {
    let pool = current::with(Driver::blocking)?;
    Ok(pool.spawn(class, call))
}

/// The result of a call that may wait, made on the driver's blocking pool.
pub(crate) async fn offload<T: Send + 'static>(
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    start(call)?.await?
}

/// Sets the length of an open file; where the ring cannot, the pool does.
pub(crate) async fn set_len(fd: Arc<Fd>, len: u64) -> io::Result<()> {
    match submit(ops::Truncate::new(Arc::clone(&fd), len)).await {
        // The file is at fault, or the kernel has no such operation: the call can tell.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            offload(move || blocking::set_len(&fd, len)).await
        }
        result => result,
    }
}
