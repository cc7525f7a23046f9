//! Files: pipes that nothing comes through, and what takes a moment only.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use henge::fs::{self, File};
use henge::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::{
    Event, Make, Place, Waits, boxed, check_all, check_each, event, full_pipe, none, same, take,
};

fn pipe() -> io::Result<(File, io::PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    Ok((File::from(std::os::fd::OwnedFd::from(reader)), writer))
}

/// As a file, one that takes no more.
fn full_file() -> io::Result<(io::PipeReader, File)> {
    let (reader, writer) = full_pipe()?;
    Ok((reader, File::from(writer)))
}

fn hello(mut writer: io::PipeWriter) -> Event {
    event(move || writer.write_all(b"hello"))
}

fn read() -> io::Result<(Waits, Event)> {
    let (mut file, writer) = pipe()?;
    let waits = async move {
        let mut bytes = [0; 8];
        let n = file.read(&mut bytes).await?;
        same(&bytes[..n], b"hello")
    };
    Ok((boxed(waits), hello(writer)))
}

fn read_at() -> io::Result<(Waits, Event)> {
    let (file, writer) = pipe()?;
    let waits = async move {
        let (n, bytes) = file.read_at(vec![0; 8], 0).await;
        same(&bytes[..n?], b"hello")
    };
    Ok((boxed(waits), hello(writer)))
}

fn readv_at() -> io::Result<(Waits, Event)> {
    let (file, writer) = pipe()?;
    let waits = async move {
        let (n, parts) = file.readv_at(vec![vec![0; 2], vec![0; 6]], 0).await;
        same(n?, 5)?;
        same(parts.concat()[..5].to_vec(), b"hello".to_vec())
    };
    Ok((boxed(waits), hello(writer)))
}

fn write() -> io::Result<(Waits, Event)> {
    let (reader, mut file) = full_file()?;
    let waits = async move {
        file.write_all(b"hello").await?;
        file.flush().await
    };
    Ok((boxed(waits), take(reader, 8 << 10)))
}

fn write_at() -> io::Result<(Waits, Event)> {
    let (reader, file) = full_file()?;
    let waits = async move {
        let (n, _bytes) = file.write_at(b"hello".to_vec(), 0).await;
        same(n?, 5)
    };
    Ok((boxed(waits), take(reader, 8 << 10)))
}

fn writev_at() -> io::Result<(Waits, Event)> {
    let (reader, file) = full_file()?;
    let waits = async move {
        let (n, _bytes) = file.writev_at(vec![b"he".to_vec(), b"llo".to_vec()], 0).await;
        same(n?, 5)
    };
    Ok((boxed(waits), take(reader, 8 << 10)))
}

fn read_whole() -> io::Result<(Waits, Event)> {
    let place = Place::fifo()?;
    let mut writer = OpenOptions::new().read(true).write(true).open(&place.0)?;
    let waits = async move { same(&fs::read(&place.0).await?[..], b"hello") };
    Ok((boxed(waits), event(move || writer.write_all(b"hello"))))
}

fn open_to_read() -> io::Result<(Waits, Event)> {
    let place = Place::fifo()?;
    let path = place.0.clone();
    let waits = async move { File::open(&place.0).await.map(drop) };
    Ok((boxed(waits), event(move || OpenOptions::new().write(true).open(path).map(drop))))
}

fn open_to_write() -> io::Result<(Waits, Event)> {
    let place = Place::fifo()?;
    let path = place.0.clone();
    let waits = async move { File::options().write(true).open(&place.0).await.map(drop) };
    Ok((boxed(waits), event(move || OpenOptions::new().read(true).open(path).map(drop))))
}

/// A future of a file that is there already, and is removed with it.
fn with_file<F: Future<Output = io::Result<()>> + Send + 'static>(
    then: impl FnOnce(PathBuf) -> F + Send + 'static,
) -> io::Result<(Waits, Event)> {
    let place = Place::file(b"hello")?;
    let waits = async move {
        let done = then(place.0.clone()).await;
        drop(place);
        done
    };
    Ok((boxed(waits), none()))
}

macro_rules! quick {
    ($($name:ident: |$path:ident| $body:block)*) => {
        $(fn $name() -> io::Result<(Waits, Event)> {
            with_file(|$path| async move $body)
        })*
        const QUICK: &[(&str, Make)] = &[$((stringify!($name), $name)),*];
    };
}

quick! {
    open_create: |path| { File::create(path).await.map(drop) }
    whole: |path| { same(&fs::read(&path).await?[..], b"hello") }
    write_whole: |path| { fs::write(&path, b"bye").await }
    copy: |path| {
        let place = Place::new();
        same(fs::copy(&path, &place.0).await?, 5)
    }
    rename: |path| {
        let place = Place::new();
        fs::rename(&path, &place.0).await
    }
    hard_link: |path| {
        let place = Place::new();
        fs::hard_link(&path, &place.0).await
    }
    symlink: |path| {
        let place = Place::new();
        fs::symlink(&path, &place.0).await
    }
    remove_file: |path| { fs::remove_file(&path).await }
    create_and_remove_dir: |_path| {
        let place = Place::new();
        fs::create_dir(&place.0).await?;
        fs::remove_dir(&place.0).await
    }
    metadata: |path| { same(fs::metadata(&path).await?.len(), 5) }
    canonicalize: |path| { fs::canonicalize(&path).await.map(drop) }
    read_dir: |path| {
        let mut entries = fs::read_dir(path.parent().expect("a folder")).await?;
        while entries.next_entry().await?.is_some() {}
        Ok(())
    }
    sync: |path| {
        let file = File::options().read(true).write(true).open(&path).await?;
        file.sync_all().await?;
        file.sync_data().await?;
        file.close().await
    }
    set_len: |path| {
        let file = File::options().read(true).write(true).open(&path).await?;
        file.set_len(9).await?;
        same(file.metadata().await?.len(), 9)
    }
    seek: |path| {
        let mut file = File::open(&path).await?;
        same(file.seek(io::SeekFrom::End(-1)).await?, 4)?;
        same(file.read_u8().await?, b'o')
    }
    direct: |path| {
        let file = fs::DirectFile::create(&path).await?;
        let mut buf = file.buffer(1 << 20)?;
        buf.append(&vec![9; 1 << 20]);
        file.write_all_at(buf, 0).await.0?;
        same(fs::metadata(&path).await?.len(), 1 << 20)
    }
}

#[test]
fn pipes() {
    check_all(&[
        ("read", read),
        ("read_at", read_at),
        ("readv_at", readv_at),
        ("write", write),
        ("write_at", write_at),
        ("writev_at", writev_at),
        ("read_whole", read_whole),
        ("open_to_read", open_to_read),
        ("open_to_write", open_to_write),
    ]);
}

#[test]
fn quick() {
    // What is in memory takes no time.
    assert!(check_each(QUICK).len() < QUICK.len());
}
