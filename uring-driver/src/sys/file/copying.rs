//! A file's contents and permissions in another file.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::{StdFile, StdOpenOptions};

/// From this length on the room for a copy is made before its contents.
const LONG: u64 = 1 << 20;

/// Copies contents and permissions, inside the kernel where it can. Returns the bytes.
///
/// # Errors
///
/// What the system answers; `InvalidInput` if `from` is no regular file.
pub fn copy(from: &Path, to: &Path) -> io::Result<u64> {
    let mut reader = StdFile::open(from)?;
    let source = reader.metadata()?;
    if !source.is_file() {
        let text = "the source path is neither a regular file nor a symlink to a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let permissions = source.permissions();
    let mut options = StdOpenOptions::new();
    // The mode from the start, so that at no time more may be done with the copy than with the
    // original.
    options.write(true).create(true).truncate(true).mode(permissions.mode());
    let mut writer = options.open(to)?;
    let is_file = writer.metadata()?.is_file();
    if is_file {
        // What the process's mask has taken away.
        writer.set_permissions(permissions)?;
    }
    let reserved = is_file && source.len() >= LONG && reserve(&writer, source.len());
    let copied = io::copy(&mut reader, &mut writer);
    if reserved && copied.as_ref().ok() != Some(&source.len()) {
        // The room that was not needed goes back to the file system. It is the copy that has
        // failed if this fails too, and a copy in full has nothing to give back.
        let there = writer.metadata().and_then(|copy| writer.set_len(copy.len()));
        return copied.and_then(|bytes| there.map(|()| bytes));
    }
    copied
}

/// Makes room for contents of this length, if that pays; the length that the file tells stays.
///
/// ext4 otherwise accounts for each block of a file when it is written, and enters it into a list
/// of blocks to be placed: a third of a long copy's time. The other file systems that people use
/// have no such list, share blocks in the place of copying them, or press what they write, which
/// they give up where room was made.
fn reserve(file: &StdFile, len: u64) -> bool {
    // SAFETY: `struct statfs` is numbers throughout, for which zero is a value.
    let mut system: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open, and the call writes one `struct statfs`.
    let known = unsafe { libc::fstatfs(file.as_raw_fd(), &raw mut system) } == 0;
    if !known || system.f_type != libc::EXT4_SUPER_MAGIC {
        return false;
    }
    let Ok(len) = libc::off_t::try_from(len) else { return false };
    // A length that stays is not held against the process's limit either: no signal is sent.
    // SAFETY: the call takes an open descriptor and numbers.
    unsafe { libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_KEEP_SIZE, 0, len) == 0 }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// Files of these names in a folder of their own, which goes with the test.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("henge-{name}-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _it_is_only_rubbish = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn long_and_short_files_are_whole() {
        let folder = Folder::new("copies");
        let (from, to) = (folder.0.join("from"), folder.0.join("to"));
        for len in [0, 1, LONG - 1, LONG, 3 * LONG + 5] {
            let bytes: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            fs::write(&from, &bytes).unwrap();
            assert_eq!(copy(&from, &to).unwrap(), len);
            assert!(fs::read(&to).unwrap() == bytes);
        }
    }

    #[test]
    fn a_file_onto_itself_gives_its_room_back() {
        let folder = Folder::new("itself");
        let path = folder.0.join("file");
        fs::write(&path, vec![7; 4 << 20]).unwrap();
        // As std's does: what is emptied first has nothing to copy.
        assert_eq!(copy(&path, &path).unwrap(), 0);
        let after = fs::metadata(&path).unwrap();
        assert_eq!(after.len(), 0);
        assert!(after.blocks() * 512 < 1 << 20, "{} blocks are left behind", after.blocks());
    }
}
