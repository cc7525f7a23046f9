//! What a program writes to a file without a flush, it finds there by the file's name: in every
//! kind of runtime, from every thread, and after the runtime's end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use henge::fs::File;
use henge::io::AsyncWriteExt;
use henge::runtime::{Builder, Runtime};
use henge::shard::ShardId;
use henge::steal;
use henge::task::yield_now;
use henge::time::timeout;

/// Only a hang exceeds it.
const PATIENCE: Duration = Duration::from_secs(60);
const ROUNDS: usize = 500;

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("henge-unflushed-{}-{count}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        fs::create_dir(&folder.0).expect("a folder");
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn several(stealing: bool) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(3).stealing(stealing).build().expect("a runtime")
}

async fn write(path: &Path, text: &str) -> io::Result<File> {
    let mut file = File::create(path).await?;
    file.write_all(text.as_bytes()).await?;
    Ok(file)
}

/// Writes and looks, with moves in between where the task may move.
async fn rounds(folder: PathBuf) -> io::Result<()> {
    for round in 0..ROUNDS {
        let (path, text) = (folder.join((round % 10).to_string()), format!("round {round}"));
        let file = write(&path, &text).await?;
        yield_now().await;
        assert_eq!(henge::fs::metadata(&path).await?.len(), text.len() as u64, "{text}");
        assert_eq!(henge::fs::read_to_string(&path).await?, text);
        drop(file);
    }
    Ok(())
}

async fn in_time<T>(future: impl Future<Output = io::Result<T>>) -> T {
    timeout(PATIENCE, future).await.expect("it hangs").expect("no error")
}

#[test]
fn on_one_thread() {
    let folder = Folder::new();
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(in_time(rounds(folder.0.clone())));
    // A guest's ring beside it.
    several(false).block_on(in_time(rounds(folder.0.clone())));
}

#[test]
fn in_tasks_that_move() {
    let runtime = several(true);
    let folders: Vec<Folder> = (0..12).map(|_| Folder::new()).collect();
    let paths: Vec<PathBuf> = folders.iter().map(|folder| folder.0.clone()).collect();
    runtime.run(|| async {
        let tasks: Vec<_> =
            paths.into_iter().map(|path| steal::spawn(in_time(rounds(path)))).collect();
        for task in tasks {
            task.await.expect("no panic");
        }
    });
}

/// One writes and tells the other, which looks.
#[test]
fn on_another_shard() {
    let folder = Folder::new();
    let path = folder.0.clone();
    several(false).run(|| async move {
        let there = ShardId::new(1);
        let look = async {
            for round in 0..ROUNDS {
                let (path, text) = (path.join("file"), format!("round {round}"));
                let file = write(&path, &text).await?;
                let read = there.call(move || async { henge::fs::read_to_string(path).await });
                assert_eq!(read.await.expect("no panic")?, text);
                drop(file);
            }
            Ok(())
        };
        in_time(look).await;
    });
}

/// Where the shard's thread is kept by a task that waits for the look of another thread.
#[test]
fn while_its_thread_is_busy() {
    let folder = Folder::new();
    let path = folder.0.clone();
    several(false).run(|| async move {
        for round in 0..20 {
            let text = format!("round {round}");
            let file = write(&path.join("file"), &text).await.expect("a file");
            let other = path.join("file");
            let look = std::thread::spawn(move || {
                let runtime = Builder::new_current_thread().build().expect("a runtime");
                runtime.block_on(in_time(henge::fs::read_to_string(other)))
            });
            assert_eq!(look.join().expect("no panic"), text);
            drop(file);
        }
    });
}

/// As tokio's, which finishes what a file has taken.
#[test]
fn after_the_end_of_the_runtime() {
    let folder = Folder::new();
    for round in 0..50 {
        let path = folder.0.join(round.to_string());
        let runtime = match round % 3 {
            0 => Builder::new_current_thread().build().expect("a runtime"),
            1 => several(false),
            _ => several(true),
        };
        let writes = async {
            // Each the last of several, which the pool may not have begun.
            for n in 0..20 {
                drop(write(&path.with_extension(n.to_string()), "contents").await?);
            }
            Ok(())
        };
        runtime.block_on(in_time(writes));
        drop(runtime);
        for n in 0..20 {
            assert_eq!(fs::read(path.with_extension(n.to_string())).unwrap(), b"contents");
        }
    }
}
