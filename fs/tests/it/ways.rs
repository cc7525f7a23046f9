//! The table at the head of the crate, of which call goes where, against where they go.

use std::future::Future;
use std::io::{self, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::SystemTime;

use henge_driver::Driver;
use henge_driver::offload::Pool;
use henge_fs::{Advice, Allocation, DirBuilder, DirectFile, File, FileTimes, RangeSync};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::common::Place;

/// The columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    AtOnce,
    Ring,
    Pool,
}

/// Which ways the table names for the call of this text.
fn told(call: &str) -> Vec<Way> {
    let table = include_str!("../../src/lib.rs").lines();
    let rows = table.filter_map(|line| line.strip_prefix("//! | ")?.split_once('|'));
    let rows: Vec<_> = rows.filter(|(calls, _)| calls.contains(call)).collect();
    let [(_, cells)] = rows[..] else { panic!("{call} stands in {} rows", rows.len()) };
    let cells = cells.split('|').zip([Way::AtOnce, Way::Ring, Way::Pool]);
    cells.filter(|(cell, _)| !cell.trim().is_empty()).map(|(_, way)| way).collect()
}

/// Makes a call, and holds the table against where it went.
async fn goes<T>(driver: &Driver, call: &str, future: impl Future<Output = io::Result<T>>) -> T {
    // One that has not done anything yet.
    let pool = Arc::new(Pool::default());
    let others = driver.replace_blocking(Arc::clone(&pool));
    let before = driver.counters().submissions;
    let result = future.await.unwrap_or_else(|error| panic!("{call}: {error}"));
    let mut ways = Vec::new();
    if driver.counters().submissions > before {
        ways.push(Way::Ring);
    }
    if pool.metrics().threads > 0 {
        ways.push(Way::Pool);
    }
    if ways.is_empty() {
        ways.push(Way::AtOnce);
    }
    if let Some(others) = others {
        driver.replace_blocking(others);
    }
    let told = told(call);
    assert!(ways.iter().all(|way| told.contains(way)), "{call} goes {ways:?}, told {told:?}");
    result
}

#[test]
fn calls_go_where_the_table_says() {
    let place = Place::folder();
    let driver = Driver::new().unwrap();
    driver.block_on(calls(&driver, &place)).unwrap().unwrap();
}

async fn calls(driver: &Driver, place: &Place) -> io::Result<()> {
    let (path, other) = (place.join("file"), place.join("other"));
    std::fs::write(&path, vec![1; 100_000])?;
    // The first look at a file system asks the pool what it is, whatever the call; nobody waits.
    henge_fs::metadata(&path).await?;
    driver.blocking().shutdown(None);

    let d = driver;
    let mut file = goes(d, "[`File::create`]", File::create(&other)).await;
    goes(d, "[`AsyncWrite`]", file.write_all(b"contents")).await;
    goes(d, "[`AsyncWrite`]", file.flush()).await;
    let mut null = File::options().write(true).open("/dev/null").await?;
    goes(d, "[`AsyncWrite`]", null.write_all(b"contents")).await;
    goes(d, "seeks", file.seek(SeekFrom::Start(0))).await;
    goes(d, "[`File::sync_all`]", file.sync_all()).await;
    goes(d, "[`File::sync_data`]", file.sync_data()).await;
    goes(d, "[`File::set_len`]", file.set_len(1_000)).await;
    let reserve = Allocation::ReserveKeepSize;
    goes(d, "[`File::fallocate`]", file.fallocate(reserve, 0, 4096)).await;
    goes(d, "[`File::fadvise`]", file.fadvise(Advice::Sequential, 0, 0)).await;
    goes(d, "[`File::fadvise`]", file.fadvise(Advice::Sequential, 0, 5 << 30)).await;
    let start = RangeSync::Start;
    goes(d, "[`File::sync_file_range`]", file.sync_file_range(start, 0, 0)).await;
    goes(d, "[`File::sync_file_range`]", file.sync_file_range(start, 0, 5 << 30)).await;
    let mode = PermissionsExt::from_mode(0o600);
    goes(d, "[`File::set_permissions`]", file.set_permissions(mode)).await;
    let times = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
    goes(d, "[`File::set_times`]", file.set_times(times)).await;
    goes(d, "[`File::metadata`]", file.metadata()).await;
    let clone = goes(d, "[`File::try_clone`]", file.try_clone()).await;
    goes(d, "[`File::close`]", clone.close()).await;

    let mut file = goes(d, "[`File::open`]", File::open(&path)).await;
    let mut bytes = [0; 100];
    goes(d, "[`File`]", file.read(&mut bytes)).await;
    goes(d, "[`File`]", async { file.read_at(vec![0; 80_000], 0).await.0 }).await;
    let log = goes(d, "[`OpenOptions::open`]", File::options().append(true).open(&path)).await;
    goes(d, "[`File`]", async { log.write_at("more", 0).await.0 }).await;
    let two = || vec![vec![0; 10], vec![0; 10]];
    goes(d, "vectored reads", async { file.readv_at(two(), 0).await.0 }).await;
    if let Ok(direct) = DirectFile::open(&path).await {
        let page = direct.buffer(4096)?;
        goes(d, "[`DirectFile`]", async { direct.read_at(page, 0).await.0 }).await;
    }

    goes(d, "[`metadata()`]", henge_fs::metadata(&path)).await;
    goes(d, "[`symlink_metadata`]", henge_fs::symlink_metadata(&path)).await;
    goes(d, "[`try_exists`]", henge_fs::try_exists(&path)).await;
    let mode = PermissionsExt::from_mode(0o600);
    goes(d, "[`set_permissions`]", henge_fs::set_permissions(&path, mode)).await;
    goes(d, "[`rename`]", henge_fs::rename(&other, place.join("again"))).await;
    goes(d, "[`hard_link`]", henge_fs::hard_link(&path, &other)).await;
    goes(d, "[`remove_file`]", henge_fs::remove_file(&other)).await;
    goes(d, "[`symlink`]", henge_fs::symlink(&path, &other)).await;
    goes(d, "[`read_link`]", henge_fs::read_link(&other)).await;
    goes(d, "[`canonicalize`]", henge_fs::canonicalize(&other)).await;
    goes(d, "[`create_dir`]", henge_fs::create_dir(place.join("one"))).await;
    goes(d, "[`remove_dir`]", henge_fs::remove_dir(place.join("one"))).await;
    goes(d, "[`create_dir_all`]", henge_fs::create_dir_all(place.join("a/b"))).await;
    goes(d, "[`DirBuilder`]", DirBuilder::new().create(place.join("a/c"))).await;
    goes(d, "[`remove_dir_all`]", henge_fs::remove_dir_all(place.join("a"))).await;
    goes(d, "[`write()`]", henge_fs::write(&path, "contents")).await;
    goes(d, "[`copy`]", henge_fs::copy(&path, place.join("copy"))).await;
    let mut entries = goes(d, "[`read_dir()`]", henge_fs::read_dir(place)).await;
    let entry = goes(d, "[`ReadDir::next_entry`]", entries.next_entry()).await;
    if let Some(entry) = entry {
        goes(d, "[`DirEntry::metadata`]", entry.metadata()).await;
    }
    Ok(())
}
