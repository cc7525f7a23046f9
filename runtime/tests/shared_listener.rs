//! One fresh port, and an accept queue a shard.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream};
use henge::runtime::{Builder, Runtime};
use henge::shard;
use henge::sync::Barrier;
use henge::time::timeout;

const SHARDS: usize = 3;
const CLIENTS: usize = 200;
const LONG: Duration = Duration::from_secs(60);

fn shards() -> Runtime {
    Builder::new_multi_thread().worker_threads(SHARDS).build().expect("a runtime")
}

/// Answers each connection with the shard that has it, until dropped.
async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let shard = u8::try_from(shard::current().index()).expect("few shards");
        henge::spawn(async move { stream.write_all(&[shard]).await });
    }
}

#[test]
fn a_guest_that_has_left_takes_no_connections() -> io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).build()?;
    let answer = |mut stream: TcpStream, with: u8| async move { stream.write_all(&[with]).await };
    let listener = runtime.block_on(async { TcpListener::bind("127.0.0.1:0").await })?;
    let (address, listener) = (listener.local_addr()?, Arc::new(listener));
    let here = Arc::clone(&listener);
    // It waits on the ring of this thread, which then does something else.
    runtime.block_on(async {
        henge::spawn(async move {
            loop {
                answer(here.accept().await?.0, 0).await?;
            }
            #[expect(unreachable_code, reason = "it says what the loop may fail with")]
            io::Result::Ok(())
        });
        henge::time::sleep(Duration::from_millis(5)).await;
    });
    let ask = move || {
        let mut answer = [9];
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LONG))?;
        stream.read_exact(&mut answer)?;
        io::Result::Ok(answer[0])
    };
    let there = runtime.spawn(async move {
        loop {
            answer(listener.accept().await?.0, 1).await?;
        }
        #[expect(unreachable_code, reason = "it says what the loop may fail with")]
        io::Result::Ok(())
    });
    for _ in 0..20 {
        assert_eq!(ask()?, 1);
    }
    // With nobody else to ask, it goes on where it was.
    there.abort();
    let asked = runtime.block_on(async move {
        assert!(there.await.is_err());
        timeout(LONG, henge::task::spawn_blocking(ask)).await
    });
    assert_eq!(asked???, 0);
    Ok(())
}

#[test]
fn a_fresh_port_is_served_by_every_shard() {
    let answers = shards().run(|| async {
        let shared = TcpListener::bind("127.0.0.1:0").await?.for_each_shard()?;
        let address = shared.local_addr()?;
        let ready = Arc::new(Barrier::new(SHARDS + 1));
        let there = Arc::clone(&ready);
        let servers = henge::spawn(henge::run_each(move || {
            let (shared, ready) = (shared.clone(), Arc::clone(&there));
            async move {
                let listener = shared.listen()?;
                ready.wait().await;
                serve(listener).await
            }
        }));
        timeout(LONG, ready.wait()).await?;
        let mut answers = [0; SHARDS];
        for _ in 0..CLIENTS {
            let mut stream = TcpStream::connect(address).await?;
            let shard = timeout(LONG, stream.read_u8()).await??;
            answers[usize::from(shard)] += 1;
        }
        servers.abort();
        io::Result::Ok(answers)
    });
    let answers = answers.expect("all are served");
    assert_eq!(answers.iter().sum::<usize>(), CLIENTS);
    // The kernel draws by a hash: that one of three is never drawn in 200 is out of the question.
    assert!(answers.iter().all(|&count| count > 0), "{answers:?}");
}

#[test]
fn each_shard_has_one_of_it() {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let runtime = shards();
    // Bound by a guest, which is none of the shards, and never listens itself.
    let shared =
        runtime.block_on(async { TcpListener::bind("127.0.0.1:0").await?.for_each_shard() });
    let shared = shared.expect("a listener");
    let outcome = runtime.block_on(henge::run_each(move || {
        let (shared, count) = (shared.clone(), Arc::clone(&count));
        async move {
            let _listener = shared.listen()?;
            let again = shared.listen().expect_err("this shard has its listener");
            count.fetch_add(
                usize::from(again.kind() == io::ErrorKind::AddrInUse),
                Ordering::Relaxed,
            );
            Ok(())
        }
    }));
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(refused.load(Ordering::Relaxed), SHARDS);
}

#[test]
fn another_runtime_is_refused() {
    let (ours, theirs) = (shards(), shards());
    let shared = ours.run(|| async { TcpListener::bind("127.0.0.1:0").await?.for_each_shard() });
    let shared = shared.expect("a listener");
    let there = shared.clone();
    let refused = theirs.run(move || async move { there.listen() }).expect_err("not theirs");
    assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    assert!(ours.run(move || async move { shared.listen() }).is_ok());
}

#[test]
fn what_bind_has_not_made_cannot_be_shared() {
    let foreign = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let listener = TcpListener::from_std(foreign).expect("taken over");
    let refused = listener.for_each_shard().expect_err("nobody knows who shares it");
    assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
}
