#[henge::main(flavor = "multithread")]
async fn main() {}
