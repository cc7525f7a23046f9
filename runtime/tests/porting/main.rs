//! "Porting from tokio" says of every public item of tokio whether it is here and the same. This
//! test holds the table against both crates.
//!
//! It reads what rustdoc knows of each: items, methods, implementations, auto traits. It is ignored
//! by default, since rustdoc's JSON is unstable and tokio must be fetched with all its features:
//!
//! ```text
//! cargo test -p henge --test porting -- --ignored
//! ```

mod examples;
mod surface;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use examples::Reader;
use surface::Surface;
use table::{Row, Verdict};

/// The modules that the table is about, beside what is in none.
const MODULES: [&str; 9] =
    ["fs", "io", "net", "process", "runtime", "signal", "sync", "task", "time"];

/// Implementations that say nothing to a user: of the compiler's own making, and whether it is a
/// type or a private field of it that does something when it is dropped.
const INTERNAL: [&str; 4] = ["Freeze", "UnsafeUnpin", "StructuralPartialEq", "Drop"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}

/// What tokio's item has that the item of the same name here has not.
fn lacks(item: &str, tokio: &Surface, henge: &Surface) -> BTreeSet<String> {
    if henge.borrows(item, "tokio") {
        return BTreeSet::new();
    }
    let theirs = tokio.parts(item);
    let ours = henge.parts(item);
    theirs
        .into_iter()
        .filter(|part| !ours.contains(part) && !INTERNAL.contains(&part.as_str()))
        .collect()
}

#[test]
#[ignore = "builds the documentation of two crates with an unstable flag; CI runs it"]
fn the_table_tells_the_truth() {
    let (tokio, henge) = (surface::of_tokio(root()), surface::of_henge(root()));
    let text =
        fs::read_to_string(root().join("docs/guide/porting-from-tokio.md")).expect("the chapter");
    let rows = table::rows(&text);
    let mut complaints = Vec::new();
    assert!(tokio.items(&MODULES).len() > 100, "rustdoc says what there is");
    for item in tokio.items(&MODULES) {
        let missing = lacks(&item, &tokio, &henge);
        let here = henge.has(&item);
        let Some(row) = rows.iter().find(|row| row.item == item) else {
            complaints.push(suggestion(&item, here, &missing));
            continue;
        };
        match row.verdict {
            Verdict::Absent if here => complaints.push(format!("{item} is not absent")),
            Verdict::Absent => {}
            _ if !here => complaints.push(format!("{item} is absent")),
            Verdict::Same if missing.is_empty() => {}
            Verdict::Same => {
                complaints.push(format!("{item} is not the same: it lacks {missing:?}"))
            }
            Verdict::Differs => {
                let unnamed: Vec<_> = missing.iter().filter(|part| !row.names(part)).collect();
                if !unnamed.is_empty() {
                    complaints.push(format!("the row of {item} does not name {unnamed:?}"));
                }
            }
        }
        if row.verdict != Verdict::Same && row.why.len() < 10 {
            complaints.push(format!("the row of {item} does not say why"));
        }
    }
    let known: BTreeSet<String> = tokio.items(&MODULES).into_iter().collect();
    for Row { item, .. } in &rows {
        if !known.contains(item) {
            complaints.push(format!("tokio has no {item}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A row to begin with.
fn suggestion(item: &str, here: bool, missing: &BTreeSet<String>) -> String {
    let list: Vec<_> = missing.iter().map(|part| format!("`{part}`")).collect();
    match (here, list.is_empty()) {
        (true, true) => format!("| `{item}` | same | |"),
        (true, false) => format!("| `{item}` | differs | lacks {} |", list.join(", ")),
        (false, _) => format!("| `{item}` | absent | |"),
    }
}

#[test]
#[ignore = "builds the documentation of all crates with unstable flags; CI runs it"]
fn every_public_item_has_an_example() {
    let docs = surface::henge(root());
    let mut reader = Reader::new(&docs);
    for (krate, json) in docs.0.iter().enumerate() {
        reader.visit((krate, &json["root"]), "");
    }
    assert!(reader.items > 1_000, "rustdoc says what there is");
    let complaints: Vec<_> = reader.complaints.into_iter().collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
