//! What the compiler says where a macro is used wrongly.
//!
//! The messages are those of one compiler: with another one, or after a change of a macro,
//! `TRYBUILD=overwrite cargo test -p henge --test ui` writes them anew, to be read before they are
//! committed.

#[test]
fn wrong_uses_are_explained() {
    // Its programs are built by another cargo, without the target that a sanitizer needs.
    if std::env::var("RUSTFLAGS").is_ok_and(|flags| flags.contains("sanitizer")) {
        println!("skipped");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
