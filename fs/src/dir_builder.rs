//! Making folders.

use std::io;
use std::path::Path;

use henge_driver::{ops, submit};

use crate::call::c_path;
use crate::facts;

/// How a folder is made: std's `DirBuilder`, with an asynchronous [`create`](DirBuilder::create).
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-fs-builder-{}", std::process::id()));
/// let objects = path.join("cache/objects");
/// henge_fs::DirBuilder::new().recursive(true).mode(0o700).create(&objects).await?;
/// assert!(henge_fs::metadata(&objects).await?.is_dir());
/// # henge_fs::remove_dir_all(path).await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DirBuilder {
    recursive: bool,
    mode: u32,
}

impl Default for DirBuilder {
    fn default() -> DirBuilder {
        DirBuilder { recursive: false, mode: 0o777 }
    }
}

impl DirBuilder {
    /// One folder, which must not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::DirBuilder;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// let there = DirBuilder::new().create("/proc").await;
    /// assert_eq!(there.unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> DirBuilder {
        DirBuilder::default()
    }

    /// Makes the folders on the way too, and is content with a folder that exists.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::DirBuilder;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-recursive-{}", std::process::id()));
    /// let mut builder = DirBuilder::new();
    /// builder.recursive(true).create(path.join("cache/objects")).await?;
    /// builder.create(path.join("cache")).await?; // is there already, and that will do
    /// assert!(path.join("cache/objects").is_dir());
    /// # henge_fs::remove_dir_all(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recursive(&mut self, recursive: bool) -> &mut DirBuilder {
        self.recursive = recursive;
        self
    }

    /// The permissions of what is made, before the process's mask; 0o777 unless set.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::DirBuilder;
    /// use std::os::unix::fs::PermissionsExt;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-dir-mode-{}", std::process::id()));
    /// DirBuilder::new().mode(0o700).create(path).await?;
    /// assert_eq!(henge_fs::metadata(path).await?.permissions().mode() & 0o777, 0o700);
    /// # henge_fs::remove_dir(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn mode(&mut self, mode: u32) -> &mut DirBuilder {
        self.mode = mode;
        self
    }

    /// Makes the folder at `path`.
    ///
    /// # Errors
    ///
    /// What the system answers; `AlreadyExists` for a file that is no folder, and for a folder
    /// too, unless [`recursive`](DirBuilder::recursive).
    ///
    /// # Cancel safety
    ///
    /// The folder may have been made, or some of those on the way.
    ///
    /// # Panics
    ///
    /// On a thread without a driver.
    ///
    /// # Examples
    ///
    /// ```
    /// use henge_fs::DirBuilder;
    ///
    /// # henge_driver::Driver::new()?.block_on(async {
    /// # let path = &std::env::temp_dir().join(format!("henge-dir-{}", std::process::id()));
    /// let builder = DirBuilder::new();
    /// builder.create(path).await?;
    /// assert!(henge_fs::metadata(path).await?.is_dir());
    /// let orphan = builder.create(path.join("missing/folder")).await;
    /// assert_eq!(orphan.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    /// # henge_fs::remove_dir(path).await?;
    /// # Ok::<(), std::io::Error>(()) })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn create(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        if !self.recursive {
            return self.make(path).await;
        }
        // Upwards to a folder that exists, then down again.
        let mut missing = Vec::new();
        for folder in path.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
            match self.make_unless_there(folder).await {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(folder),
                Err(error) => return Err(error),
            }
        }
        while let Some(folder) = missing.pop() {
            self.make_unless_there(folder).await?;
        }
        Ok(())
    }

    async fn make(&self, path: &Path) -> io::Result<()> {
        submit(ops::MakeDir::new(c_path(path)?, self.mode)).await
    }

    async fn make_unless_there(&self, path: &Path) -> io::Result<()> {
        match self.make(path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                // Whatever the error is, a folder that is there will do: it may be on a file
                // system that is read only.
                match facts::of_path(path, true).await {
                    Ok(facts) if facts.is_dir() => Ok(()),
                    _ => Err(error),
                }
            }
            result => result,
        }
    }
}

/// Makes a folder, which must not exist.
///
/// # Errors
///
/// As [`DirBuilder::create`].
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
/// # let path = &std::env::temp_dir().join(format!("henge-fs-mkdir-{}", std::process::id()));
/// henge_fs::create_dir(path).await?;
/// let again = henge_fs::create_dir(path).await.unwrap_err();
/// assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
/// # henge_fs::remove_dir(path).await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    DirBuilder::new().create(path).await
}

/// Makes a folder and those on the way to it, as far as they do not exist.
///
/// # Errors
///
/// As [`DirBuilder::create`].
///
/// # Cancel safety
///
/// Some of the folders may have been made.
///
/// # Panics
///
/// On a thread without a driver.
///
/// # Examples
///
/// ```
/// # henge_driver::Driver::new()?.block_on(async {
/// # let path = &std::env::temp_dir().join(format!("henge-fs-mkdirs-{}", std::process::id()));
/// henge_fs::create_dir_all(path.join("cache/objects")).await?;
/// henge_fs::create_dir_all(path.join("cache/objects")).await?; // are there, and that will do
/// # henge_fs::remove_dir_all(path).await?;
/// # Ok::<(), std::io::Error>(()) })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path).await
}
