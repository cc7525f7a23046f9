//! Takes test functions, and lines that assert something of a type, out of a source: those that
//! name what does not exist here, or that do not compile for another reason that is explained.

/// `text` without the functions called `name`, wherever they are, with their attributes. It relies
/// on what rustfmt leaves: an item begins and ends at the same column. What is no name is a part of
/// lines, which are taken out.
pub(crate) fn without(text: &str, name: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut keep = vec![true; lines.len()];
    let head = format!("fn {name}(");
    let generic = format!("fn {name}<");
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        if name.contains('!') && line.contains(name) {
            keep[at] = false;
        }
        if trimmed.starts_with("//") || !(line.contains(&head) || line.contains(&generic)) {
            continue;
        }
        let column = line.len() - trimmed.len();
        let belongs = |line: &str| {
            let text = line.trim_start();
            line.len() - text.len() == column && (text.starts_with("#[") || text.starts_with("//"))
        };
        let above = lines[..at].iter().rev().take_while(|line| belongs(line)).count();
        let end = format!("{}}}", &line[..column]);
        let length = lines[at..].iter().position(|line| **line == end);
        let length = length.unwrap_or_else(|| panic!("`{name}` has no end"));
        keep[at - above..=at + length].fill(false);
    }
    assert!(keep.contains(&false), "there is no `{name}`");
    let kept = lines.iter().zip(keep).map(|(line, keep)| if keep { line } else { "" });
    kept.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_function_goes_with_its_attributes() {
    let text = "mod m {\n    /// What it does.\n    #[test]\n    async fn gone() {\n\
                \x20       if x {\n\
                \x20       }\n    }\n    fn stays() {\n        gone()\n    }\n}";
    let expected = "mod m {\n\n\n\n\n\n\n    fn stays() {\n        gone()\n    }\n}";
    assert_eq!(without(text, "gone"), expected);
    assert_eq!(without("is!(A: Send);\nis!(B: Send);", "is!(B:"), "is!(A: Send);\n");
}
