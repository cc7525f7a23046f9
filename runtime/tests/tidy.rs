//! Style as a test: what the compiler and clippy cannot say about this repository.
//!
//! Each rule is a function from the source files to complaints; the test of the same name fails
//! with all of them at once, each with its file, its line and what to do instead. A rule that is
//! too strict for one place names that place here, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates whose sources are the library: name, folder, and the crates they may use.
const CRATES: [(&str, &str, &[&str]); 5] = [
    ("henge_driver", "uring-driver", &[]),
    ("henge_net", "net", &["henge_driver"]),
    ("henge_fs", "fs", &["henge_driver"]),
    ("henge_macros", "runtime/macros", &[]),
    ("henge", "runtime", &["henge_driver", "henge_net", "henge_fs", "henge_macros"]),
];

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines before the file's unit tests, numbered from one.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self
            .text
            .lines()
            .position(|line| line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test"))
            .unwrap_or(usize::MAX);
        self.text.lines().enumerate().take(tests).map(|(i, line)| (i + 1, line))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository")
}

fn collect(folder: &Path, root: &Path, into: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, root, into);
            }
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("a source file is UTF-8");
            let path = path.strip_prefix(root).expect("inside the repository");
            into.push(Source { path: path.to_string_lossy().into_owned(), text });
        }
    }
}

/// Every Rust file of the repository.
fn everything() -> Vec<Source> {
    let root = root();
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    assert!(sources.len() > 5, "the walk found only {} files", sources.len());
    sources
}

/// The library's own source files, tests and benches left out.
fn library() -> Vec<Source> {
    let root = root();
    let mut sources = Vec::new();
    for (_, folder, _) in CRATES {
        collect(&root.join(folder).join("src"), &root, &mut sources);
    }
    sources.retain(|source| !is_test(&source.path));
    assert!(sources.len() > 4, "the walk found only {} files", sources.len());
    sources
}

/// A module of unit tests in a file or a folder of its own.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
        || path.contains("/src/") && path.contains("/tests/")
}

fn report(rule: &str, complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{rule}:\n{}", complaints.join("\n"));
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

#[test]
fn lines_fit_100_columns() {
    let mut complaints = Vec::new();
    for source in everything() {
        for (i, line) in source.text.lines().enumerate() {
            // A link cannot be wrapped.
            if line.chars().count() > 100 && !line.contains("https://") {
                complaints.push(format!("{}:{}", source.path, i + 1));
            }
        }
    }
    report("wrap these lines", complaints);
}

#[test]
fn every_file_opens_with_a_sentence() {
    let complaints = everything()
        .into_iter()
        // What the compiler's messages are compared with is quoted to the letter.
        .filter(|source| !source.path.contains("/tests/ui/"))
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path)
        .collect();
    report("open each file with `//!` and what it is", complaints);
}

#[test]
fn no_leftovers() {
    let words = [
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("TO", "DO"),
        concat!("todo", "!("),
        concat!("dbg", "!("),
        concat!("unimplemented", "!("),
        concat!("allow(", "dead_code"),
        concat!("allow(", "unused"),
    ];
    let mut complaints = Vec::new();
    for source in everything() {
        for (i, line) in source.text.lines().enumerate() {
            for word in words {
                if line.contains(word) {
                    complaints.push(format!("{}:{}: {word}", source.path, i + 1));
                }
            }
        }
    }
    report("finish it, or write down in docs/ why it does not exist", complaints);
}

#[test]
fn no_glob_reexports() {
    let mut complaints = Vec::new();
    for source in library() {
        for (i, line) in source.code() {
            let line = line.trim();
            if line.starts_with("pub") && line.contains(" use ") && line.ends_with("::*;") {
                complaints.push(format!("{}:{i}", source.path));
            }
        }
    }
    report("name what is re-exported: a reader greps for it", complaints);
}

#[test]
fn orderings_are_explained() {
    let strong = ["Ordering::Acquire", "Ordering::Release", "Ordering::AcqRel", "Ordering::SeqCst"];
    let mut complaints = Vec::new();
    for source in library() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (i, line) in source.code() {
            if is_comment(line) || !strong.iter().any(|word| line.contains(word)) {
                continue;
            }
            let nearby = &lines[i.saturating_sub(9)..i];
            if !nearby.iter().any(|line| line.contains("// ")) {
                complaints.push(format!("{}:{i}", source.path));
            }
        }
    }
    report("say with what this ordering pairs, in a comment just above", complaints);
}

/// The two files of the seam are the only ones that speak to the kernel: a simulated kernel takes
/// their place, so a call that goes past them would escape it.
#[test]
fn only_the_seam_calls_the_system() {
    let in_ring = |path: &str| {
        path == "uring-driver/src/ring.rs" || path.starts_with("uring-driver/src/ring/")
    };
    let in_sys =
        |path: &str| path == "uring-driver/src/sys.rs" || path.starts_with("uring-driver/src/sys/");
    let banned = [
        ("libc::", "a function of henge_driver::sys"),
        ("socket2::", "a function of henge_driver::sys"),
        ("core::arch::", "a function of henge_driver::sys"),
        ("thread::Builder", "henge_driver::sys::thread"),
        ("thread::spawn", "henge_driver::sys::thread"),
        ("Instant::now()", "henge_driver::sys::clock::now"),
        ("SystemTime::now", "a function of henge_driver::sys"),
        ("std::fs::", "an operation, or henge_driver::sys through the blocking pool"),
        ("std::process::", "a function of henge_driver::sys"),
    ];
    // `henge::time::Instant::now` is the user's clock, and itself asks the seam; `henge::thread`
    // wraps the seam's thread starts; `process::abort` has no effect that could be simulated.
    let allowed = |path: &str, line: &str| {
        line.contains("sys::thread")
            || line.contains("process::abort")
            || path.starts_with("runtime/src/time/") && line.contains("Instant::now()")
            || path.starts_with("runtime/macros/")
    };
    let mut complaints = Vec::new();
    for source in library() {
        for (i, line) in source.code() {
            if is_comment(line) {
                continue;
            }
            if line.contains("io_uring::") && !in_ring(&source.path) {
                complaints.push(format!("{}:{i}: io_uring:: belongs to ring.rs", source.path));
            }
            if in_sys(&source.path) || in_ring(&source.path) || allowed(&source.path, line) {
                continue;
            }
            for (word, instead) in banned {
                if line.contains(word) {
                    complaints.push(format!("{}:{i}: {word} — use {instead}", source.path));
                }
            }
        }
    }
    report("past the seam", complaints);
}

#[test]
fn async_functions_state_their_cancel_safety() {
    let mut complaints = Vec::new();
    for source in library() {
        let mut docs: Vec<&str> = Vec::new();
        for (i, line) in source.code() {
            let line = line.trim_start();
            if line.starts_with("///") {
                docs.push(line);
            } else if line.starts_with("#[") || line.starts_with("//") {
                // Between the documentation and its item.
            } else {
                let stated = docs.iter().any(|doc| doc.contains("# Cancel safety"));
                if line.starts_with("pub async fn") && !stated {
                    complaints.push(format!("{}:{i}: {line}", source.path));
                }
                docs.clear();
            }
        }
    }
    report("what is lost when the future is dropped? Say it under `# Cancel safety`", complaints);
}

/// The folders whose manifests name what the repository depends on.
const PACKAGES: [&str; 7] =
    ["uring-driver", "net", "fs", "runtime", "runtime/macros", "benches", "examples"];

/// The keys of a manifest's tables of dependencies, but for packages of this repository.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if inside && line.starts_with(|c: char| c.is_ascii_lowercase()) {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            if name != "henge" && !name.starts_with("henge-") {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

#[test]
fn every_dependency_has_a_reason() {
    let mut pages = String::new();
    for page in fs::read_dir(root().join("docs/decisions")).expect("the decisions") {
        let path = page.expect("a folder entry").path();
        pages += &fs::read_to_string(path).expect("a page");
    }
    let mut complaints = Vec::new();
    for package in PACKAGES {
        let path = root().join(package).join("Cargo.toml");
        let manifest = fs::read_to_string(path).expect("every package has a manifest");
        let names = dependencies(&manifest);
        assert!(!names.is_empty(), "{package} depends on nothing?");
        for name in names.iter().filter(|name| !pages.contains(&format!("`{name}`"))) {
            complaints.push(format!("{package}: {name}"));
        }
    }
    report("say in docs/decisions why the repository depends on these", complaints);
}

/// A program in the prose that nobody compiles goes wrong.
#[test]
fn every_chapter_is_tested() {
    let tested = fs::read_to_string(root().join("examples/prose.rs")).expect("the list");
    let chapters = fs::read_dir(root().join("docs/guide")).expect("the guide");
    let names = chapters.map(|entry| entry.expect("a folder entry").file_name());
    let complaints = names
        .map(|name| format!("docs/guide/{}", name.to_string_lossy()))
        .filter(|path| path.ends_with(".md") && !tested.contains(path.as_str()))
        .collect();
    report("name these chapters in examples/prose.rs", complaints);
}

#[test]
fn files_have_one_noun() {
    let limit = 650;
    let complaints = library()
        .into_iter()
        // Documentation is not what makes a file hard to hold in mind.
        .map(|source| (source.code().filter(|(_, line)| !is_comment(line)).count(), source.path))
        .filter(|(lines, _)| *lines > limit)
        .map(|(lines, path)| format!("{path}: {lines} lines of code"))
        .collect();
    report("look for the second noun inside", complaints);
}

#[test]
fn crates_use_only_the_crates_below_them() {
    let mut complaints = Vec::new();
    let names: BTreeSet<&str> = CRATES.iter().map(|(name, _, _)| *name).collect();
    for (name, folder, allowed) in CRATES {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml"))
            .expect("every crate has a manifest");
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for line in dependencies.lines() {
            let key = line.split(['.', '=', ' ']).next().unwrap_or_default().replace('-', "_");
            if names.contains(&*key) && !allowed.contains(&&*key) {
                complaints.push(format!("{name} may not use {key}"));
            }
        }
    }
    report("an arrow against the direction of docs/architecture.md", complaints);
}

/// The top-level modules of a crate and which of their siblings each uses.
fn module_arrows(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let prefix = format!("{folder}/src/");
    let mut sources = Vec::new();
    collect(&root().join(folder).join("src"), &root(), &mut sources);
    sources.retain(|source| !is_test(&source.path));
    let module = |path: &str| {
        let inside = path.strip_prefix(&prefix).expect("inside the crate");
        inside.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
    };
    let names: BTreeSet<String> = sources.iter().map(|source| module(&source.path)).collect();
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in &sources {
        let from = module(&source.path);
        // `lib.rs` is the cover page: it names everything and nothing names it.
        if from == "lib" {
            continue;
        }
        for (_, line) in source.code() {
            if is_comment(line) {
                continue;
            }
            let mut rest = line;
            while let Some(at) = rest.find("crate::") {
                let own = at == 0 || !rest.as_bytes()[at - 1].is_ascii_alphanumeric();
                let dollar = at > 0 && rest.as_bytes()[at - 1] == b'$';
                rest = &rest[at + "crate::".len()..];
                let heads: Vec<&str> = match rest.strip_prefix('{') {
                    Some(list) => list.split('}').next().unwrap_or_default().split(',').collect(),
                    None => vec![rest],
                };
                for head in heads {
                    let to: String = head
                        .trim()
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect();
                    if own && !dollar && names.contains(&to) && to != from {
                        arrows.entry(from.clone()).or_default().insert(to);
                    }
                }
            }
        }
    }
    arrows
}

/// The pairs of modules that use each other today, each with why. The list may only shrink: a new
/// pair fails the test, and so does one that stands here and is no more.
const KNOWN_CYCLES: [(&str, &str, &str, &str); 3] = [
    ("henge_driver", "cell", "driver", "the driver runs erased cells, which submit themselves"),
    ("henge_driver", "driver", "pool", "the pool makes itself when it is first asked"),
    ("henge_driver", "driver", "remote", "what is posted runs with the driver"),
];

/// The modules of the driver that use each other over any number of others. What these three pairs
/// tie is tied here: a cell and a buffer of the pool that go away look for the thread's driver,
/// which is made of them. The list may only shrink, and no other crate has one.
const KNOWN_CIRCLE: [&str; 5] = ["cell", "current", "driver", "pool", "remote"];

/// The modules that a module uses over any number of others.
fn reached<'a>(from: &str, arrows: &'a BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<_> = arrows.get(from).into_iter().flatten().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(arrows.get(module).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn no_module_reaches_itself() {
    let mut complaints = Vec::new();
    for (name, folder, _) in CRATES {
        let arrows = module_arrows(folder);
        let circle: BTreeSet<&str> = arrows
            .keys()
            .filter(|module| reached(module, &arrows).contains(module))
            .map(String::as_str)
            .collect();
        let known: BTreeSet<&str> = match name {
            "henge_driver" => KNOWN_CIRCLE.into(),
            _ => BTreeSet::new(),
        };
        let new = circle.difference(&known).map(|module| format!("new in {name}: {module}"));
        let gone = known.difference(&circle).map(|module| format!("gone from {name}: {module}"));
        complaints.extend(new.chain(gone));
    }
    report("break the circle, or take them off the list", complaints);
}

#[test]
fn modules_have_no_unknown_cycles() {
    let mut found = BTreeSet::new();
    for (name, folder, _) in CRATES {
        let arrows = module_arrows(folder);
        for (from, targets) in &arrows {
            for to in targets {
                if from < to && arrows.get(to).is_some_and(|back| back.contains(from)) {
                    found.insert((name.to_owned(), from.clone(), to.clone()));
                }
            }
        }
    }
    let known: BTreeSet<_> = KNOWN_CYCLES
        .iter()
        .map(|(name, a, b, _)| ((*name).to_owned(), (*a).to_owned(), (*b).to_owned()))
        .collect();
    let new = found.difference(&known).map(|(name, a, b)| format!("new in {name}: {a} and {b}"));
    let gone = known.difference(&found).map(|(name, a, b)| format!("gone from {name}: {a}, {b}"));
    report("break the cycle, or take it off the list", new.chain(gone).collect());
}

/// The map of `docs/architecture.md`: whatever it names is there, and no room of the driver or of
/// the runtime is missing from it.
#[test]
fn the_map_is_of_this_tree() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).expect("the map");
    let mut complaints = Vec::new();
    for (heading, folder) in [("The driver", "uring-driver"), ("The runtime", "runtime")] {
        let mut sections = text.split("\n## ");
        let section = sections.find(|section| section.starts_with(heading)).expect("a section");
        let rooms: BTreeSet<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split(" | ").next())
            .flat_map(|cell| cell.split('`').step_by(2))
            .map(|room| room.trim_end_matches('/'))
            .collect();
        assert!(rooms.len() > 10, "a table of rooms");
        let source = root().join(folder).join("src");
        for room in &rooms {
            if !source.join(room).is_dir() && !source.join(room).with_extension("rs").is_file() {
                complaints.push(format!("{folder} has no `{room}`"));
            }
        }
        for entry in fs::read_dir(&source).expect("a crate") {
            let name = entry.expect("a folder entry").file_name();
            let name = name.to_string_lossy();
            let module = name.trim_end_matches(".rs");
            let on_it = rooms.iter().any(|room| room.split('/').next() == Some(module));
            if module != "lib" && !on_it {
                complaints.push(format!("{folder}'s `{module}` is not on it"));
            }
        }
    }
    report("the map of docs/architecture.md is wrong", complaints);
}
