#[henge::main]
async fn main() -> Result<(), String> {
    7
}
