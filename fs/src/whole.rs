//! Whole files at once.

use std::io;
use std::path::Path;

use henge_driver::buf::IoBuf;

use crate::File;

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
        if result? == 0 {
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
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Makes a file of these contents, or replaces those that it has.
///
/// The contents are copied; [`File::write_all_at`] takes a buffer without copying it.
///
/// # Errors
///
/// What the system answers.
///
/// # Cancel safety
///
/// The file may have been made or emptied, and any part of the contents written.
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
    let contents = contents.as_ref().to_vec();
    let file = File::create(path).await?;
    let (result, _contents) = file.write_all_at(contents, 0).await;
    result?;
    file.close().await
}
