//! `cargo run --release -p henge-examples --bin kv`: the key-value server. `redis-cli` and
//! `redis-benchmark` talk to it.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use henge::net::TcpListener;
use henge::runtime::Builder;
use henge::signal::unix::{SignalKind, signal};
use henge_kv::args::{self, HELP};
use henge_kv::info::unix_millis;
use henge_kv::router::Mailbox;
use henge_kv::server::Server;
use henge_kv::shard::Shard;
use henge_kv::store::Part;

fn main() -> ExitCode {
    let options = match args::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => return say(HELP),
        Err(wrong) => {
            eprintln!("kv: {wrong}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let mut builder = Builder::new_multi_thread();
    if let Some(shards) = options.shards {
        builder.worker_threads(shards);
    }
    // A shard with nothing to do sleeps at once. To look for work first would answer a lone client
    // sooner; with many it takes the CPU that they, and the other shards, could use.
    builder.thread_name("kv").spin_before_park(Duration::ZERO);
    let address = options.address;
    let ended = builder.build().and_then(|runtime| {
        // Made on shard 0 and pinned there, as everything is that it spawns.
        runtime.run(move || serve(address))
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kv: cannot serve {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves `address` on every shard until a signal ends it.
async fn serve(address: SocketAddr) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let shards = henge::shard::count();
    let server = Arc::new(Server::new(address, shards, unix_millis()));
    let mailboxes: Arc<[Mailbox]> = (0..shards).map(|_| Mailbox::default()).collect();
    let listening = Arc::new(AtomicUsize::new(0));
    let everywhere = henge::run_each(move || {
        let (server, mailboxes) = (Arc::clone(&server), Arc::clone(&mailboxes));
        let listening = Arc::clone(&listening);
        async move {
            // Each shard has an accept queue of its own; the kernel spreads connections over them.
            let listener = TcpListener::bind(address).await?;
            if listening.fetch_add(1, Relaxed) + 1 == shards {
                say(&format!("kv: serving {address} on {shards} shards\n"));
            }
            let part = Part { index: henge::shard::current().index(), of: shards };
            Rc::new(Shard::new(part, server, mailboxes)).serve(listener).await
        }
    });
    // Returning drops the shards' tasks, and with them the connections.
    henge::select! {
        ended = everywhere => ended,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

fn say(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
