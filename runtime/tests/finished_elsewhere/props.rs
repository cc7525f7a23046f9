//! Paths, pipes and comparisons, for all of them.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Event, event};

/// A path of its own, which is removed in the end.
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    pub(crate) fn new() -> Place {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("henge-finished-elsewhere-{}-{number}", std::process::id());
        Place(std::env::temp_dir().join(name))
    }

    pub(crate) fn fifo() -> io::Result<Place> {
        let place = Place::new();
        let made = Command::new("mkfifo").arg(&place.0).status()?.success();
        if made { Ok(place) } else { Err(io::Error::other("no named pipe")) }
    }

    pub(crate) fn file(bytes: &[u8]) -> io::Result<Place> {
        let place = Place::new();
        std::fs::write(&place.0, bytes)?;
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _file = std::fs::remove_file(&self.0);
        let _folder = std::fs::remove_dir(&self.0);
    }
}

pub(crate) fn same<T: PartialEq + std::fmt::Debug>(is: T, ought: T) -> io::Result<()> {
    if is == ought { Ok(()) } else { Err(io::Error::other(format!("{is:?}, not {ought:?}"))) }
}

/// A pipe that takes no more.
pub(crate) fn full_pipe() -> io::Result<(io::PipeReader, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    let writer = OwnedFd::from(writer);
    let file = std::fs::File::from(writer.try_clone()?);
    let room = std::thread::spawn(move || (&file).write_all(&[7; 64 << 10]));
    room.join().expect("no panic")?;
    Ok((reader, writer))
}

/// Reads so many bytes of a pipe.
pub(crate) fn take(mut reader: io::PipeReader, len: usize) -> Event {
    event(move || {
        let mut bytes = vec![0; len];
        reader.read_exact(&mut bytes)?;
        // Whoever writes does so until the end.
        std::mem::forget(reader);
        Ok(())
    })
}
