//! Calls on names of files, and folders.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::common::{Place, kind, run};
use henge_fs::{DirBuilder, File, FileTimes, OpenOptions};

#[test]
fn names_are_given_and_taken() {
    let place = Place::folder();
    run(async {
        let (one, two) = (place.join("one"), place.join("two"));
        henge_fs::write(&one, "contents").await?;
        henge_fs::rename(&one, &two).await?;
        assert!(!henge_fs::try_exists(&one).await?);
        henge_fs::hard_link(&two, &one).await?;
        assert_eq!(henge_fs::metadata(&one).await?.nlink(), 2);
        let link = place.join("link");
        henge_fs::symlink("two", &link).await?;
        assert_eq!(henge_fs::read_link(&link).await?, Path::new("two"));
        assert_eq!(henge_fs::read_to_string(&link).await?, "contents");
        assert!(henge_fs::symlink_metadata(&link).await?.is_symlink());
        assert!(henge_fs::symlink_metadata(&link).await?.file_type().is_symlink());
        assert!(henge_fs::metadata(&link).await?.is_file());
        assert_eq!(henge_fs::canonicalize(&link).await?, two.canonicalize()?);
        henge_fs::remove_file(&two).await?;
        assert!(!henge_fs::try_exists(&link).await?, "it leads nowhere");
        assert!(henge_fs::symlink_metadata(&link).await.is_ok());
        henge_fs::remove_file(&link).await?;
        henge_fs::remove_file(&one).await
    });
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
}

#[test]
fn errors_are_those_of_the_system() {
    let place = Place::folder();
    let none = place.join("none");
    assert_eq!(kind(henge_fs::metadata(&none)), ErrorKind::NotFound);
    assert_eq!(kind(henge_fs::rename(&none, &place)), ErrorKind::NotFound);
    assert_eq!(kind(henge_fs::remove_file(&none)), ErrorKind::NotFound);
    assert_eq!(kind(henge_fs::read_link(&place)), ErrorKind::InvalidInput);
    assert_eq!(kind(henge_fs::remove_dir(place.join("none"))), ErrorKind::NotFound);
    assert_eq!(kind(henge_fs::create_dir(&place)), ErrorKind::AlreadyExists);
    assert_eq!(kind(henge_fs::read_dir(&none)), ErrorKind::NotFound);
    assert_eq!(kind(henge_fs::copy(&none, &place)), ErrorKind::NotFound);
    assert_eq!(kind(henge_fs::metadata("a\0b")), ErrorKind::InvalidInput);
    assert_eq!(kind(henge_fs::try_exists("a\0b")), ErrorKind::InvalidInput);
    let file = place.join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(kind(henge_fs::remove_dir(&place)), ErrorKind::DirectoryNotEmpty);
    assert_eq!(kind(henge_fs::metadata(file.join("under"))), ErrorKind::NotADirectory);
    assert_eq!(kind(henge_fs::read_dir(&file)), ErrorKind::NotADirectory);
    assert_eq!(kind(File::create_new(&file)), ErrorKind::AlreadyExists);
}

#[test]
fn folders_are_made_with_those_on_the_way() {
    let place = Place::folder();
    run(async {
        let deep = place.join("a/b/c/d");
        assert_eq!(henge_fs::create_dir(&deep).await.unwrap_err().kind(), ErrorKind::NotFound);
        henge_fs::create_dir_all(&deep).await?;
        henge_fs::create_dir_all(&deep).await?;
        henge_fs::create_dir_all("").await?;
        henge_fs::create_dir_all("/").await?;
        DirBuilder::new().recursive(true).mode(0o700).create(place.join("x/y")).await?;
        for made in ["x", "x/y"] {
            let mode = henge_fs::metadata(place.join(made)).await?.permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        fs::write(place.join("file"), "")?;
        let under = henge_fs::create_dir_all(place.join("file/x")).await.unwrap_err();
        assert_eq!(under.kind(), ErrorKind::NotADirectory);
        let there = henge_fs::create_dir_all(place.join("file")).await.unwrap_err();
        assert_eq!(there.kind(), ErrorKind::AlreadyExists);
        henge_fs::remove_dir(&deep).await?;
        henge_fs::remove_dir_all(place.join("a")).await
    });
    assert!(!place.join("a").exists());
}

/// More entries than are read at a time.
#[test]
fn a_folder_is_read_whole() {
    let place = Place::folder();
    for n in 0..3_000 {
        fs::write(place.join(format!("a file of a rather long name, number {n}")), "").unwrap();
    }
    fs::create_dir(place.join("folder")).unwrap();
    std::os::unix::fs::symlink("nowhere", place.join("link")).unwrap();
    let std: BTreeMap<_, _> = fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name(), (entry.path(), entry.metadata().unwrap().ino())))
        .collect();
    let ours = run(async {
        let mut entries = henge_fs::read_dir(&place).await?;
        let mut ours = BTreeMap::new();
        while let Some(entry) = entries.next_entry().await? {
            let metadata = entry.metadata().await?;
            assert_eq!(metadata.file_type(), entry.file_type().await?);
            assert_eq!(metadata.ino(), entry.ino());
            assert_eq!(entry.file_name() == "folder", metadata.is_dir());
            assert_eq!(entry.file_name() == "link", metadata.is_symlink());
            ours.insert(entry.file_name(), (entry.path(), entry.ino()));
        }
        assert!(entries.next_entry().await?.is_none(), "for good");
        Ok(ours)
    });
    assert_eq!(ours, std);
}

#[test]
fn a_folder_that_is_moved_or_removed_while_it_is_read() {
    let place = Place::folder();
    let (before, after) = (place.join("before"), place.join("after"));
    fs::create_dir(&before).unwrap();
    fs::write(before.join("file"), "12345").unwrap();
    run(async {
        let mut entries = henge_fs::read_dir(&before).await?;
        let entry = entries.next_entry().await?.unwrap();
        henge_fs::rename(&before, &after).await?;
        assert_eq!(entry.metadata().await?.len(), 5);
        henge_fs::remove_dir_all(&after).await?;
        assert_eq!(entry.metadata().await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(entries.next_entry().await?.is_none());
        Ok(())
    });
}

#[test]
fn permissions_and_times_are_set() {
    let place = Place::file("12345");
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    run(async {
        henge_fs::set_permissions(&place, PermissionsExt::from_mode(0o600)).await?;
        assert_eq!(henge_fs::metadata(&place).await?.permissions().mode() & 0o777, 0o600);
        let file = OpenOptions::new().write(true).open(&place).await?;
        file.set_permissions(PermissionsExt::from_mode(0o444)).await?;
        assert!(file.metadata().await?.permissions().readonly());
        file.set_times(FileTimes::new().set_accessed(then)).await?;
        file.set_modified(then + Duration::from_nanos(7)).await?;
        let metadata = file.metadata().await?;
        assert_eq!(metadata.accessed()?, then);
        assert_eq!(metadata.modified()?, then + Duration::from_nanos(7));
        assert_eq!((metadata.atime(), metadata.mtime_nsec()), (1_000_000_000, 7));
        Ok(())
    });
}

#[test]
fn a_copy_has_contents_and_permissions() {
    let place = Place::folder();
    let (from, to) = (place.join("from"), place.join("to"));
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 253) as u8).collect();
    fs::write(&from, &bytes).unwrap();
    fs::set_permissions(&from, PermissionsExt::from_mode(0o640)).unwrap();
    fs::write(&to, vec![0; 2_000_000]).unwrap();
    assert_eq!(run(henge_fs::copy(&from, &to)), 1_000_000);
    assert!(fs::read(&to).unwrap() == bytes);
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(kind(henge_fs::copy(&place, &to)), ErrorKind::InvalidInput);
}

#[test]
fn options_of_std_are_opened_with() {
    let place = Place::new();
    let mut std = fs::File::options();
    std.write(true).create(true);
    let mut options = OpenOptions::from(std);
    run(async { options.open(&place).await.map(drop) });
    // What is set afterwards counts too.
    options.create_new(true);
    assert_eq!(kind(options.open(&place)), ErrorKind::AlreadyExists);
}

fn make_pipe(place: &Place) {
    let made = std::process::Command::new("mkfifo").arg(&place.0).status().unwrap();
    assert!(made.success());
}

#[test]
fn a_named_pipe_waits_for_its_other_end() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    for _ in 0..20 {
        let place = Place::new();
        make_pipe(&place);
        let path = place.0.clone();
        // Comes and goes as fast as it can.
        let writer = std::thread::spawn(move || fs::write(path, "hello").unwrap());
        let got = run(async {
            let mut text = String::new();
            File::open(&place).await?.read_to_string(&mut text).await?;
            Ok(text)
        });
        assert_eq!(got, "hello");
        writer.join().unwrap();
        // Another one: a child that another test starts has a copy of what was open, until it runs
        // its program, and a writer would take that for its reader.
        let place = Place::new();
        make_pipe(&place);
        let path = place.0.clone();
        let reader = std::thread::spawn(move || fs::read(path).unwrap());
        run(async {
            let mut file = OpenOptions::new().write(true).open(&place).await?;
            file.write_all(b"back").await?;
            file.shutdown().await
        });
        assert_eq!(reader.join().unwrap(), b"back");
    }
}

#[test]
fn futures_are_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    drop(send(henge_fs::metadata("x")));
    drop(send(henge_fs::rename("x", "y")));
    drop(send(henge_fs::create_dir_all("x")));
    drop(send(henge_fs::read_dir("x")));
    fn of_a_folder(folder: &mut henge_fs::ReadDir, entry: &henge_fs::DirEntry) {
        drop(send(folder.next_entry()));
        drop(send(entry.metadata()));
    }
    let _compiles: fn(&mut henge_fs::ReadDir, &henge_fs::DirEntry) = of_a_folder;
}

#[test]
fn what_is_told_of_files_is_stds() {
    let place = Place::folder();
    fs::write(place.join("file"), "contents").unwrap();
    fs::create_dir(place.join("folder")).unwrap();
    std::os::unix::fs::symlink("file", place.join("link")).unwrap();
    let wanted: BTreeMap<_, _> = fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name(), entry.file_type().unwrap()))
        .collect();
    run(async {
        // Twice: what is known of a kind by then is told without asking.
        for _ in 0..2 {
            let mut told = BTreeMap::new();
            let mut entries = henge_fs::read_dir(&place).await?;
            while let Some(entry) = entries.next_entry().await? {
                let metadata: fs::Metadata = entry.metadata().await?;
                let file_type: fs::FileType = entry.file_type().await?;
                assert_eq!(metadata.file_type(), file_type);
                told.insert(entry.file_name(), file_type);
            }
            assert_eq!(told, wanted);
        }
        Ok(())
    });
}
