//! The integration tests that tokio and tokio-util publish with their sources run here with `tokio`
//! changed to `henge`. Those that do not pass are in the table of `docs/tokio-suite.md`, each with
//! its reason: one that fails and is not there fails the run, and so does one that is there and
//! passes.
//!
//! It is ignored by default, since it fetches and builds what those tests stand on:
//!
//! ```text
//! cargo test -p henge --test tokio_suite -- --ignored
//! ```

mod cut;
mod package;
mod rename;
mod run;
mod stealing;
mod table;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use run::Outcome;
use table::Verdict;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}

/// Nothing is forbidden to the superuser.
fn is_superuser() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[test]
#[ignore = "builds the tests of another project and what they depend on; CI runs it"]
fn tokios_own_tests_pass_but_for_those_that_are_explained() {
    let page = fs::read_to_string(root().join("docs/tokio-suite.md")).expect("the page");
    let rows = table::rows(&page, is_superuser());
    let binaries = package::build(root(), &rows);
    let results = run::all(&binaries, &rows);
    let mut complaints = Vec::new();
    for result in &results {
        let name = &result.name;
        let row = rows.iter().find(|row| row.is_of(name));
        match (row.map(|row| row.verdict), &result.outcome) {
            (None | Some(Verdict::Sometimes), Outcome::Passed) => {}
            (None, Outcome::Ignored) => {}
            (Some(Verdict::Fails | Verdict::Hangs), Outcome::Failed(_) | Outcome::Hung) => {}
            (None, Outcome::Failed(why)) => complaints.push(format!("{name} fails: {why}")),
            (None, Outcome::Hung) => complaints.push(format!("{name} does not end")),
            (Some(verdict), outcome) => {
                complaints.push(format!("{name} is listed as {verdict:?}, and it {outcome:?}"));
            }
        }
    }
    for row in rows.iter().filter(|row| row.verdict != Verdict::LeftOut) {
        if !results.iter().any(|result| row.is_of(&result.name)) {
            complaints.push(format!("there is no {}::{}", row.file, row.test));
        }
    }
    let passed = results.iter().filter(|result| matches!(result.outcome, Outcome::Passed)).count();
    println!("{passed} of {} tests passed", results.len());
    assert!(passed > 1000, "the suite was found");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
