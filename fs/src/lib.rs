//! Files on the henge driver: every call is an operation on the calling thread's ring.
//!
//! Needs a driver and nothing else. What may outlive the future that asked for it belongs to the
//! operation: paths are copied, buffers are lent by value and come back beside the result, and a
//! [`File`] stays open until the last operation on it has ended.
//!
//! ```
//! use henge_driver::Driver;
//!
//! let driver = Driver::new()?;
//! driver.block_on(async {
//!     let path = std::env::temp_dir().join(format!("henge-fs-{}", std::process::id()));
//!     let file = henge_fs::File::create(&path).await?;
//!     let (written, _text) = file.write_all_at("hello, disk", 0).await;
//!     written?;
//!     file.sync_data().await?;
//!     assert_eq!(henge_fs::read_to_string(&path).await?, "hello, disk");
//!     std::fs::remove_file(path)
//! })??;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! What blocks: dropping a [`File`] closes it in the calling thread, which a network file system
//! may take its time for; [`File::close`] does it on the ring.

#![forbid(unsafe_code)]

mod file;
mod metadata;
mod open_options;
mod whole;

pub use file::File;
pub use metadata::Metadata;
pub use open_options::OpenOptions;
pub use whole::{read, read_to_string, write};
