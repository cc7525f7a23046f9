//! Whole files at once.

use std::io;
use std::path::Path;

use henge_driver::buf::IoBuf;
use henge_driver::sys::file::{self, blocking};

use crate::File;
use crate::call::offload;
use crate::unwritten;

/// The first read of a file that does not tell its length.
const UNKNOWN: usize = 4096;

/// Reads a file to its end.
///
/// # Errors
///
/// What the system answers, or `OutOfMemory`.
///
/// # Cancel safety
///
/// From a file nothing is lost. From a pipe what was read is lost.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// assert!(!henge_fs::read("/proc/self/cmdline").await?.is_empty());
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let file = File::open(path).await?;
    // A hint only: files of /proc say 0, and others may grow meanwhile.
    let hint = usize::try_from(file.metadata().await?.len()).unwrap_or(0);
    let mut bytes = Vec::new();
    // One byte more than there is, so that the read that finds the end needs no more memory.
    bytes.try_reserve_exact(if hint == 0 { UNKNOWN } else { hint.saturating_add(1) })?;
    loop {
        if bytes.len() == bytes.capacity() {
            bytes.try_reserve(UNKNOWN)?;
        }
        let done = bytes.len();
        let (result, part) = file.read_at(bytes.slice(done..), done as u64).await;
        bytes = part.into_inner();
        // There was room for more than the length that the file told: that was its end.
        let to_its_end = bytes.len() == hint && bytes.len() < bytes.capacity();
        if result? == 0 || to_its_end {
            return Ok(bytes);
        }
    }
}

/// Reads a file of text to its end.
///
/// # Errors
///
/// As [`read`], and `InvalidData` if it is not UTF-8.
///
/// # Cancel safety
///
/// As [`read`].
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// assert!(henge_fs::read_to_string("/proc/version").await?.starts_with("Linux"));
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let bytes = read(path).await?;
    String::from_utf8(bytes).map_err(|_invalid| {
        io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8")
    })
}

/// Makes a file of these contents, or replaces those that it has.
///
/// The contents are copied, and all of it is one task of the blocking pool, because the ring has
/// nothing for it that does not go to another thread too; [`File::write_all_at`] takes a buffer
/// without copying it.
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
/// henge_fs::write("/dev/null", b"contents").await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let (path, contents) = (path.as_ref().to_owned(), contents.as_ref().to_vec());
    unwritten::settle_name(&path).await;
    offload(move || blocking::write(&path, &contents)).await
}

/// Copies a file's contents and permissions to another, which is made or replaced. Returns how
/// many bytes that were.
///
/// The blocking pool does it, inside the kernel where it can: file systems that share blocks copy
/// none. On ext4 the room for a long copy is made first, which takes a third of the time away; if
/// the copy fails, the room goes back.
///
/// # Errors
///
/// What the system answers; `InvalidInput` if `from` is no regular file.
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
/// # let path = &std::env::temp_dir().join(format!("henge-fs-copy-{}", std::process::id()));
/// let bytes = henge_fs::copy("Cargo.toml", path).await?;
/// assert_eq!(henge_fs::metadata(path).await?.len(), bytes);
/// # henge_fs::remove_file(path).await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    unwritten::settle_name(&from).await;
    unwritten::settle_name(&to).await;
    offload(move || file::copy(&from, &to)).await
}
