//! Who takes part, and how each is built: a package of its own, with its own lock file, so that
//! one that no longer builds is a line that says so and nothing else.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Failure;
use crate::process::Running;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    /// The folder under `compare/contestants`.
    package: &'static str,
    binary: &'static str,
    pub(crate) variant: &'static str,
    pub(crate) takes: Takes,
}

/// Which rows a contestant takes part in, beyond what it says itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Takes {
    /// All but the programs.
    Everything,
    ProgramsOnly,
    EchoOnly,
    /// The echo rows of one connection.
    OneConnection,
    ThreadsOnly,
    /// Files, and `timer-exact`.
    FilesAndSleeps,
    /// The rows of the server of a file.
    ServedFilesOnly,
    /// The reads past the cache.
    DirectReadsOnly,
}

impl Contestant {
    const fn new(name: &'static str, package: &'static str) -> Contestant {
        let takes = Takes::Everything;
        Contestant { name, package, binary: name, variant: "", takes }
    }

    const fn variant(name: &'static str, package: &'static str, variant: &'static str) -> Self {
        Contestant { name, package, binary: package, variant, takes: Takes::EchoOnly }
    }
}

/// The contestant that everybody is put in proportion to.
pub(crate) const BASES: [&str; 2] = ["tokio", "tokio-multi"];

pub(crate) const ALL: [Contestant; 17] = [
    Contestant::new("henge", "henge"),
    // The same server by `recv` and `write_owned`, without a copy.
    Contestant::variant("henge-owned", "henge", "owned"),
    // The same server as `henge`, on a runtime that sleeps at once: the switch for those who share
    // their cores.
    Contestant {
        takes: Takes::OneConnection,
        ..Contestant::variant("henge-no-spin", "henge", "no-spin")
    },
    Contestant::new(BASES[0], "tokio"),
    // The server of a file as programs write it that want no copies.
    Contestant {
        takes: Takes::ServedFilesOnly,
        ..Contestant::variant("tokio-sendfile", "tokio", "sendfile")
    },
    Contestant::new("tokio-multi", "tokio"),
    Contestant::new("monoio", "monoio"),
    Contestant::new("glommio", "glommio"),
    Contestant::new("compio", "compio"),
    Contestant::new("kimojio", "kimojio"),
    // Two floors: which is lower depends on the size.
    Contestant::variant("bare-multishot", "bare", "multishot"),
    Contestant::variant("bare-oneshot", "bare", "oneshot"),
    Contestant { takes: Takes::FilesAndSleeps, ..Contestant::new("bare", "bare") },
    // Not a runtime, and not ours: the rate that everybody else reports of a device.
    Contestant { takes: Takes::DirectReadsOnly, ..Contestant::new("fio", "bare") },
    Contestant { takes: Takes::ThreadsOnly, ..Contestant::new("threads", "threads") },
    // A package of two binaries, which differ in the name of the runtime.
    Contestant { takes: Takes::ProgramsOnly, ..Contestant::new("henge", "programs") },
    Contestant { takes: Takes::ProgramsOnly, ..Contestant::new(BASES[0], "programs") },
];

/// Builds a contestant; the path of its binary.
pub(crate) fn build(contestant: &Contestant, patience: Duration) -> Result<PathBuf, Failure> {
    let package =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("compare/contestants").join(contestant.package);
    if !package.join("Cargo.toml").exists() {
        return Err("there is no such package yet".into());
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--quiet"]);
    if !matches!(contestant.package, "henge" | "programs") {
        // Peers are measured at the versions of their lock files. henge is what this repository
        // holds, and so are its dependencies.
        cargo.arg("--locked");
    }
    cargo.arg("--manifest-path");
    cargo.arg(package.join("Cargo.toml")).arg("--target-dir").arg(package.join("target"));
    cargo.stdin(Stdio::null()).stdout(Stdio::null());
    let mut cargo = Running::start(&mut cargo, None)?;
    match cargo.wait(patience)? {
        Some(status) if status.success() => {
            Ok(package.join("target/release").join(contestant.binary))
        }
        Some(_) => Err("does not build".into()),
        None => Err("did not build in time".into()),
    }
}
