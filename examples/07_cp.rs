//! `cp` and `cat`, with their progress.
//!
//! `cargo run -p henge-examples --example 07_cp -- FROM TO`, or without `TO` to standard output
//!
//! A file that is copied to another is read and written at many places at a time: a few tasks each
//! take the next piece that nobody has taken. What is copied to standard output, which may be a
//! pipe, goes in order, through tokio's traits.

#![allow(clippy::print_stderr, reason = "it has progress to show")]

use std::cell::Cell;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use henge::driver::buf::IoBuf;
use henge::fs::File;
use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::time::{Instant, interval};

/// So many pieces are under way at a time, of so many bytes each.
const TASKS: usize = 8;
const PIECE: u64 = 256 << 10;

/// How far a copy is, for whoever shows it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    done: Cell<u64>,
    total: Cell<u64>,
}

struct Copy {
    from: File,
    to: File,
    next: Cell<u64>,
    progress: Rc<Progress>,
}

impl Copy {
    /// Copies pieces as long as there are some. Several tasks do so at a time, on one shard, so a
    /// `Cell` is enough to share.
    async fn pieces(self: Rc<Copy>) -> io::Result<()> {
        let mut buf = Vec::with_capacity(PIECE as usize);
        loop {
            let at = self.next.get();
            let len = self.progress.total.get().saturating_sub(at).min(PIECE);
            if len == 0 {
                return Ok(());
            }
            self.next.set(at + len);
            // The buffer goes to the kernel and comes back: nothing is copied on the way.
            let (done, part) = self.from.read_exact_at(buf.slice(..len as usize), at).await;
            done?;
            let (done, part) = self.to.write_all_at(part, at).await;
            done?;
            buf = part.into_inner();
            self.progress.done.set(self.progress.done.get() + len);
        }
    }
}

/// Copies a file to another, and its permissions.
pub(crate) async fn cp(from: &Path, to: &Path, progress: Rc<Progress>) -> io::Result<()> {
    let from = File::open(from).await?;
    let metadata = from.metadata().await?;
    if !metadata.is_file() {
        return Err(io::Error::other("only a file has places to copy from"));
    }
    progress.total.set(metadata.len());
    let to = File::create(to).await?;
    to.set_permissions(metadata.permissions()).await?;
    let copy = Rc::new(Copy { from, to, next: Cell::new(0), progress });
    let tasks: Vec<_> = (0..TASKS).map(|_| henge::spawn(copy.clone().pieces())).collect();
    for task in tasks {
        task.await.map_err(io::Error::other)??;
    }
    match Rc::try_unwrap(copy) {
        // The file system may only now say what has become of the bytes.
        Ok(copy) => copy.to.close().await,
        Err(_) => unreachable!("its tasks have ended"),
    }
}

/// Copies a file, or whatever has that name, to `to`, in order.
pub(crate) async fn cat(from: &Path, mut to: File, progress: Rc<Progress>) -> io::Result<()> {
    let mut from = File::open(from).await?;
    progress.total.set(from.metadata().await?.len());
    let mut buf = vec![0; PIECE as usize];
    loop {
        let n = from.read(&mut buf).await?;
        if n == 0 {
            // A write is done when the file has taken the bytes; this is when the kernel has.
            return to.flush().await;
        }
        to.write_all(&buf[..n]).await?;
        progress.done.set(progress.done.get() + n as u64);
    }
}

/// Shows the progress of a copy until it has ended.
pub(crate) async fn show(
    copy: impl Future<Output = io::Result<()>>,
    progress: &Progress,
) -> io::Result<()> {
    let (start, mut copy) = (Instant::now(), pin!(copy));
    let mut ticks = interval(Duration::from_millis(100));
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let line = || {
        let done = mib(progress.done.get());
        let rate = done / start.elapsed().as_secs_f64();
        eprint!("\r{done:.1} of {:.1} MiB, {rate:.0} MiB/s ", mib(progress.total.get()));
    };
    let result = loop {
        henge::select! {
            result = &mut copy => break result,
            _ = ticks.tick() => line(),
        }
    };
    line();
    eprintln!();
    result
}

#[henge::main(flavor = "current_thread")]
pub(crate) async fn main() -> io::Result<()> {
    let paths: Vec<_> = std::env::args_os().skip(1).collect();
    let progress = Rc::<Progress>::default();
    match &paths[..] {
        [from, to] => show(cp(from.as_ref(), to.as_ref(), progress.clone()), &progress).await,
        [from] => {
            // A descriptor of our own, so that dropping the file does not close everybody's.
            let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
            show(cat(from.as_ref(), stdout, progress.clone()), &progress).await
        }
        _ => Err(io::Error::other("usage: 07_cp FROM [TO]")),
    }
}
