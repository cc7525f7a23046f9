#[henge::main(flavor = "current_thread", stealing = true)]
async fn main() {}
