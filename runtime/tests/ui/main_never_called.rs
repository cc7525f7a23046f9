//! A function under the attribute is as dead as any other that nobody calls.

#![deny(dead_code)]

#[henge::main]
async fn never_called() {}

struct Subject;

impl Subject {
    #[henge::main]
    async fn never_called(&self) {}
}

fn main() {
    let _ = Subject;
}
