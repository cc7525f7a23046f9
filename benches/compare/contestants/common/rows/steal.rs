//! Uneven work: all of it is spawned on one shard, and the others have nothing unless they take it.
//!
//! Wall time counts here: work that others could do and nobody does costs no CPU. The work of a
//! task is a loop of so many steps, by the same seed for everybody; `threads` does the same steps
//! without tasks, evenly divided, which is as good as it gets.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use contestant::work::{self, Work};
use contestant::{Meter, Row};

use crate::peer::steal::{self, AsyncReadExt, AsyncWriteExt};

fn measure(load: &'static Work) -> Row {
    steal::run(move || async move {
        // So that all threads run, and their memory is warm.
        compute(load.warm_up()).await;
        let meter = Meter::start();
        compute(load.steps()).await;
        meter.stop(load.tasks)
    })
}

async fn compute(steps: impl Iterator<Item = u64>) {
    let tasks: Vec<_> =
        steps.map(|steps| steal::spawn(async move { black_box(work::compute(steps)) })).collect();
    for task in tasks {
        _ = task.await;
    }
}

/// Ten thousand tasks of 20 to 200 µs.
pub fn large() -> Row {
    measure(&work::LARGE)
}

/// Two hundred thousand tasks of 1 to 3 µs.
pub fn small() -> Row {
    measure(&work::SMALL)
}

/// As `large`, and each task asks an echo on the same runtime first, by one of a hundred
/// connections.
pub fn with_io() -> Row {
    const CONNECTIONS: usize = 100;
    steal::run(|| async {
        let listener = match steal::TcpListener::bind("127.0.0.1:0").await {
            Ok(listener) => listener,
            Err(error) => panic!("no listener: {error}"),
        };
        let Ok(address) = listener.local_addr() else { panic!("a listener without an address") };
        let server = steal::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                steal::detach(steal::spawn(echo(stream)));
            }
        });
        let streams = Arc::new(Streams::connect(address, CONNECTIONS).await);
        ask_and_compute(&streams, work::LARGE.warm_up()).await;
        let meter = Meter::start();
        ask_and_compute(&streams, work::LARGE.steps()).await;
        let row = meter.stop(work::LARGE.tasks);
        server.abort();
        row
    })
}

async fn ask_and_compute(streams: &Arc<Streams>, steps: impl Iterator<Item = u64>) {
    let spawn = |steps| {
        let streams = streams.clone();
        steal::spawn(async move {
            streams.ask().await;
            black_box(work::compute(steps));
        })
    };
    let tasks: Vec<_> = steps.map(spawn).collect();
    for task in tasks {
        _ = task.await;
    }
}

/// Connections that tasks take and give back.
struct Streams {
    free: steal::Semaphore,
    streams: Mutex<Vec<steal::TcpStream>>,
}

impl Streams {
    async fn connect(address: SocketAddr, connections: usize) -> Streams {
        let mut streams = Vec::with_capacity(connections);
        for _ in 0..connections {
            match steal::TcpStream::connect(address).await {
                Ok(stream) => streams.push(stream),
                Err(error) => panic!("no connection: {error}"),
            }
        }
        Streams { free: steal::Semaphore::new(connections), streams: Mutex::new(streams) }
    }

    fn give(&self, stream: steal::TcpStream) {
        if let Ok(mut streams) = self.streams.lock() {
            streams.push(stream);
        }
    }

    fn take(&self) -> Option<steal::TcpStream> {
        self.streams.lock().ok()?.pop()
    }

    async fn ask(&self) {
        let Ok(_permit) = self.free.acquire().await else { panic!("nobody closes it") };
        let Some(mut stream) = self.take() else { panic!("as many as permits") };
        let mut answer = [0; 64];
        let asked = async {
            stream.write_all(&[7; 64]).await?;
            stream.flush().await?;
            stream.read_exact(&mut answer).await
        };
        if let Err(error) = asked.await {
            panic!("no answer: {error}");
        }
        self.give(stream);
    }
}

async fn echo(mut stream: steal::TcpStream) {
    let mut buf = [0; 64];
    while stream.read_exact(&mut buf).await.is_ok() {
        if stream.write_all(&buf).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}
