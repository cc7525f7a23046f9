#[henge::main]
fn main() {}
