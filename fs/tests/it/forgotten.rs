//! `mem::forget` of files and of their futures: buffers stay the kernel's, and the file goes on.
//!
//! What is forgotten is memory that nobody frees, so it stands in a static where a leak checker
//! finds it.

use std::fs;
use std::future::{Future, poll_fn};
use std::sync::Mutex;
use std::task::Poll;

use crate::common::{Place, run};
use henge_fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

static FORGOTTEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// As `mem::forget`, but known to the leak checker.
fn forget<T>(value: T) {
    let place = Box::leak(Box::new(value));
    FORGOTTEN.lock().unwrap().push((&raw const *place).addr());
}

/// Polls a future once and forgets it; a call on a file may be done at once.
async fn start_and_forget<F: Future>(future: F) {
    let mut future = Box::pin(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
    forget(future);
}

#[test]
fn transfers_at_places() {
    let place = Place::file(vec![b'.'; 100 * 512]);
    run(async {
        let file = File::options().read(true).write(true).open(&place).await?;
        for n in 0..100 {
            start_and_forget(file.read_at(vec![0; 512], n * 512)).await;
            start_and_forget(file.write_at(vec![b'x'; 512], n * 512)).await;
            start_and_forget(file.sync_data()).await;
            start_and_forget(file.metadata()).await;
        }
        start_and_forget(File::open(&place)).await;
        let (written, _) = file.write_all_at(vec![b'y'; 10], 0).await;
        written?;
        let (read, bytes) = file.read_exact_at(vec![0; 10], 0).await;
        read?;
        // A write that is forgotten is like one that somebody still waits for: it may come late.
        assert!(bytes.iter().all(|byte| b"xy".contains(byte)), "{bytes:?}");
        file.close().await
    });
    assert!(fs::read(&place).unwrap().iter().all(|byte| b".xy".contains(byte)));
}

#[test]
fn reads_and_writes_of_a_stream_and_the_file_itself() {
    let place = Place::new();
    run(async {
        let mut file = File::create(&place).await?;
        start_and_forget(file.write_all(b"first ")).await;
        file.write_all(b"second").await?;
        file.flush().await?;
        forget(file);
        let mut file = File::open(&place).await?;
        let mut room = [0; 3];
        start_and_forget(file.read(&mut room)).await;
        let mut rest = String::new();
        file.read_to_string(&mut rest).await?;
        assert!("first second".ends_with(&rest), "{rest}");
        forget(file);
        Ok(())
    });
    assert_eq!(fs::read(&place).unwrap(), b"first second");
}
