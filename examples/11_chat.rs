//! A chat server: rooms, time-outs, and an end that lets everybody say goodbye.
//!
//! `cargo run --release -p henge-examples --example 11_chat`, then `nc 127.0.0.1 7070` several
//! times. `/join ROOM` changes the room, `/quit` leaves, anything else is said to the room.
//!
//! Connections are spread over all shards; a room is a broadcast channel that shards share. Ctrl-C
//! ends it: a token tells every task, and a tracker says when the last one is gone.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use henge::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use henge::net::{TcpListener, TcpStream};
use henge::sync::CancellationToken;
use henge::sync::broadcast::{self, error::RecvError};
use henge::task::TaskTracker;
use henge::time::timeout;

/// Who says nothing for so long is sent away.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a reader that does not read holds up its own connection.
const SLOW: Duration = Duration::from_secs(10);
/// Messages that a room keeps for readers that are behind.
const BACKLOG: usize = 256;

#[henge::main]
pub(crate) async fn main() -> std::io::Result<()> {
    let server = Server::default();
    println!("chatting on 127.0.0.1:7070");
    let stop = server.stop.clone();
    henge::spawn(async move {
        if henge::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    let on_each = server.clone();
    henge::run_each(move || {
        let server = on_each.clone();
        async move { server.accept(TcpListener::bind("127.0.0.1:7070").await?).await }
    })
    .await?;
    server.ended().await;
    println!("everybody has gone");
    Ok(())
}

type Line = Arc<str>;

/// What connections share. Cheap to clone, and the same on all shards.
#[derive(Clone, Default)]
pub(crate) struct Server {
    rooms: Arc<Mutex<HashMap<String, broadcast::Sender<Line>>>>,
    /// Cancelled when the server is to end.
    pub(crate) stop: CancellationToken,
    connections: TaskTracker,
}

impl Server {
    /// Serves until the server is stopped.
    pub(crate) async fn accept(&self, listener: TcpListener) -> std::io::Result<()> {
        loop {
            let (stream, peer) = henge::select! {
                accepted = listener.accept() => accepted?,
                () = self.stop.cancelled() => return Ok(()),
            };
            let server = self.clone();
            henge::spawn(self.connections.track_future(async move {
                if let Err(error) = server.serve(stream, &peer.to_string()).await {
                    eprintln!("{peer}: {error}");
                }
            }));
        }
    }

    /// Waits until all connections have ended, after a stop.
    pub(crate) async fn ended(&self) {
        self.connections.close();
        if timeout(SLOW * 2, self.connections.wait()).await.is_err() {
            eprintln!("{} connections did not end", self.connections.len());
        }
    }

    fn room(&self, name: &str) -> broadcast::Sender<Line> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|other, room| other == name || room.receiver_count() > 0);
        rooms.entry(name.to_owned()).or_insert_with(|| broadcast::channel(BACKLOG).0).clone()
    }

    async fn serve(&self, stream: TcpStream, name: &str) -> std::io::Result<()> {
        let (reading, mut writing) = stream.into_split();
        let mut lines = BufReader::new(reading).lines();
        let mut room = self.room("lobby");
        let mut heard = room.subscribe();
        let mut say = async |line: &str| {
            let line = format!("{line}\n");
            // `write_all` may be half done when it is dropped: this connection ends then.
            timeout(SLOW, writing.write_all(line.as_bytes())).await?
        };
        say("welcome to lobby").await?;
        loop {
            // Both branches that are made anew lose nothing when the other wins.
            henge::select! {
                line = timeout(PATIENCE, lines.next_line()) => {
                    let Ok(line) = line else { return say("you fell asleep").await };
                    let Some(line) = line? else { return Ok(()) };
                    match line.split_once(' ') {
                        _ if line == "/quit" => return say("goodbye").await,
                        Some(("/join", to)) => {
                            room = self.room(to);
                            heard = room.subscribe();
                            say(&format!("welcome to {to}")).await?;
                        }
                        // Nobody else may be there to hear it.
                        _ => _ = room.send(format!("{name}: {line}").into()),
                    }
                }
                line = heard.recv() => match line {
                    Ok(line) => say(&line).await?,
                    Err(RecvError::Lagged(n)) => say(&format!("({n} lines were too fast)")).await?,
                    // `room` keeps the channel open.
                    Err(RecvError::Closed) => return Ok(()),
                },
                () = self.stop.cancelled() => return say("the server stops; goodbye").await,
            }
        }
    }
}
