#[henge::main]
async fn main() {
    henge::select! {}
}
