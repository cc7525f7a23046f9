//! The append-only files: what was changed, written down, so that a restart finds it.
//!
//! ```text
//!   command ──▶ store ──▶ Journal ─────▶ Log ─────────▶ file ──▶ disk
//!                 ▲       in memory,     a task a shard, one write and one sync for all
//!                 │       RESP           that came meanwhile (group commit)
//!              replay ◀── files, at start
//! ```
//!
//! Each shard has files of its own, so shards neither wait for each other nor share a disk queue.
//! They hold the commands in the form in which clients send them, made independent of the time and
//! of chance: `SET … EX 10` becomes `SET … PXAT …`, `SPOP` becomes `SREM`, and a key that expires
//! leaves a `DEL`. Replayed in order they give the same data.
//!
//! | `--appendfsync` | an answer means | a crash of the machine loses |
//! |---|---|---|
//! | `always` | it is on the disk, with all that it was made from | nothing that was answered |
//! | `everysec` | it is in memory | a second, and what the disk was behind |
//! | `no` | it is in memory | what the kernel had not written |
//!
//! A crash of the program alone loses, in the last two, what was on its way to the kernel.
//!
//! Files grow with every change. A rewrite ([`rewrite`]) replaces them by the commands that make
//! what there is; [`files`] says what they are called and why no crash falls between them.

pub mod files;
pub mod journal;
pub mod load;
pub mod log;
pub mod replay;
pub mod rewrite;

/// When what was written is made to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Before an answer that depends on it leaves.
    Always,
    /// Once a second.
    EverySecond,
    /// When the kernel likes.
    No,
}

impl Fsync {
    /// The word for it on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Fsync::Always => "always",
            Fsync::EverySecond => "everysec",
            Fsync::No => "no",
        }
    }

    /// What a word on the command line means.
    pub fn parse(word: &str) -> Option<Fsync> {
        [Fsync::Always, Fsync::EverySecond, Fsync::No].into_iter().find(|it| it.name() == word)
    }
}
