//! Every public item has an example, and nothing that is shown links to what is not.
//!
//! What counts are functions, methods, types, traits, constants and macros that a user can name,
//! by whatever path, unless they are hidden: what `henge-driver` has for its siblings alone. An
//! example is a block of code that `cargo test --doc` runs, but for those of [`NOT_RUN`].

use std::collections::BTreeSet;

use serde_json::Value;

use crate::surface::{Docs, Place, list};

/// What these would wait for is a key.
const NOT_RUN: [&str; 2] = ["henge::io::Stdin", "henge::io::stdin"];

/// Goes through what a crate shows, and collects what it does not explain.
pub(crate) struct Reader<'a> {
    docs: &'a Docs,
    seen: BTreeSet<(usize, String)>,
    pub(crate) complaints: BTreeSet<String>,
    pub(crate) items: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(docs: &'a Docs) -> Reader<'a> {
        Reader { docs, seen: BTreeSet::new(), complaints: BTreeSet::new(), items: 0 }
    }

    /// Goes through an item and what is in it; `path` is where it is shown.
    pub(crate) fn visit(&mut self, place: Place<'a>, path: &str) {
        let Some(place) = self.docs.resolve(place) else { return };
        let Some(item) = self.docs.item(place) else { return };
        let first = self.seen.insert((place.0, place.1.to_string()));
        if !first || !is_shown(item) {
            return;
        }
        let Some((kind, inner)) = item["inner"].as_object().and_then(|inner| inner.iter().next())
        else {
            return;
        };
        let path = match item["name"].as_str() {
            Some(name) if kind != "use" && !path.is_empty() => format!("{path}::{name}"),
            Some(name) if kind != "use" => name.to_owned(),
            _ => path.to_owned(),
        };
        self.links(place.0, item, &path);
        match kind.as_str() {
            "module" => self.visit_all(place.0, &inner["items"], &path),
            "use" => {
                let target = (place.0, &inner["id"]);
                let glob = self.docs.resolve(target).filter(|_| inner["is_glob"] == true);
                match glob.and_then(|module| Some((module.0, self.docs.item(module)?))) {
                    Some((krate, module)) => {
                        let items = &module["inner"]["module"]["items"];
                        self.visit_all(krate, items, &path);
                    }
                    None => self.visit(target, &path),
                }
            }
            "assoc_const" | "assoc_type" | "impl" | "extern_crate" | "primitive" => {}
            _ => {
                self.items += 1;
                if let Err(why) = example(item, &path) {
                    self.complaints.insert(format!("{path} {why} ({})", file(item)));
                }
                if kind == "trait" {
                    self.visit_all(place.0, &inner["items"], &path);
                }
                for id in list(&inner["impls"]) {
                    let Some(found) = self.docs.item((place.0, id)) else { continue };
                    let found = &found["inner"]["impl"];
                    if found["trait"].is_null() {
                        self.visit_all(place.0, &found["items"], &path);
                    }
                }
            }
        }
    }

    fn visit_all(&mut self, krate: usize, ids: &'a Value, path: &str) {
        list(ids).for_each(|id| self.visit((krate, id), path));
    }

    /// What the documentation of an item links to is documented too.
    fn links(&mut self, krate: usize, item: &'a Value, path: &str) {
        for (text, id) in item["links"].as_object().into_iter().flatten() {
            let target = self.docs.resolve((krate, id)).and_then(|place| self.docs.item(place));
            if target.is_some_and(is_hidden) {
                self.complaints.insert(format!("{path} links to {text}, which is not shown"));
            }
        }
    }
}

fn is_hidden(item: &Value) -> bool {
    list(&item["attrs"]).any(|attr| attr["other"] == "#[doc(hidden)]")
}

/// The parts of a trait have no visibility of their own.
fn is_shown(item: &Value) -> bool {
    !is_hidden(item) && (item["visibility"] == "public" || item["visibility"] == "default")
}

fn file(item: &Value) -> &str {
    item["span"]["filename"].as_str().unwrap_or("no file")
}

/// Whether there is a block that is compiled and run.
fn example(item: &Value, path: &str) -> Result<(), &'static str> {
    const NO_CODE: [&str; 5] = ["text", "toml", "sh", "console", "ignore"];
    let docs = item["docs"].as_str().unwrap_or_default();
    let fences = docs.lines().filter_map(|line| line.trim_start().strip_prefix("```"));
    // Every second fence ends a block.
    let blocks = fences.step_by(2).map(|words| words.split(',').map(str::trim));
    let mut code = blocks.filter(|words| !words.clone().any(|word| NO_CODE.contains(&word)));
    match code.clone().next() {
        None => Err("has no example"),
        Some(_) if NOT_RUN.contains(&path) => Ok(()),
        Some(_) if code.all(|mut words| words.any(|word| word == "no_run")) => {
            Err("has an example that does not run")
        }
        Some(_) => Ok(()),
    }
}
