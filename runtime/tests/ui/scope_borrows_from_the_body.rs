#[henge::main]
async fn main() {
    henge::task::scope(|s| async move {
        let local = String::from("the body's");
        s.spawn(async { drop(local.len()) });
    })
    .await;
}
