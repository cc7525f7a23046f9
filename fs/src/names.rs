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
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-fs-rename-{}", std::process::id()));
/// # let log = &path.with_extension("log");
/// henge_fs::write(path, "made aside, and complete").await?;
/// henge_fs::rename(path, log).await?;
/// assert_eq!(henge_fs::read_to_string(log).await?, "made aside, and complete");
/// # henge_fs::remove_file(log).await?;
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
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-fs-remove-{}", std::process::id()));
/// henge_fs::write(path, "not for long").await?;
/// henge_fs::remove_file(path).await?;
/// assert!(!henge_fs::try_exists(path).await?);
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
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-fs-rmdir-{}", std::process::id()));
/// henge_fs::create_dir_all(path.join("full")).await?;
/// let full = henge_fs::remove_dir(path).await.unwrap_err();
/// assert_eq!(full.kind(), std::io::ErrorKind::DirectoryNotEmpty);
/// henge_fs::remove_dir(path.join("full")).await?;
/// henge_fs::remove_dir(path).await?;
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
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-fs-rm-all-{}", std::process::id()));
/// henge_fs::create_dir_all(path.join("cache/objects")).await?;
/// henge_fs::remove_dir_all(path).await?;
/// assert!(!henge_fs::try_exists(path).await?);
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
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-fs-hard-{}", std::process::id()));
/// # let again = &path.with_extension("again");
/// henge_fs::write(path, "of two names").await?;
/// henge_fs::hard_link(path, again).await?;
/// henge_fs::remove_file(path).await?;
/// assert_eq!(henge_fs::read_to_string(again).await?, "of two names");
/// # henge_fs::remove_file(again).await?;
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
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-fs-symlink-{}", std::process::id()));
/// henge_fs::symlink("log.7", path).await?;
/// assert_eq!(henge_fs::read_link(path).await?, std::path::Path::new("log.7"));
/// # henge_fs::remove_file(path).await?;
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
