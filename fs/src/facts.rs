//! Asking what is known of a file, by the shortest way that does not wait.

use std::ffi::CString;
use std::io;
use std::sync::Arc;

use henge_driver::sys::file::{Stat, now};
use henge_driver::{Fd, ops, submit};

use crate::call::{proceed, start};

/// Of an open file.
pub(crate) async fn of_file(fd: &Arc<Fd>) -> io::Result<Stat> {
    proceed().await;
    match now::stat(fd) {
        Some(stat) => Ok(stat),
        None => asked(fd).await,
    }
}

/// By way of the ring, and with a look at what kind of file system that is, so that the next file
/// there may do without.
async fn asked(fd: &Arc<Fd>) -> io::Result<Stat> {
    let stat = submit(ops::Stat::new(Arc::clone(fd))).await?;
    if now::is_unknown(&stat) {
        let fd = Arc::clone(fd);
        // Nobody waits for it.
        drop(start(move || now::learn(&fd, &stat))?);
    }
    Ok(stat)
}

/// Of the file at a path, relative to `folder` or the working directory.
pub(crate) async fn of_path(
    folder: Option<&Arc<Fd>>,
    path: CString,
    follow: bool,
) -> io::Result<Stat> {
    proceed().await;
    let flags = now::path_flags(follow);
    match now::open(folder.map(Arc::as_ref), &path, flags)? {
        Some(fd) => match now::stat(&fd) {
            Some(stat) => Ok(stat),
            None => asked(&Arc::new(fd)).await,
        },
        None => submit(ops::Stat::at(folder.cloned(), path, follow)).await,
    }
}
