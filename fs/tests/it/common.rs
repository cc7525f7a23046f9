//! What the tests of this crate share: places of their own, and ways to run a future.

use std::fs;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};

use henge_driver::Driver;
use henge_driver::offload::{Class, Config, Job, Pool};
use henge_fs::File;
use tokio::io::AsyncWriteExt;

/// A name of this test's own; what is there goes away with it.
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    pub(crate) fn new() -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Place(std::env::temp_dir().join(format!("henge-fs-{}-{count}", std::process::id())))
    }

    /// With a folder there.
    pub(crate) fn folder() -> Place {
        let place = Place::new();
        fs::create_dir(&place).unwrap();
        place
    }

    /// With a file there.
    pub(crate) fn file(contents: impl AsRef<[u8]>) -> Place {
        let place = Place::new();
        fs::write(&place, contents).unwrap();
        place
    }

    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl AsRef<Path> for Place {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _it_may_be_a_folder = fs::remove_file(&self.0);
        let _it_may_never_have_been_made = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn run<T>(future: impl Future<Output = io::Result<T>>) -> T {
    Driver::new().unwrap().block_on(future).unwrap().unwrap()
}

/// The kind of the error that it ends with.
pub(crate) fn kind<T>(future: impl Future<Output = io::Result<T>>) -> ErrorKind {
    match Driver::new().unwrap().block_on(future).unwrap() {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error.kind(),
    }
}

/// Starts an operation and drops its future.
pub(crate) async fn begin_and_drop(future: impl Future) {
    let mut future = pin!(future);
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// Runs an ignored test in a process of its own, under limits as a shell sets them.
pub(crate) fn in_a_process_of_its_own(test: &str, limits: &str) {
    let script = format!("{limits} && exec \"$0\" --exact {test} --ignored");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// A pool of one thread, which is kept until this is released.
pub(crate) struct Kept {
    pub(crate) pool: Arc<Pool>,
    pub(crate) release: mpsc::Sender<()>,
    _job: Job<Result<(), mpsc::RecvError>>,
}

impl Kept {
    pub(crate) fn new(driver: &Driver) -> Kept {
        let pool = Arc::new(Pool::new(Config { max_threads: 1, ..Config::default() }));
        driver.replace_blocking(Arc::clone(&pool));
        let (release, released) = mpsc::channel();
        let (say, said) = mpsc::channel();
        let _job = pool.spawn(Class::User, move || {
            say.send(()).expect("it listens");
            released.recv()
        });
        said.recv().expect("it runs");
        Kept { pool, release, _job }
    }

    /// A file that has taken these bytes; nothing where they are in it at once.
    pub(crate) fn takes(&self, path: &Path, bytes: &[u8]) -> Option<File> {
        let mut file = File::from_std(fs::File::create(path).unwrap());
        let before = self.queued();
        let mut write = pin!(file.write_all(bytes));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(write.as_mut().poll(&mut cx).is_ready());
        (self.queued() > before).then_some(file)
    }

    /// How many jobs wait for the thread.
    pub(crate) fn queued(&self) -> usize {
        self.pool.metrics().queued
    }

    pub(crate) fn release(&self) {
        self.release.send(()).expect("it waits");
    }
}
