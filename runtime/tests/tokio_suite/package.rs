//! A scratch package in the target folder whose tests are tokio's, renamed. Nothing of their text
//! becomes part of the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::table::{Row, Verdict};
use crate::{cut, rename, stealing};

/// The files of one subject are one binary: it is linked once, and each has a module.
const SUBJECTS: [(&str, &[&str]); 11] = [
    ("sync", &["sync"]),
    ("time", &["time", "test", "macros"]),
    ("task", &["task", "coop", "join"]),
    ("runtime", &["", "rt", "no", "unwindsafe", "async", "dump", "tracing"]),
    ("io", &["io", "duplex", "buffered"]),
    ("net", &["net", "tcp", "udp"]),
    ("unix", &["uds", "unix"]),
    ("fs", &["fs"]),
    ("process", &["process", "signal"]),
    (UTIL, &[]),
    (STEALING, &[]),
];

/// The subject of tests that are read a second time: as programs that let their tasks be stolen.
const STEALING: &str = "stealing";

/// The subject of tokio-util's tests, and those of its files that are about what is here.
const UTIL: &str = "util";
const UTIL_FILES: [&str; 12] = [
    "abort_on_drop",
    "future",
    "mpsc",
    "panic",
    "poll_semaphore",
    "reusable_box",
    "spawn_pinned",
    "sync_cancellation_token",
    "task_join_map",
    "task_join_queue",
    "task_tracker",
    "time_delay_queue",
];
/// Those that are about what is not here: codecs, adapters of I/O traits, a future's own context.
const UTIL_ELSEWHERE: [&str; 18] = [
    "_require_full",
    "codecs",
    "compat",
    "context",
    "framed",
    "framed_read",
    "framed_stream",
    "framed_write",
    "io_inspect",
    "io_read_arc",
    "io_reader_stream",
    "io_simplex",
    "io_sink_writer",
    "io_stream_reader",
    "io_sync_bridge",
    "io_write_all_vectored",
    "length_delimited",
    "udp",
];

/// What these tests depend on, beside tokio.
const DEPENDENCIES: &str = r#"
bytes = "1"
futures = "0.3"
futures-test = "0.3"
libc = "0.2"
nix = { version = "0.31", default-features = false, features = ["fs", "socket"] }
parking_lot = "0.12"
pin-project-lite = "0.2"
rand = "0.9"
socket2 = "0.6"
tempfile = "3"
tokio-stream = "0.1"
tokio-test = "0.4"
tokio-util = { version = "=0.7.20", features = ["io-util", "rt"] }
"#;

/// The features that these tests ask for.
const FEATURES: [&str; 13] = [
    "full",
    "fs",
    "io-util",
    "io-std",
    "join-map",
    "macros",
    "net",
    "process",
    "rt",
    "rt-multi-thread",
    "signal",
    "sync",
    "time",
];

/// A test binary, and the folder that its tests run in.
#[derive(Debug)]
pub(crate) struct Binary {
    pub(crate) path: PathBuf,
    pub(crate) folder: PathBuf,
}

/// Writes the package and builds its tests.
pub(crate) fn build(root: &Path, rows: &[Row]) -> Vec<Binary> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tokio-suite");
    let package = scratch.join("package");
    if package.exists() {
        fs::remove_dir_all(&package).expect("a folder of ours");
    }
    fs::create_dir_all(package.join("src")).expect("a folder in the target folder");
    let put = |name: &str, text: &str| {
        let file = package.join(name);
        fs::create_dir_all(file.parent().expect("it is inside")).expect("a folder");
        fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    };
    put("Cargo.toml", &manifest(root));
    put("src/lib.rs", "");
    // The same versions as everywhere here, tokio's first of all.
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).expect("a lock file");
    let [sources, of_util] = sources(&package);
    let mut subjects: BTreeMap<&str, String> = BTreeMap::new();
    let tokios = files(&sources).into_iter().map(|(name, text)| (subject(&name), name, text));
    let utils = files(&of_util).into_iter().filter_map(|(name, text)| {
        let here = UTIL_FILES.contains(&name.as_str());
        assert!(here || UTIL_ELSEWHERE.contains(&name.as_str()), "{name}.rs is of no known kind");
        here.then_some((UTIL, name, text))
    });
    for (subject, name, text) in tokios.chain(utils) {
        let of_file = || rows.iter().filter(|row| row.file == name);
        let mut out = of_file().filter(|row| row.verdict == Verdict::LeftOut);
        if out.clone().any(|row| row.test == "*") {
            continue;
        }
        let cut = |text: String, row: &Row| cut::without(&text, row.function());
        let text = out.by_ref().fold(rename::renamed(&text), cut);
        let mut write = |subject: &'static str, name: &str, text: &str| {
            // Each has its own copy of what it includes.
            if text.contains("mod support") {
                for (name_of, text) in files(&sources.join("support")) {
                    let path = format!("tests/{subject}/{name}/support/{name_of}.rs");
                    put(&path, &rename::renamed(&text));
                }
            }
            put(&format!("tests/{subject}/{name}.rs"), text);
            *subjects.entry(subject).or_default() += &format!("mod {name};\n");
        };
        write(subject, &name, &text);
        if stealing::FILES.contains(&name.as_str()) {
            write(STEALING, &format!("{STEALING}_{name}"), &stealing::read(&text));
        }
    }
    *subjects.entry(STEALING).or_default() += stealing::SPAWN;
    for (subject, modules) in &subjects {
        put(&format!("tests/{subject}/main.rs"), modules);
    }
    let messages = cargo(&package, &["test", "--no-run", "--message-format=json"], &scratch);
    let binaries = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_test = message["target"]["kind"][0] == "test";
        let path = message["executable"].as_str().filter(|_| is_test)?.into();
        Some(Binary { path, folder: package.clone() })
    });
    let binaries: Vec<_> = binaries.collect();
    assert_eq!(binaries.len(), SUBJECTS.len(), "a binary for each subject");
    binaries
}

fn manifest(root: &Path) -> String {
    let features = FEATURES.map(|name| format!("{name} = []\n")).concat();
    // A test reads this file and looks for an address.
    format!(
        "[package]\nname = \"tokio-suite\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
         homepage = \"https://tokio.rs\"\n[lib]\ntest = false\ndoctest = false\n\
         [features]\ndefault = {FEATURES:?}\n{features}\
         [dependencies]\nhenge = {{ path = {:?} }}\n[dev-dependencies]{DEPENDENCIES}\
         [profile.dev]\ndebug = 0\nincremental = false\n[workspace]\n",
        root.join("runtime")
    )
}

/// The folders of tokio's and tokio-util's tests, where cargo has unpacked them.
fn sources(package: &Path) -> [PathBuf; 2] {
    let text = cargo(package, &["metadata", "--format-version=1"], package);
    let metadata: Value = serde_json::from_str(&text).expect("it is JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    ["tokio", "tokio-util"].map(|name| {
        let package = packages.iter().find(|package| package["name"] == name).expect("it is one");
        Path::new(package["manifest_path"].as_str().expect("a path")).with_file_name("tests")
    })
}

/// The Rust files of a folder by their names, in order.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("tokio publishes its tests");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let rust = paths.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    rust.map(|path| {
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("text"))
    })
    .collect()
}

/// The subject of a file of tokio's. One of an unknown kind is an error: it would not be run.
fn subject(file: &str) -> &'static str {
    let first = file.split('_').next().unwrap_or(file);
    let subject = SUBJECTS.iter().find(|(_, words)| words.contains(&first));
    subject.unwrap_or_else(|| panic!("{file}.rs is of no known kind")).0
}

fn cargo(package: &Path, arguments: &[&str], scratch: &Path) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(package)
        .env("CARGO_TARGET_DIR", scratch.join("target"))
        // Somebody else's code: its warnings are not for us.
        .env("RUSTFLAGS", "--cap-lints=allow")
        .stderr(std::process::Stdio::inherit())
        .output()
        .expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("cargo writes text");
    if !output.status.success() {
        for line in text.lines() {
            let message: Value = serde_json::from_str(line).unwrap_or_default();
            print!("{}", message["message"]["rendered"].as_str().unwrap_or_default());
        }
        panic!("cargo {arguments:?} failed");
    }
    text
}
