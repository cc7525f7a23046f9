//! `cargo run --release -p henge-examples --bin kv`: the key-value server. `redis-cli` and
//! `redis-benchmark` talk to it.
//!
//! It keeps its data in memory; with `--appendfsync` what changes is written down, too, and is
//! there again after a restart.

use std::io::{self, Write};
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use henge::mesh::Sharded;
use henge::net::{TcpListener, UnixListener};
use henge::runtime::Builder;
use henge::signal::unix::{SignalKind, signal};
use henge_kv::aof::files::Folder;
use henge_kv::args::{self, HELP, Options};
use henge_kv::info::unix_millis;
use henge_kv::jobs::Pieces;
use henge_kv::notice::notice;
use henge_kv::server::Server;
use henge_kv::shard::Shard;
use henge_kv::store::Part;

fn main() -> ExitCode {
    let options = match args::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => return say(HELP),
        Err(wrong) => {
            notice(format_args!("{wrong}\n\n{HELP}"));
            return ExitCode::from(2);
        }
    };
    let mut builder = Builder::new_multi_thread();
    if let Some(shards) = options.shards {
        builder.worker_threads(shards);
    }
    // A shard with nothing to do sleeps at once. To look for work first would answer a lone client
    // sooner; with many it takes the CPU that they, and the other shards, could use.
    builder.thread_name("kv").spin_before_park(Duration::ZERO).stealing(options.steal);
    let address = options.address;
    let unix = options.unix.clone();
    let ended = builder.build().and_then(|runtime| {
        // Made on shard 0 and pinned there, as everything is that it spawns.
        runtime.run(move || serve(options))
    });
    if let Some(path) = unix {
        // Whoever starts next removes it if this does not.
        _ = std::fs::remove_file(path);
    }
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            notice(format_args!("cannot serve {address}: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Serves on every shard until a signal ends it.
async fn serve(options: Options) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let shards = henge::shard::count();
    let address = options.address;
    let mut server = Server::new(address, shards, unix_millis());
    if options.steal {
        server.pieces = Pieces::Anywhere;
    }
    if let Some(fsync) = options.fsync {
        server.files = Some((fsync, Folder::open(&options.folder)?));
    }
    if let Some(path) = &options.unix {
        server.unix = Some(bind_file(path)?);
    }
    let stop = server.stop.clone();
    let server = Arc::new(server);
    // A part of the data on each shard, to be found there by what connections of others send.
    let parts = Arc::clone(&server);
    let data = Sharded::<Shard>::start(move |shard| {
        let part = Part { index: shard.index(), of: shards };
        let server = Arc::clone(&parts);
        async move { Shard::new(part, server) }
    });
    let data = data.await.map_err(io::Error::other)?;
    // All have what was theirs before one of them serves.
    let loading = data.clone();
    henge::run_each(move || {
        let loading = loading.clone();
        async move { loading.local().load().await }
    })
    .await?;
    let listening = Arc::new(AtomicUsize::new(0));
    let mut everywhere = pin!(henge::run_each(move || {
        let (server, data) = (Arc::clone(&server), data.clone());
        let listening = Arc::clone(&listening);
        async move {
            // Each shard has an accept queue of its own; the kernel spreads connections over them.
            let tcp = TcpListener::bind(address).await?;
            if listening.fetch_add(1, Relaxed) + 1 == shards {
                say(&format!("kv: serving {address} on {shards} shards\n"));
            }
            // All shards accept from the one socket file.
            let unix = server.unix.as_ref().map(|unix| unix.try_clone()).transpose()?;
            let unix = unix.map(UnixListener::from_std).transpose()?;
            data.local().serve(data, tcp, unix).await
        }
    }));
    henge::select! {
        ended = &mut everywhere => return ended,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    // Shards end when what they wrote down is on the disk. Returning drops their tasks, and with
    // them the connections.
    stop.cancel();
    everywhere.await
}

/// Listens on a socket file. One that a server which was killed has left is replaced.
fn bind_file(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::net::{UnixListener, UnixStream};
    if UnixStream::connect(path).is_err() && path.exists() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn say(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
