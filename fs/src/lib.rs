//! Files on the henge driver: tokio's `fs`, and transfers of owned buffers at offsets.
//!
//! In a program that depends on `henge`, this crate is `henge::fs`. The examples here run without
//! the runtime: read `henge::fs` for `henge_fs`, `henge::driver` for `henge_driver`, and
//! `henge::io` for `tokio::io`.
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
//! # Which call goes where
//!
//! *At once*: a plain system call on the calling thread, of the kind that answers from the kernel's
//! memory or not at all (`preadv2` with `RWF_NOWAIT`, `openat2` with `RESOLVE_CACHED`); where it
//! would have to wait, the ring is asked. *Ring*: an operation. The kernel's own workers carry out
//! those that it cannot start without waiting. *Pool*: the driver's blocking pool, for what the
//! ring has no operation for, or none that does not go to another thread as well.
//!
//! | call | at once | ring | pool |
//! |---|---|---|---|
//! | [`File::open`], [`OpenOptions::open`] | if nothing is made or emptied | else | std's options |
//! | [`File::create`], [`File::create_new`] | | yes | |
//! | reads of a [`File`], and writes at offsets | up to 64 KiB | else | |
//! | [`AsyncWrite`](tokio::io::AsyncWrite) of a file | up to 64 KiB | pipes, devices | else |
//! | vectored reads and writes at offsets | | yes | |
//! | reads and writes of a [`DirectFile`], a [`DirectReader`], a [`DirectWriter`] | | yes | |
//! | seeks ([`AsyncSeek`](tokio::io::AsyncSeek)) | yes | | from a network file's end |
//! | [`File::metadata`], [`DirEntry::metadata`] | on local file systems | | else |
//! | [`metadata()`], [`symlink_metadata`], [`try_exists`] | on local file systems | | else |
//! | [`File::sync_all`], [`File::sync_data`] | | yes | |
//! | [`File::set_len`] | | since Linux 6.9 | before |
//! | [`File::fallocate`] | | yes | |
//! | [`File::fadvise`], [`File::sync_file_range`] | | yes | ranges of 4 GiB or more |
//! | [`File::close`] | | yes | |
//! | [`File::try_clone`] | yes | | |
//! | [`File::set_permissions`], [`File::set_times`], [`set_permissions`] | | | yes |
//! | [`rename`], [`remove_file`], [`remove_dir`], [`hard_link`], [`symlink`] | | yes | |
//! | [`create_dir`], [`create_dir_all`], [`DirBuilder`] | | yes | |
//! | [`remove_dir_all`], [`canonicalize`], [`read_link`] | | | yes |
//! | [`read`], [`read_to_string`] | as open, metadata and read | | |
//! | [`write()`], [`copy`] | | | yes |
//! | [`read_dir()`], [`ReadDir::next_entry`] | what has been read | | 32 KiB of entries each time |
//!
//! What was written through [`AsyncWrite`](tokio::io::AsyncWrite) and not flushed is on its way:
//! whatever opens, reads, copies or tells of that file by its name waits for it.
//!
//! What blocks: dropping a [`File`] closes it in the calling thread, which a network file system
//! may take its time for; [`File::close`] does it on the ring.
//!
//! # What differs from tokio
//!
//! A driver has to be entered where tokio asks for a runtime.

#![deny(unsafe_code)]

mod asking;
mod attempts;
mod call;
mod dir_builder;
mod direct;
mod facts;
mod file;
mod file_times;
mod file_type;
mod loom;
mod names;
mod open_options;
mod read_dir;
mod unwritten;
mod waiters;
mod whole;

pub use asking::{metadata, set_permissions, symlink_metadata, try_exists};
pub use dir_builder::{DirBuilder, create_dir, create_dir_all};
pub use direct::{Alignment, DirectFile, DirectReader, DirectWriter, Window};
pub use file::File;
pub use file_times::FileTimes;
pub use henge_driver::buf::AlignedBuf;
#[doc(inline)]
pub use henge_driver::ops::{Advice, Allocation, RangeSync};
pub use henge_driver::sys::file::Permissions;
pub use names::{
    canonicalize, hard_link, read_link, remove_dir, remove_dir_all, remove_file, rename, symlink,
};
pub use open_options::OpenOptions;
pub use read_dir::{DirEntry, ReadDir, read_dir};
pub use whole::{copy, read, read_to_string, write};
