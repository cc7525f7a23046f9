//! The start: from the files to a store, whatever the last run left.

use std::io;
use std::path::{Path, PathBuf};

use henge::sync::Barrier;

use super::files::{self, Chain, Current, Folder};
use super::log::Increment;
use super::replay::{self, Replayed};
use super::rewrite::rewrite;
use crate::notice::notice;
use crate::store::{Clock, Part, Store};

/// What a shard begins with.
#[derive(Debug)]
pub struct Loaded {
    /// Its data. It keeps a journal.
    pub store: Store,
    /// The file to go on with.
    pub increment: Increment,
    /// The number that its files begin with.
    pub epoch: u64,
}

/// Reads what belongs to `part`. All shards do so at the same time, and `all` is where they wait
/// for each other.
///
/// # Errors
///
/// If a file cannot be read or written, or is damaged elsewhere than at its end.
///
/// # Cancel safety
///
/// Dropped, the files hold the same data.
pub async fn load(folder: &Folder, part: Part, clock: Clock, all: &Barrier) -> io::Result<Loaded> {
    let is_first = part.index == 0;
    let found = folder.current().await?;
    let current = match found {
        Some(current) if current.shards == part.of => current,
        Some(Current { epoch, .. }) => Current { shards: part.of, epoch: epoch + 1 },
        None => Current { shards: part.of, epoch: 1 },
    };
    if found.is_none() && folder.names()?.iter().any(|name| files::is_data(name)) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "{} is missing, and there are data: restore it (it holds the number of shards and \
                 the first number of the files' names), or choose another --dir",
                folder.path("current").display()
            ),
        ));
    }
    // All have looked, and what a run that did not finish has left goes before anything is made.
    all.wait().await;
    if is_first {
        folder.remove(&folder.strangers(found.map(|found| found.epoch))?).await;
    }
    all.wait().await;
    let mut store = Store::replaying(part, clock);
    let mut chain = Chain::default();
    let mut length = 0;
    if found == Some(current) {
        chain = folder.chain(current.epoch, part.index)?;
        length = replay_chain(folder, current.epoch, part.index, &chain, &mut store, true).await?;
        folder.remove(&chain.old).await;
    } else {
        // Other shards have written what there is: each of these reads all of it.
        for shard in 0..found.map_or(0, |found| found.shards) {
            let epoch = current.epoch - 1;
            let theirs = folder.chain(epoch, shard)?;
            let mut other = Store::replaying(Part::WHOLE, clock);
            replay_chain(folder, epoch, shard, &theirs, &mut other, false).await?;
            store.absorb(other, part);
        }
        if found.is_some() {
            rewrite(folder, current.epoch, part.index, 0, store.snapshot()).await?;
            chain.base = Some(0);
        }
        all.wait().await;
        if is_first {
            folder.set_current(current).await?;
            folder.remove(&folder.strangers(Some(current.epoch))?).await;
        }
    }
    all.wait().await;
    store.keep_journal();
    let increment = match chain.increments.last() {
        Some(&number) => {
            let file = folder.append(&files::increment(current.epoch, part.index, number)).await?;
            Increment { file, number, length }
        }
        None => {
            let number = chain.base.unwrap_or(0);
            let name = files::increment(current.epoch, part.index, number);
            Increment { file: folder.create(&name).await?, number, length: 0 }
        }
    };
    Ok(Loaded { store, increment, epoch: current.epoch })
}

/// Replays a shard's files in order. How much of the last one can be used; if `cuts`, the rest of
/// it goes.
async fn replay_chain(
    folder: &Folder,
    epoch: u64,
    shard: usize,
    chain: &Chain,
    store: &mut Store,
    cuts: bool,
) -> io::Result<u64> {
    let base = chain.base.map(|number| files::base(epoch, shard, number));
    let increments = chain.increments.iter().map(|&number| files::increment(epoch, shard, number));
    let names: Vec<String> = base.into_iter().chain(increments).collect();
    let mut length = 0;
    let mut damaged: Option<(PathBuf, String)> = None;
    for name in &names {
        let file = folder.append(name).await?;
        let size = file.metadata().await?.len();
        if size == 0 {
            // A rewrite had begun it when the run ended; what came before may end anywhere.
            length = 0;
            continue;
        }
        if let Some((path, damage)) = &damaged {
            return Err(not_the_last(path, damage));
        }
        let replayed = replay::file(&file, store).await?;
        length = replayed.valid;
        let Some(damage) = &replayed.damage else { continue };
        let path = folder.path(name);
        damaged = Some((path.clone(), damage.clone()));
        if !name.ends_with("incr") {
            return Err(not_the_last(&path, damage));
        }
        let lost = size - length;
        notice(format_args!("{}: the last {lost} bytes are of no use: {damage}", path.display()));
        if cuts {
            cut(folder, name, &file, &replayed, lost).await?;
        }
    }
    Ok(length)
}

fn not_the_last(path: &Path, damage: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "{} is damaged: {damage}. It is not the last of its shard's files, so this was no \
             crash; restore it, or move it and what follows away to go on with what came before",
            path.display()
        ),
    )
}

/// Keeps the end of a file under another name, and cuts it off.
async fn cut(
    folder: &Folder,
    name: &str,
    file: &henge::fs::File,
    replayed: &Replayed,
    lost: u64,
) -> io::Result<()> {
    /// More than that is no half command; the whole file is kept then.
    const MOST: u64 = 1 << 30;
    let kept = folder.path(&format!("{name}.cut"));
    if lost <= MOST {
        let buffer = Vec::with_capacity(lost as usize);
        let (read, tail) = file.read_at(buffer, replayed.valid).await;
        read?;
        henge::fs::write(&kept, tail).await?;
    } else {
        henge::fs::copy(folder.path(name), &kept).await?;
    }
    file.set_len(replayed.valid).await?;
    file.sync_all().await
}
