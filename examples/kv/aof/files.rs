//! What the files are called, and in which order they are made and removed.
//!
//! ```text
//! DIR/current                  "4 7": four shards, whose files are of epoch 7
//! DIR/7-0.2.base               shard 0: the commands that make what there was when file 2 began
//! DIR/7-0.2.incr               … and what changed from then on
//! DIR/7-0.3.incr               … and what changed since the rewrite that is under way began
//! DIR/7-1.0.incr               shard 1: never rewritten
//! ```
//!
//! A base is written under another name, synced and then renamed, so it is whole or not there. The
//! data of a shard are its latest base and all increments from the same number on. A rewrite begins
//! increment *n + 1*, then makes base *n + 1*, then removes what is older: at each moment the rule
//! finds all data, and finds nothing twice.
//!
//! When the number of shards changes, keys change their owners. The new shards read all files of
//! the old ones, write bases of a new epoch, and only when all of them are on the disk `current` is
//! replaced, by a rename too. Files of any other epoch than the current one are of no use.

use std::io;
use std::path::{Path, PathBuf};

use henge::fs::{self, File, OpenOptions};

use crate::notice::notice;

/// Which files are the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// How many shards have files.
    pub shards: usize,
    /// The number that their names begin with.
    pub epoch: u64,
}

/// A folder of append-only files.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// What is on the disk of one shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The latest base.
    pub base: Option<u64>,
    /// The increments that belong to it, in order.
    pub increments: Vec<u64>,
    /// Files that a rewrite was about to remove.
    pub old: Vec<String>,
}

impl Folder {
    /// The folder at `path`, made if it is not there.
    ///
    /// # Errors
    ///
    /// If it is not there and cannot be made.
    pub fn open(path: &Path) -> io::Result<Folder> {
        std::fs::create_dir_all(path)?;
        Ok(Folder(path.to_owned()))
    }

    /// The path of one of its files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Which files are the data; `None` if there never were any.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or was not written by this program.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing has happened.
    pub async fn current(&self) -> io::Result<Option<Current>> {
        let text = match fs::read_to_string(self.path("current")).await {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut words = text.split_whitespace().map(str::parse::<u64>);
        match (words.next(), words.next(), words.next()) {
            (Some(Ok(shards @ 1..)), Some(Ok(epoch)), None) => {
                Ok(Some(Current { shards: shards as usize, epoch }))
            }
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} is damaged: it holds {text:?}", self.path("current").display()),
            )),
        }
    }

    /// Makes other files the data. They are on the disk.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    ///
    /// # Cancel safety
    ///
    /// Dropped, either the old files are the data or the new ones.
    pub async fn set_current(&self, current: Current) -> io::Result<()> {
        let text = format!("{} {}\n", current.shards, current.epoch);
        let name = "current.new";
        let mut file = File::create(self.path(name)).await?;
        let (written, _) = file.write_all_at(text.into_bytes(), 0).await;
        written?;
        self.publish(&mut file, name, "current").await
    }

    /// Gives a file that is written its name, when all of it is on the disk.
    ///
    /// # Errors
    ///
    /// If it cannot be synced or renamed.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the file has its old name or its new one.
    pub async fn publish(&self, file: &mut File, from: &str, to: &str) -> io::Result<()> {
        file.sync_all().await?;
        fs::rename(self.path(from), self.path(to)).await?;
        self.sync().await
    }

    /// Makes names last that were made or changed.
    ///
    /// # Errors
    ///
    /// If the folder cannot be synced.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it may have happened.
    pub async fn sync(&self) -> io::Result<()> {
        File::open(&self.0).await?.sync_all().await
    }

    /// Starts an increment, which must not be there.
    ///
    /// # Errors
    ///
    /// If it is there, or cannot be made.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the file may have been made.
    pub async fn create(&self, name: &str) -> io::Result<File> {
        let file = OpenOptions::new().write(true).create_new(true).open(self.path(name)).await?;
        self.sync().await?;
        Ok(file)
    }

    /// Opens a file to read it, and to write on behind what it holds.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing has happened.
    pub async fn append(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.path(name)).await
    }

    /// Removes files that are of no use. They do no harm, so an error is told and that is all.
    ///
    /// # Cancel safety
    ///
    /// Dropped, some have been removed.
    pub async fn remove(&self, names: &[String]) {
        for name in names {
            if let Err(error) = fs::remove_file(self.path(name)).await {
                notice(format_args!("cannot remove {}: {error}", self.path(name).display()));
            }
        }
    }

    /// The names of all files.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let names = std::fs::read_dir(&self.0)?
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    /// What there is of one shard.
    ///
    /// # Errors
    ///
    /// As [`names`](Folder::names).
    pub fn chain(&self, epoch: u64, shard: usize) -> io::Result<Chain> {
        Ok(chain(&self.names()?, epoch, shard))
    }

    /// The files that belong to another epoch than this, or were never finished.
    ///
    /// # Errors
    ///
    /// As [`names`](Folder::names).
    pub fn strangers(&self, epoch: Option<u64>) -> io::Result<Vec<String>> {
        let mut names = self.names()?;
        names.retain(|name| match parse(name) {
            Some(parsed) => Some(parsed.epoch) != epoch,
            None => name.ends_with(".new"),
        });
        Ok(names)
    }
}

/// The name of a shard's base.
pub fn base(epoch: u64, shard: usize, number: u64) -> String {
    format!("{epoch}-{shard}.{number}.base")
}

/// The name of a shard's increment.
pub fn increment(epoch: u64, shard: usize, number: u64) -> String {
    format!("{epoch}-{shard}.{number}.incr")
}

/// Whether a file of this name holds data.
pub fn is_data(name: &str) -> bool {
    parse(name).is_some()
}

struct Name {
    epoch: u64,
    shard: usize,
    number: u64,
    is_base: bool,
}

fn parse(name: &str) -> Option<Name> {
    let (epoch, rest) = name.split_once('-')?;
    let (shard, rest) = rest.split_once('.')?;
    let (number, kind) = rest.split_once('.')?;
    let is_base = match kind {
        "base" => true,
        "incr" => false,
        _ => return None,
    };
    let (epoch, number) = (epoch.parse().ok()?, number.parse().ok()?);
    Some(Name { epoch, shard: shard.parse().ok()?, number, is_base })
}

fn chain(names: &[String], epoch: u64, shard: usize) -> Chain {
    let mine: Vec<(Name, &String)> = names
        .iter()
        .filter_map(|text| Some((parse(text)?, text)))
        .filter(|(name, _)| name.epoch == epoch && name.shard == shard)
        .collect();
    let base = mine.iter().filter(|(name, _)| name.is_base).map(|(name, _)| name.number).max();
    let mut chain = Chain { base, ..Chain::default() };
    for (name, text) in mine {
        if base.is_some_and(|base| name.number < base) {
            chain.old.push(text.clone());
        } else if !name.is_base {
            chain.increments.push(name.number);
        }
    }
    chain.increments.sort_unstable();
    chain
}

#[test]
fn the_latest_base_and_what_follows() {
    let names =
        ["1-0.0.incr", "1-0.1.base", "1-0.1.incr", "1-0.2.incr", "1-1.0.incr", "2-0.9.base"];
    let names: Vec<String> = names.map(str::to_owned).into();
    let found = chain(&names, 1, 0);
    assert_eq!((found.base, &found.increments[..]), (Some(1), &[1, 2][..]));
    assert_eq!(found.old, ["1-0.0.incr"]);
    assert_eq!(chain(&names, 1, 2), Chain::default());
}
