//! The table of tests that do not pass: file, test, what happens, and why.

/// What happens to one test, or to several that share a reason.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) file: String,
    /// A name with its modules. Before `*::` stands any module, and `*` alone is all of the file.
    pub(crate) test: String,
    pub(crate) verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fails,
    /// It does not end, so it is not waited for as long as others are.
    Hangs,
    /// What it does depends on which thread is faster: of several tries one passes.
    Sometimes,
    /// It does not compile, or is not about what is here: it is not built.
    LeftOut,
}

impl Row {
    /// Whether this row is about the test `file::modules::name`.
    pub(crate) fn is_of(&self, name: &str) -> bool {
        let Some((file, test)) = name.split_once("::") else { return false };
        file == self.file
            && match self.test.strip_prefix('*') {
                Some(end) => test.ends_with(end),
                None => test == self.test,
            }
    }

    /// The name of the function alone, or all of what is no name: a part of a line.
    pub(crate) fn function(&self) -> &str {
        if self.test.contains('!') {
            return &self.test;
        }
        self.test.rsplit("::").next().unwrap_or(&self.test)
    }
}

/// The rows of all tables of the page whose third cell is a verdict. The first cell is a file, the
/// second lists tests.
pub(crate) fn rows(page: &str, superuser: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in page.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, file, tests, verdict, why, _] = cells[..] else { continue };
        let verdict = match verdict {
            "fails" => Verdict::Fails,
            "fails as root" if superuser => Verdict::Fails,
            "hangs" => Verdict::Hangs,
            "sometimes" => Verdict::Sometimes,
            "left out" => Verdict::LeftOut,
            _ => continue,
        };
        assert!(why.len() > 10, "the row of {file} {tests} does not say why");
        for file in quoted(file) {
            for test in quoted(tests) {
                rows.push(Row { file: file.to_owned(), test: test.to_owned(), verdict });
            }
        }
    }
    rows
}

/// What stands between back quotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn a_row_is_read() {
    let page =
        "| file | test | | |\n|---|---|---|---|\n| `a`, `b` | `*::c`, `d` | fails | because |\n";
    let page = page.replace("because", "for a reason that is long enough");
    assert!(rows(&page.replace("fails", "fails as root"), false).is_empty());
    let rows = rows(&page, true);
    let names: Vec<_> = rows.iter().map(|row| (row.file.as_str(), row.function())).collect();
    assert_eq!(names, [("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")]);
    assert!(rows[0].is_of("a::m::c") && !rows[0].is_of("b::m::c") && !rows[0].is_of("a::m::cc"));
    assert!(rows[1].is_of("a::d") && !rows[1].is_of("a::m::d"));
}
