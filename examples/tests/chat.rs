//! The chat server, by its clients.

#[path = "../11_chat.rs"]
mod chat;

use std::time::Duration;

use henge::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use henge::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use henge::net::{TcpListener, TcpStream};
use henge::time::timeout;

/// What `cargo run` runs.
const _: fn() -> std::io::Result<()> = chat::main;

struct Client(Lines<BufReader<OwnedReadHalf>>, OwnedWriteHalf);

impl Client {
    async fn new(listener: std::net::SocketAddr) -> Client {
        let (reading, writing) = TcpStream::connect(listener).await.unwrap().into_split();
        let mut client = Client(BufReader::new(reading).lines(), writing);
        assert_eq!(client.hear().await.as_deref(), Some("welcome to lobby"));
        client
    }

    async fn say(&mut self, line: &str) {
        self.1.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Option<String> {
        let line = timeout(Duration::from_secs(30), self.0.next_line()).await;
        line.expect("it comes in time").unwrap()
    }
}

#[henge::test]
async fn rooms_are_apart_and_the_end_is_told() {
    let server = chat::Server::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = server.clone();
    let accepting = henge::spawn(async move { accepting.accept(listener).await });

    let (mut a, mut b, mut c) =
        (Client::new(address).await, Client::new(address).await, Client::new(address).await);
    c.say("/join attic").await;
    assert_eq!(c.hear().await.as_deref(), Some("welcome to attic"));
    a.say("hello").await;
    for client in [&mut a, &mut b] {
        assert!(client.hear().await.unwrap().ends_with(": hello"));
    }
    c.say("is anybody here?").await;
    assert!(c.hear().await.unwrap().ends_with("here?"), "and nothing of the lobby before");
    b.say("/quit").await;
    assert_eq!(b.hear().await.as_deref(), Some("goodbye"));
    assert_eq!(b.hear().await, None);

    server.stop.cancel();
    for client in [&mut a, &mut c] {
        assert_eq!(client.hear().await.as_deref(), Some("the server stops; goodbye"));
        assert_eq!(client.hear().await, None);
    }
    server.ended().await;
    accepting.await.unwrap().unwrap();
}
