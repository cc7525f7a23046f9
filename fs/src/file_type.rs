//! std's types of files for the kinds that a folder tells.
//!
//! std makes a `FileType` only of what it has asked of a file. Two files of one kind have equal
//! ones, so the first of each kind is asked for all that come after it.

use std::os::unix::fs::FileTypeExt;
use std::sync::OnceLock;

use henge_driver::sys::file::{FileType, Kind};

static KNOWN: [OnceLock<FileType>; 7] = [const { OnceLock::new() }; 7];

fn place(kind: Kind) -> Option<&'static OnceLock<FileType>> {
    let n = match kind {
        Kind::File => 0,
        Kind::Folder => 1,
        Kind::Symlink => 2,
        Kind::Fifo => 3,
        Kind::Socket => 4,
        Kind::BlockDevice => 5,
        Kind::CharDevice => 6,
        Kind::Other => return None,
    };
    KNOWN.get(n)
}

fn kind(of: FileType) -> Kind {
    match of {
        of if of.is_file() => Kind::File,
        of if of.is_dir() => Kind::Folder,
        of if of.is_symlink() => Kind::Symlink,
        of if of.is_fifo() => Kind::Fifo,
        of if of.is_socket() => Kind::Socket,
        of if of.is_block_device() => Kind::BlockDevice,
        of if of.is_char_device() => Kind::CharDevice,
        _ => Kind::Other,
    }
}

/// The type of a file of this kind, if one was asked.
pub(crate) fn known(kind: Kind) -> Option<FileType> {
    place(kind)?.get().copied()
}

/// A file was asked, and is of this type.
pub(crate) fn learn(file_type: FileType) {
    if let Some(place) = place(kind(file_type)) {
        // Whoever was faster has learned the same.
        _ = place.set(file_type);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;

    use super::*;

    #[test]
    fn what_one_file_has_told_is_true_of_all_of_its_kind() {
        let of = |path| fs::symlink_metadata(path).unwrap().file_type();
        for (path, other) in [
            ("/", "/dev"),
            ("/dev/null", "/dev/zero"),
            ("/proc/self", "/proc/self/exe"),
            ("/proc/self/stat", "/proc/self/status"),
        ] {
            learn(of(path));
            let told = known(kind(of(other))).expect("it was learned");
            assert_eq!(told, of(other));
            assert_eq!(HashSet::from([told, of(other)]).len(), 1, "they are hashed alike");
        }
        assert_eq!(known(Kind::Folder), Some(of("/")));
        assert_eq!(known(Kind::Other), None);
    }
}
