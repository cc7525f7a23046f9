//! What is known of the file at a path, and who may do what with it.

use std::io;
use std::path::Path;

use henge_driver::sys::file::{Metadata, Permissions, blocking};

use crate::call::offload;
use crate::facts;

/// What is known of the file at `path`; symbolic links are followed.
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
/// assert!(henge_fs::metadata("/").await?.is_dir());
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    facts::of_path(path.as_ref(), true).await
}

/// As [`metadata`], but of a symbolic link itself.
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
/// assert!(henge_fs::symlink_metadata("/proc/self").await?.is_symlink());
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    facts::of_path(path.as_ref(), false).await
}

/// Whether there is a file at `path`; symbolic links are followed.
///
/// # Errors
///
/// What the system answers, if that leaves it open: a folder on the way may be closed to us.
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
/// assert!(henge_fs::try_exists("/dev/null").await?);
/// assert!(!henge_fs::try_exists("/dev/no-such-device").await?);
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    match facts::of_name(path.as_ref()).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sets who may do what with the file at `path`; symbolic links are followed.
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
/// # let path = &std::env::temp_dir().join(format!("henge-fs-mode-{}", std::process::id()));
/// henge_fs::write(path, "final").await?;
/// let mut permissions = henge_fs::metadata(path).await?.permissions();
/// permissions.set_readonly(true);
/// henge_fs::set_permissions(path, permissions).await?;
/// assert!(henge_fs::metadata(path).await?.permissions().readonly());
/// # henge_fs::remove_file(path).await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn set_permissions(path: impl AsRef<Path>, permissions: Permissions) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    offload(move || blocking::set_permissions(&path, permissions)).await
}
