//! The table of the chapter: one row for each item.

/// What the table says of one item.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) item: String,
    pub(crate) verdict: Verdict,
    /// In what it differs, or why it is absent.
    pub(crate) why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    Differs,
    Absent,
}

impl Row {
    /// Whether the explanation names a method or a trait.
    pub(crate) fn names(&self, part: &str) -> bool {
        self.why.contains(&format!("`{part}`"))
    }
}

/// The rows whose first cell is the name of an item and whose second is a verdict.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut cells = line.strip_prefix('|')?.splitn(3, '|').map(str::trim);
    let item = cells.next()?.strip_prefix('`')?.strip_suffix('`')?.to_owned();
    let verdict = match cells.next()? {
        "same" => Verdict::Same,
        "differs" => Verdict::Differs,
        "absent" => Verdict::Absent,
        _ => return None,
    };
    let why = cells.next()?.trim_end_matches('|').trim().to_owned();
    Some(Row { item, verdict, why })
}

#[test]
fn a_row_is_read() {
    let rows = rows("| item | here | |\n|---|---|---|\n| `a::B` | differs | lacks `c`: why |\n");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].item.as_str(), rows[0].verdict), ("a::B", Verdict::Differs));
    assert!(rows[0].names("c") && !rows[0].names("d"));
}
