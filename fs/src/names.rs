//! Names of files: giving, taking and following them.

use std::io;
use std::path::{Path, PathBuf};

use henge_driver::sys::file::blocking;
use henge_driver::{ops, submit};

use crate::call::{c_path, offload};

/// Gives a file another name, or a folder; what had that name before is gone, in one step.
///
/// # Errors
///
/// What the system answers; `CrossesDevices` from one file system to another.
///
/// # Cancel safety
///
/// It may take place or not.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```no_run
/// # henge_driver::Driver::new()?.block_on(async {
/// henge_fs::rename("log.new", "log").await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (c_path(from.as_ref())?, c_path(to.as_ref())?);
    submit(ops::Rename::new(from, to)).await
}

/// Takes a name from a file, which is gone with its last name once nobody has it open.
///
/// # Errors
///
/// What the system answers.
///
/// # Cancel safety
///
/// It may take place or not.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```no_run
/// # henge_driver::Driver::new()?.block_on(async {
/// henge_fs::remove_file("log.old").await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    submit(ops::Unlink::file(c_path(path.as_ref())?)).await
}

/// Removes an empty folder.
///
/// # Errors
///
/// What the system answers; `DirectoryNotEmpty` is one.
///
/// # Cancel safety
///
/// It may take place or not.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```no_run
/// # henge_driver::Driver::new()?.block_on(async {
/// henge_fs::remove_dir("logs").await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    submit(ops::Unlink::folder(c_path(path.as_ref())?)).await
}

/// Removes a folder and all that is in it; symbolic links are removed, not followed.
///
/// Goes to the blocking pool.
///
/// # Errors
///
/// What the system answers.
///
/// # Cancel safety
///
/// It runs to its end all the same, once it has begun.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```no_run
/// # henge_driver::Driver::new()?.block_on(async {
/// henge_fs::remove_dir_all("cache").await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    offload(move || blocking::remove_dir_all(&path)).await
}

/// Makes `link` another name of the file at `original`.
///
/// # Errors
///
/// What the system answers.
///
/// # Cancel safety
///
/// It may take place or not.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```no_run
/// # henge_driver::Driver::new()?.block_on(async {
/// henge_fs::hard_link("log", "log.again").await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (c_path(original.as_ref())?, c_path(link.as_ref())?);
    submit(ops::Link::new(original, link)).await
}

/// Makes a symbolic link at `link` that says `original`, whether or not there is such a file.
///
/// # Errors
///
/// What the system answers.
///
/// # Cancel safety
///
/// It may take place or not.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```no_run
/// # henge_driver::Driver::new()?.block_on(async {
/// henge_fs::symlink("log.7", "log").await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn symlink(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (c_path(original.as_ref())?, c_path(link.as_ref())?);
    submit(ops::Symlink::new(original, link)).await
}

/// What a symbolic link says.
///
/// Goes to the blocking pool.
///
/// # Errors
///
/// What the system answers; `InvalidInput` for what is no link.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// let program = henge_fs::read_link("/proc/self/exe").await?;
/// assert!(program.is_absolute());
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    offload(move || blocking::read_link(&path)).await
}

/// The path from the root, without symbolic links and dots.
///
/// Goes to the blocking pool.
///
/// # Errors
///
/// What the system answers.
///
/// # Cancel safety
///
/// Nothing is lost.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// assert_eq!(henge_fs::canonicalize("/proc/../dev/null").await?.to_str(), Some("/dev/null"));
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    offload(move || blocking::canonicalize(&path)).await
}
