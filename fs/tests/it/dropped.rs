//! Every asynchronous function of the crate, dropped after each of its polls: nothing is leaked,
//! and what was not dropped is whole.

use std::fs;
use std::future::{Future, poll_fn};
use std::io::{self, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use henge_driver::{Driver, ops, submit};
use henge_fs::{
    Advice, Allocation, DirBuilder, DirectFile, File, FileTimes, OpenOptions, RangeSync, Window,
};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::common::{Place, in_a_process_of_its_own};

/// A call of a function; nothing where this file system has no such thing.
type Way<'a> = Option<Pin<Box<dyn Future<Output = ()> + 'a>>>;

fn way<'a, T>(future: impl Future<Output = T> + 'a) -> Way<'a> {
    Some(Box::pin(async { drop(future.await) }))
}

/// What the calls are about.
struct Subject {
    file: PathBuf,
    other: PathBuf,
    folder: PathBuf,
    here: File,
    direct: Option<DirectFile>,
}

impl Subject {
    /// With a file that is not in memory, so that there is something to wait for.
    async fn new(place: &Place, bytes: &[u8]) -> io::Result<Subject> {
        let (file, other, folder) = (place.join("file"), place.join("other"), place.join("folder"));
        fs::write(&file, bytes)?;
        fs::write(&other, "other")?;
        fs::create_dir_all(&folder)?;
        let here = OpenOptions::new().read(true).write(true).open(&file).await?;
        here.sync_all().await?;
        here.fadvise(Advice::DontNeed, 0, 0).await?;
        let mut options = OpenOptions::new();
        let direct = DirectFile::open_with(options.read(true).write(true), &file).await.ok();
        Ok(Subject { file, other, folder, here, direct })
    }

    fn std(&self) -> File {
        File::from_std(fs::File::open(&self.file).unwrap())
    }

    /// A call of each function, by its name behind the last dot.
    fn ways(&self) -> Vec<(&'static str, Way<'_>)> {
        let Subject { file, other, folder, here, direct } = self;
        let direct = direct.as_ref();
        let page = || vec![7_u8; 4096];
        let aligned = |direct: &DirectFile| {
            let mut buf = direct.buffer(4096).unwrap();
            buf.pad_to(4096);
            buf
        };
        vec![
            ("File.open", way(File::open(file))),
            ("File.create", way(File::create(other))),
            ("File.create_new", way(File::create_new(folder.join("new")))),
            (
                "OpenOptions.open",
                way(async move { OpenOptions::new().append(true).open(other).await }),
            ),
            ("read", way(henge_fs::read(file))),
            ("read_to_string", way(henge_fs::read_to_string(other))),
            ("write", way(henge_fs::write(other, "contents"))),
            ("copy", way(henge_fs::copy(file, other))),
            ("metadata", way(henge_fs::metadata(file))),
            ("symlink_metadata", way(henge_fs::symlink_metadata(file))),
            ("try_exists", way(henge_fs::try_exists(other))),
            ("canonicalize", way(henge_fs::canonicalize(file))),
            (
                "set_permissions",
                way(henge_fs::set_permissions(other, PermissionsExt::from_mode(0o600))),
            ),
            ("here.read_at", way(here.read_at(vec![0; 50_000], 1_000))),
            ("here.read_exact_at", way(here.read_exact_at(vec![0; 90_000], 0))),
            ("here.readv_at", way(here.readv_at(vec![vec![0; 5_000], vec![0; 5_000]], 60_000))),
            ("here.write_at", way(here.write_at(page(), 200_000))),
            ("here.write_all_at", way(here.write_all_at(page(), 210_000))),
            ("here.writev_at", way(here.writev_at(vec![page(), page()], 220_000))),
            ("here.metadata", way(here.metadata())),
            ("here.set_permissions", way(here.set_permissions(PermissionsExt::from_mode(0o640)))),
            ("here.set_times", way(here.set_times(FileTimes::new()))),
            ("here.set_modified", way(here.set_modified(SystemTime::UNIX_EPOCH))),
            ("here.sync_all", way(here.sync_all())),
            ("here.sync_data", way(here.sync_data())),
            ("here.set_len", way(here.set_len(300_000))),
            ("here.fallocate", way(here.fallocate(Allocation::ReserveKeepSize, 400_000, 4096))),
            ("here.fadvise", way(here.fadvise(Advice::DontNeed, 0, 8 << 30))),
            ("here.sync_file_range", way(here.sync_file_range(RangeSync::StartAndWait, 0, 0))),
            ("here.try_clone", way(here.try_clone())),
            ("std.into_std", way(self.std().into_std())),
            ("std.close", way(self.std().close())),
            ("read_dir", way(henge_fs::read_dir("/proc/self"))),
            ("entries.next_entry", way(entries(false, false))),
            ("entry.metadata", way(entries(true, false))),
            ("entry.file_type", way(entries(false, true))),
            ("create_dir", way(henge_fs::create_dir(folder.join("one")))),
            ("create_dir_all", way(henge_fs::create_dir_all(folder.join("a/b/c")))),
            (
                "DirBuilder.create",
                way(async move { DirBuilder::new().create(folder.join("two")).await }),
            ),
            ("rename", way(henge_fs::rename(folder.join("one"), folder.join("two")))),
            ("hard_link", way(henge_fs::hard_link(file, folder.join("hard")))),
            ("symlink", way(henge_fs::symlink(file, folder.join("soft")))),
            ("read_link", way(henge_fs::read_link(folder.join("soft")))),
            ("remove_file", way(henge_fs::remove_file(folder.join("soft")))),
            ("remove_dir", way(henge_fs::remove_dir(folder.join("two")))),
            ("remove_dir_all", way(henge_fs::remove_dir_all(folder))),
            ("DirectFile.open", direct.and_then(|_| way(DirectFile::open(file)))),
            ("DirectFile.create", direct.and_then(|_| way(DirectFile::create(other)))),
            (
                "DirectFile.open_with",
                direct.and_then(|_| {
                    let mut options = OpenOptions::new();
                    options.read(true);
                    way(async move { DirectFile::open_with(&options, file).await })
                }),
            ),
            ("direct.read_at", direct.and_then(|d| way(d.read_at(aligned(d), 4096)))),
            ("direct.read_exact_at", direct.and_then(|d| way(d.read_exact_at(aligned(d), 0)))),
            ("direct.write_at", direct.and_then(|d| way(d.write_at(aligned(d), 1 << 20)))),
            ("direct.write_all_at", direct.and_then(|d| way(d.write_all_at(aligned(d), 2 << 20)))),
            ("reader.next_chunk", direct.and_then(|_| way(chunks(file)))),
        ]
    }
}

/// Reads a folder, and of its entries what is asked for. Threads come and go, and so do entries.
async fn entries(metadata: bool, kind: bool) {
    let mut entries = henge_fs::read_dir("/proc/self").await.unwrap();
    while let Some(entry) = entries.next_entry().await.unwrap() {
        if metadata {
            drop(entry.metadata().await);
        }
        if kind {
            drop(entry.file_type().await);
        }
    }
}

async fn chunks(file: &Path) -> io::Result<()> {
    let window = Window { chunk: 16 << 10, depth: 3, registered: false };
    let mut reader = DirectFile::open(file).await?.reader(0, window)?;
    while reader.next_chunk().await?.is_some() {}
    Ok(())
}

/// Polls at most so many times, with a turn of the ring between, then drops.
async fn poll_and_drop(future: impl Future, times: usize) {
    let mut future = pin!(future);
    for _ in 0..times {
        let ready = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        if ready {
            return;
        }
        submit(ops::Nop::new()).await.unwrap();
    }
}

#[test]
fn nothing_is_leaked_wherever_a_future_waited() {
    in_a_process_of_its_own("dropped::everywhere", "ulimit -n 1000");
}

#[test]
#[ignore = "counts the descriptors of the process: `nothing_is_leaked_wherever_a_future_waited` \
            starts one for it"]
fn everywhere() {
    let place = Place::folder();
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let driver = Driver::new().unwrap();
    let before = open();
    for times in 0..12 {
        let round = async {
            let subject = Subject::new(&place, &bytes).await?;
            for (_, way) in subject.ways() {
                let Some(way) = way else { continue };
                poll_and_drop(way, times).await;
            }
            at_the_position(&place.join("position"), &bytes, times).await
        };
        driver.block_on(round).unwrap().unwrap();
    }
    // What was cancelled ends with the driver.
    drop(driver);
    let deadline = Instant::now() + Duration::from_secs(20);
    while open() > before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(open() <= before, "{before} were open, now {}", open());
}

/// What is used by reference is whole. In a file of its own: what was dropped above may still take
/// place.
async fn at_the_position(file: &Path, bytes: &[u8], times: usize) -> io::Result<()> {
    fs::write(file, bytes)?;
    let mut here = OpenOptions::new().read(true).write(true).open(file).await?;
    here.sync_all().await?;
    here.fadvise(Advice::DontNeed, 0, 0).await?;
    let mut got = vec![0; 1_000];
    poll_and_drop(here.read(&mut got), times).await;
    poll_and_drop(here.sync_all(), times).await;
    poll_and_drop(here.seek(SeekFrom::Start(7)), times).await;
    here.seek(SeekFrom::Start(500)).await?;
    poll_and_drop(here.write_all(b"over"), times).await;
    poll_and_drop(here.flush(), times).await;
    here.flush().await?;
    here.seek(SeekFrom::Start(0)).await?;
    got.clear();
    here.read_to_end(&mut got).await?;
    assert_eq!(got.len(), bytes.len());
    assert_eq!((&got[..500], &got[504..]), (&bytes[..500], &bytes[504..]));
    Ok(())
}

/// So that one that is added is dropped too: by name, and as often as there are definitions.
#[test]
fn no_function_is_missing() {
    let place = Place::folder();
    let subject = Driver::new().unwrap().block_on(Subject::new(&place, &[0; 4096]));
    let subject = subject.unwrap().unwrap();
    let dropped: Vec<&str> =
        subject.ways().into_iter().filter_map(|(name, _)| name.rsplit('.').next()).collect();
    let mut defined = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                functions(&fs::read_to_string(path).unwrap(), &mut defined);
            }
        }
    }
    assert!(defined.len() > 50, "{defined:?}");
    for name in &defined {
        let count = |names: &[&str]| names.iter().filter(|other| *other == name).count();
        let defined: Vec<&str> = defined.iter().map(String::as_str).collect();
        assert_eq!(count(&dropped), count(&defined), "{name}: dropped, defined");
    }
}

/// Adds the names of a text's public functions that are futures.
fn functions(text: &str, names: &mut Vec<String>) {
    for function in text.split("    pub fn ").skip(1) {
        let signature = function.split('{').next().unwrap();
        if signature.contains("-> impl Future") {
            names.push(name(function));
        }
    }
    let asynchronous = text.split("pub async fn ").skip(1);
    names.extend(asynchronous.map(name));
}

fn name(function: &str) -> String {
    function.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}
