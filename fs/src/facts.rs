//! Asking what is known of a file: at once where that cannot wait, else on the blocking pool. Where
//! something was on its way into the file, once more when that is in it.

use std::ffi::CString;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;

use henge_driver::sys::file::{Metadata, Stat, blocking, now};
use henge_driver::{Fd, ops, submit};

use crate::call::{c_path, offload, proceed};
use crate::unwritten::Moment;

/// Asks once more if something was on its way into the file.
async fn settled<F>(ask: impl Fn() -> F) -> io::Result<Metadata>
where
    F: Future<Output = io::Result<Metadata>>,
{
    let begun = Moment::now();
    let known = ask().await?;
    match begun {
        Some(begun) if begun.outdates(&known).await => ask().await,
        _ => Ok(known),
    }
}

/// Of an open file.
pub(crate) async fn of_file(fd: &Arc<Fd>) -> io::Result<Metadata> {
    settled(|| ask_file(fd)).await
}

/// Of the file at a path.
pub(crate) async fn of_path(path: &Path, follow: bool) -> io::Result<Metadata> {
    settled(|| ask_path(path, follow)).await
}

/// Of the file at a path; what is being written to it may be missing.
pub(crate) async fn of_name(path: &Path) -> io::Result<Metadata> {
    ask_path(path, true).await
}

/// Of the file of that name in an open folder; of a symbolic link itself.
pub(crate) async fn of_entry(folder: &Arc<Fd>, name: &CString) -> io::Result<Metadata> {
    settled(|| ask_entry(folder, name)).await
}

async fn ask_file(fd: &Arc<Fd>) -> io::Result<Metadata> {
    proceed().await;
    match now::metadata(fd) {
        Some(metadata) => metadata,
        None => asked(Arc::clone(fd)).await,
    }
}

/// With a look at what kind of file system that is, so that the next file there may do without.
async fn asked(fd: Arc<Fd>) -> io::Result<Metadata> {
    offload(move || {
        now::learn(&fd);
        blocking::metadata(&fd)
    })
    .await
}

async fn ask_path(path: &Path, follow: bool) -> io::Result<Metadata> {
    proceed().await;
    match now::open(None, &c_path(path)?, now::path_flags(follow))? {
        Some(fd) => of_opened(fd).await,
        None => {
            let path = path.to_owned();
            offload(move || blocking::metadata_of_path(&path, follow)).await
        }
    }
}

async fn ask_entry(folder: &Arc<Fd>, name: &CString) -> io::Result<Metadata> {
    proceed().await;
    match now::open(Some(folder), name, now::path_flags(false))? {
        Some(fd) => of_opened(fd).await,
        None => {
            let (folder, name) = (Arc::clone(folder), name.clone());
            offload(move || blocking::metadata_in(&folder, &name)).await
        }
    }
}

/// Of a descriptor that was made to ask it.
async fn of_opened(fd: Fd) -> io::Result<Metadata> {
    match now::metadata(&fd) {
        Some(metadata) => metadata,
        None => asked(Arc::new(fd)).await,
    }
}

/// What Linux knows of an open file beyond what std tells.
pub(crate) async fn in_full(fd: &Arc<Fd>) -> io::Result<Stat> {
    match now::stat(fd) {
        Some(stat) => Ok(stat),
        None => submit(ops::Stat::new(Arc::clone(fd))).await,
    }
}
