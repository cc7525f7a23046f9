//! The public surface of a crate, from rustdoc's JSON: paths of items as a user writes them, and
//! what each of them has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What rustdoc wrote of a crate, first, and of those whose items it may show as its own.
pub(crate) struct Docs(pub(crate) Vec<Value>);

/// Items by their path without the crate's name.
#[derive(Default)]
pub(crate) struct Surface {
    /// The parts of each: methods, variants, and the names of the traits that it implements.
    items: BTreeMap<String, BTreeSet<String>>,
    /// Those that are another crate's, which is not looked into, and that crate's name.
    borrowed: BTreeMap<String, String>,
}

impl Surface {
    pub(crate) fn has(&self, item: &str) -> bool {
        self.items.contains_key(item)
    }

    /// Whether the item is what `krate` has by the same name.
    pub(crate) fn borrows(&self, item: &str, krate: &str) -> bool {
        self.borrowed.get(item).is_some_and(|lender| lender == krate)
    }

    /// The items of some modules, and those of no module, by their paths.
    pub(crate) fn items(&self, modules: &[&str]) -> Vec<String> {
        let wanted = |path: &&String| {
            path.split_once("::").is_none_or(|(module, _)| modules.contains(&module))
        };
        self.items.keys().filter(wanted).cloned().collect()
    }

    pub(crate) fn parts(&self, item: &str) -> BTreeSet<String> {
        self.items.get(item).cloned().unwrap_or_default()
    }
}

/// tokio's, of the version in the lock file, with all its features.
pub(crate) fn of_tokio(root: &Path) -> Surface {
    let lock = fs::read_to_string(root.join("Cargo.lock")).expect("a lock file");
    let version = lock
        .split("[[package]]")
        .find(|package| package.contains("name = \"tokio\"\n"))
        .and_then(|package| package.split("version = \"").nth(1)?.split('"').next())
        .expect("tokio is in the lock file");
    // A package that needs all of it: what the workspace itself uses are two features.
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("porting");
    fs::create_dir_all(&scratch).expect("a folder in the target folder");
    let manifest = scratch.join("Cargo.toml");
    fs::write(
        &manifest,
        format!(
            "[package]\nname = \"all-of-tokio\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n\
             [dependencies]\ntokio = {{ version = \"={version}\", features = [\"full\", \
             \"test-util\"] }}\n[workspace]\n"
        ),
    )
    .and_then(|()| fs::write(scratch.join("lib.rs"), ""))
    .expect("a scratch package");
    let docs = Docs(vec![document(&manifest, "tokio", &scratch.join("target"), &[])]);
    docs.surface()
}

/// This crate's, with those whose items it shows as its own.
pub(crate) fn of_henge(root: &Path) -> Surface {
    henge(root).surface()
}

/// What rustdoc wrote of the crates of this repository, this one's first.
pub(crate) fn henge(root: &Path) -> Docs {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("porting-henge");
    let packages = ["henge", "henge-driver", "henge-net", "henge-fs", "henge-macros"];
    // What these crates hide they still show of one another.
    let more = ["--document-hidden-items"];
    let document = |package| document(&root.join("Cargo.toml"), package, &target, &more);
    Docs(packages.map(document).into())
}

fn document(manifest: &Path, package: &str, target: &Path, more: &[&str]) -> Value {
    let status = Command::new(env!("CARGO"))
        .args(["rustdoc", "--quiet", "--lib", "--package", package, "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(target)
        .args(["--", "-Zunstable-options", "--output-format=json", "--cap-lints=allow"])
        .args(more)
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTDOCFLAGS")
        .status()
        .expect("cargo runs");
    assert!(status.success(), "rustdoc failed on {package}");
    let file = target.join("doc").join(package.replace('-', "_")).with_extension("json");
    let text = fs::read(&file).expect("rustdoc wrote its JSON");
    serde_json::from_slice(&text).expect("it is JSON")
}

/// An item: the crate that it is in, by its index, and its id there.
pub(crate) type Place<'a> = (usize, &'a Value);

impl Docs {
    fn surface(&self) -> Surface {
        let mut surface = Surface::default();
        self.children((0, &self.0[0]["root"]), &[], &mut surface, 0);
        surface
    }

    pub(crate) fn item(&self, (krate, id): Place<'_>) -> Option<&Value> {
        self.0[krate]["index"].get(id.to_string())
    }

    /// An item that a crate names, in the crate that has it.
    pub(crate) fn resolve<'a>(&'a self, (krate, id): Place<'a>) -> Option<Place<'a>> {
        if self.item((krate, id)).is_some() {
            return Some((krate, id));
        }
        let path = &self.0[krate]["paths"].get(id.to_string())?["path"];
        self.0.iter().enumerate().find_map(|(krate, docs)| {
            let mut known = docs["paths"].as_object()?.iter();
            let (id, _) = known.find(|(_, item)| item["crate_id"] == 0 && item["path"] == *path)?;
            Some((krate, &docs["index"].get(id)?["id"]))
        })
    }

    /// Puts what a module shows under `path`.
    fn children(&self, module: Place<'_>, path: &[&str], into: &mut Surface, depth: usize) {
        // Modules may show each other.
        if depth > 8 {
            return;
        }
        let Some(item) = self.item(module) else { return };
        for id in list(&item["inner"]["module"]["items"]) {
            let child = (module.0, id);
            if self.item(child).is_some_and(|item| item["visibility"] == "public") {
                self.visit(child, path, None, into, depth);
            }
        }
    }

    fn visit(
        &self,
        place: Place<'_>,
        path: &[&str],
        renamed: Option<&str>,
        into: &mut Surface,
        depth: usize,
    ) {
        let Some(place) = self.resolve(place) else {
            // Of a crate that is not looked into: it is there, and that is all.
            if let Some(name) = renamed {
                let path = join(path, name);
                let known = &self.0[place.0]["paths"][place.1.to_string()]["path"];
                let names: Vec<_> = list(known).filter_map(Value::as_str).collect();
                if let [krate, .., last] = names[..]
                    && last == name
                {
                    into.borrowed.insert(path.clone(), krate.to_owned());
                }
                into.items.entry(path).or_default();
            }
            return;
        };
        let Some(item) = self.item(place) else { return };
        let Some((kind, inner)) = item["inner"].as_object().and_then(|inner| inner.iter().next())
        else {
            return;
        };
        let name = renamed.or_else(|| item["name"].as_str()).unwrap_or_default();
        match kind.as_str() {
            "module" => {
                let path = [path, &[name]].concat();
                self.children(place, &path, into, depth + 1);
            }
            "use" => {
                let target = (place.0, &inner["id"]);
                if inner["is_glob"] == true {
                    if let Some(target) = self.resolve(target) {
                        self.children(target, path, into, depth + 1);
                    }
                } else {
                    self.visit(target, path, inner["name"].as_str(), into, depth);
                }
            }
            _ => {
                let parts = self.parts(place.0, kind, inner);
                into.items.insert(join(path, name), parts);
            }
        }
    }

    fn parts(&self, krate: usize, kind: &str, inner: &Value) -> BTreeSet<String> {
        let mut parts = BTreeSet::new();
        let name = |id| self.item((krate, id)).and_then(|item| item["name"].as_str());
        let public = |id| self.item((krate, id)).is_some_and(|item| item["visibility"] == "public");
        if kind == "trait" {
            parts.extend(list(&inner["items"]).filter_map(name).map(str::to_owned));
        }
        if kind == "enum" {
            parts.extend(list(&inner["variants"]).filter_map(name).map(str::to_owned));
        }
        for id in list(&inner["impls"]) {
            let Some(found) = self.item((krate, id)) else { continue };
            let found = &found["inner"]["impl"];
            match found["trait"]["path"].as_str() {
                None => {
                    let methods = list(&found["items"]).filter(|id| public(id)).filter_map(name);
                    parts.extend(methods.map(str::to_owned));
                }
                Some(path) if found["is_negative"] == false && found["blanket_impl"].is_null() => {
                    parts.insert(path.rsplit("::").next().unwrap_or(path).to_owned());
                }
                Some(_) => {}
            }
        }
        parts
    }
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn join(path: &[&str], name: &str) -> String {
    [path, &[name]].concat().join("::")
}
