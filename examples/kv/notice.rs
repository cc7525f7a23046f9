//! What the operator is told.

use std::fmt;
use std::io::{self, Write};

/// Says something on standard error, as a line that names the program. What cannot be said is not:
/// `eprintln!` would panic where the log is a file on a disk that is full.
pub fn notice(text: fmt::Arguments<'_>) {
    _ = writeln!(io::stderr(), "kv: {text}");
}
