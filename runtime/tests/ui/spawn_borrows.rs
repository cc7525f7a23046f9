#[henge::main]
async fn main() {
    let local = String::from("here");
    henge::spawn(async { drop(local.len()) });
}
