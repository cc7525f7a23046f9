//! Uneven load: a few heavy connections among light ones, placed in three ways.
//!
//! `cargo run --release -p henge-examples --example 16_uneven -- uneven.svg`
//!
//! A heavy connection keeps its shard busy; a light one asks for next to nothing, now and then, and
//! wants its answer soon. The kernel spreads connections by a hash, and where they are few chance
//! brings most of the heavy ones to one shard: the light ones there wait, while the other shard
//! sleeps. An acceptor counts, and brings as many to each. But it cannot know what becomes of a
//! connection: if those turn heavy that one shard has, the only cure is that one of them goes, in
//! the middle of its life, to the shard that has less to do. A table says what each way does in
//! either case, and a picture, if it is given a name.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::Future;
use std::hint::black_box;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream};
use henge::runtime::Builder;
use henge::shard::{self, Acceptor, IntoShard, ShardId};
use henge::task::JoinSet;
use henge::time::sleep;

const SHARDS: usize = 2;
const HEAVY: usize = 4;
const LIGHT: usize = 12;
/// What a heavy request costs.
const WORK: Duration = Duration::from_micros(300);
/// How long a light client waits between two requests.
const PAUSE: Duration = Duration::from_millis(2);
/// How often a connection looks whether it would be better off elsewhere.
const LOOK: Duration = Duration::from_millis(10);

/// How connections come to shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Each shard accepts for itself; the kernel spreads.
    Reuseport,
    /// One accepts for all, and places by load.
    Acceptor,
    /// As the first, and heavy connections move while they are in use.
    HandOff,
}

impl Way {
    pub(crate) const ALL: [Way; 3] = [Way::Reuseport, Way::Acceptor, Way::HandOff];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Reuseport => "reuseport",
            Way::Acceptor => "acceptor",
            Way::HandOff => "hand-off",
        }
    }
}

/// Which connections are the heavy ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Story {
    /// Those that came first.
    Early,
    /// Some that one shard has: an unlucky case, but no rare one.
    Later,
}

impl Story {
    pub(crate) const ALL: [Story; 2] = [Story::Early, Story::Later];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Story::Early => "heavy from the start",
            Story::Later => "heavy later on",
        }
    }
}

/// What clients saw, in some trials.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The latencies of light requests.
    pub(crate) light: Vec<Duration>,
    /// Heavy requests that were answered, and for how long they were counted.
    pub(crate) heavy: usize,
    pub(crate) counted: Duration,
    /// The most heavy connections on one shard at the end, trial by trial.
    pub(crate) crowds: Vec<usize>,
}

impl Seen {
    /// In milliseconds. `self.light` is in order.
    fn percentile(&self, percent: usize) -> f64 {
        let last = self.light.len().saturating_sub(1);
        self.light.get(last * percent / 100).map_or(0.0, |light| light.as_secs_f64() * 1e3)
    }

    fn heavy_per_second(&self) -> f64 {
        self.heavy as f64 / self.counted.as_secs_f64()
    }
}

pub(crate) fn main() -> io::Result<()> {
    let mut all = Vec::new();
    println!("{HEAVY} heavy connections and {LIGHT} light ones on {SHARDS} shards\n");
    println!("| | | heavy requests a second | light: p50, ms | p90 | p99 | on the fuller shard |");
    println!("|---|---|---:|---:|---:|---:|---|");
    for (story, way) in cases() {
        let seen = measure(way, story, 4, Duration::from_millis(200))?;
        let [p50, p90, p99] = [50, 90, 99].map(|percent| seen.percentile(percent));
        let (rate, crowds) = (seen.heavy_per_second(), &seen.crowds);
        let (story, way) = (story.name(), way.name());
        println!("| {story} | {way} | {rate:.0} | {p50:.2} | {p90:.2} | {p99:.2} | {crowds:?} |");
        all.push((story, way, seen));
    }
    match std::env::args().nth(1) {
        Some(path) => std::fs::write(path, picture(&all)),
        None => Ok(()),
    }
}

/// All that is measured.
pub(crate) fn cases() -> impl Iterator<Item = (Story, Way)> {
    Story::ALL.into_iter().flat_map(|story| Way::ALL.map(|way| (story, way)))
}

/// So many trials of one way, each with connections of its own, which are spread anew.
pub(crate) fn measure(way: Way, story: Story, trials: usize, length: Duration) -> io::Result<Seen> {
    let mut all = Seen::default();
    for _ in 0..trials {
        let runtime = Builder::new_multi_thread().worker_threads(SHARDS).build()?;
        let seen = runtime.run(move || async move {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            // The clients have a thread of their own, not of the shards'.
            let (done, ended) = henge::sync::oneshot::channel();
            henge::thread::spawn(move || done.send(clients(address, story, length)))?;
            henge::select! {
                ended = serve(way, listener) => ended.map(|never| match never {}),
                seen = ended => seen.map_err(io::Error::other)?,
            }
        })?;
        all.light.extend(seen.light);
        all.crowds.extend(seen.crowds);
        all.heavy += seen.heavy;
        all.counted += seen.counted;
    }
    all.light.sort_unstable();
    Ok(all)
}

/// Serves until it is dropped.
async fn serve(way: Way, listener: TcpListener) -> io::Result<Infallible> {
    let balance = (way == Way::HandOff).then(Arc::<Balance>::default);
    if way == Way::Acceptor {
        let acceptor = Acceptor::new(listener);
        return acceptor.serve(|stream, _peer| connection(stream, None)).await;
    }
    let address = listener.local_addr()?;
    for other in 1..SHARDS {
        let balance = balance.clone();
        // The other shards join the address.
        henge::spawn_on(ShardId::new(other), move || async move {
            accept(TcpListener::bind(address).await?, balance).await
        });
    }
    accept(listener, balance).await
}

async fn accept(listener: TcpListener, balance: Option<Arc<Balance>>) -> io::Result<Infallible> {
    loop {
        let (stream, _peer) = listener.accept().await?;
        henge::spawn(connection(stream, balance.clone()));
    }
}

/// Does what requests ask for, so many microseconds of it, and answers with the shard's number.
async fn connection(mut stream: TcpStream, balance: Option<Arc<Balance>>) {
    let mut account = balance.as_deref().map(Account::new);
    while let Ok(micros) = stream.read_u64().await {
        work(Duration::from_micros(micros));
        let here = shard::current();
        if stream.write_u64(here.index() as u64).await.is_err() {
            return;
        }
        let better = account.as_mut().and_then(|account| account.spent(here, micros));
        if let Some(there) = better {
            // It goes on over there, with what has been received and sent by now. A boxed future,
            // for a future cannot name itself.
            stream.into_shard(there, move |stream| -> Pin<Box<dyn Future<Output = ()>>> {
                Box::pin(connection(stream, balance))
            });
            return;
        }
    }
}

fn work(length: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < length {
        black_box((0..100).fold(1u64, |sum, step| black_box(sum.rotate_left(5) ^ step)));
    }
}

/// What each shard has worked since the start, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Balance([AtomicI64; SHARDS]);

/// One connection's share of it since it last looked.
struct Account<'a> {
    balance: &'a Balance,
    since: Instant,
    before: [i64; SHARDS],
    own: i64,
}

impl<'a> Account<'a> {
    fn new(balance: &'a Balance) -> Account<'a> {
        Account { balance, since: Instant::now(), before: balance.now(), own: 0 }
    }

    /// Notes what a request took. Another shard, if the connection should go there: if that shard
    /// would still have less to do with it than this one has now.
    fn spent(&mut self, here: ShardId, micros: u64) -> Option<ShardId> {
        let (here, micros) = (here.index(), micros as i64);
        self.balance.0[here].fetch_add(micros, Relaxed);
        self.own += micros;
        if self.since.elapsed() < LOOK {
            return None;
        }
        let now = self.balance.now();
        let load = |shard: usize| now[shard] - self.before[shard];
        let there = (0..SHARDS).min_by_key(|shard| load(*shard)).unwrap_or(here);
        let own = self.own;
        let pays = own > 0 && load(here) - load(there) > own + own / 2;
        if pays {
            // So that the next one that looks sees it there already.
            self.balance.0[here].fetch_sub(own, Relaxed);
            self.balance.0[there].fetch_add(own, Relaxed);
        }
        *self = Account::new(self.balance);
        pays.then(|| ShardId::new(there))
    }
}

impl Balance {
    fn now(&self) -> [i64; SHARDS] {
        std::array::from_fn(|shard| self.0[shard].load(Relaxed))
    }
}

/// All clients, on one thread.
fn clients(address: SocketAddr, story: Story, length: Duration) -> io::Result<Seen> {
    Builder::new_current_thread().build()?.block_on(async {
        let mut all = JoinSet::new();
        let mut idle = Vec::new();
        for n in 0..HEAVY + LIGHT {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            match story {
                Story::Early => {
                    all.spawn_local(client(stream, n < HEAVY, length));
                }
                Story::Later => {
                    stream.write_u64(0).await?;
                    idle.push((stream.read_u64().await?, stream));
                }
            }
        }
        idle.sort_by_key(|(shard, _)| *shard);
        for (n, (_, stream)) in idle.into_iter().enumerate() {
            all.spawn_local(client(stream, n < HEAVY, length));
        }
        let mut seen = Seen::default();
        let mut on = [0; SHARDS];
        while let Some(ended) = all.join_next().await {
            let one = ended.map_err(io::Error::other)??;
            if one.heavy {
                seen.heavy += one.latencies.len();
                on[one.shard.min(SHARDS - 1)] += 1;
            } else {
                seen.light.extend(one.latencies);
            }
        }
        seen.counted = length;
        seen.crowds = vec![on.into_iter().max().unwrap_or(0)];
        Ok(seen)
    })
}

struct One {
    heavy: bool,
    latencies: Vec<Duration>,
    /// Which shard answered last.
    shard: usize,
}

/// Asks for so long, after half of that again, which is for things to settle.
async fn client(mut stream: TcpStream, heavy: bool, length: Duration) -> io::Result<One> {
    let micros = if heavy { WORK.as_micros() as u64 } else { 0 };
    let mut one = One { heavy, latencies: Vec::new(), shard: 0 };
    let counted = Instant::now() + length / 2;
    while counted.elapsed() < length {
        let asked = Instant::now();
        stream.write_u64(micros).await?;
        one.shard = stream.read_u64().await? as usize;
        if asked >= counted {
            one.latencies.push(asked.elapsed());
        }
        if !heavy {
            sleep(PAUSE).await;
        }
    }
    Ok(one)
}

type Figure = fn(&Seen) -> f64;

/// Bars: how many heavy requests were answered, and how long light ones waited.
pub(crate) fn picture(all: &[(&str, &str, Seen)]) -> String {
    const ROW: usize = 22;
    const BAR: f64 = 260.0;
    let panels: [(&str, Figure); 3] = [
        ("heavy requests a second", Seen::heavy_per_second),
        ("light requests: 90 of 100 within, ms", |seen| seen.percentile(90)),
        ("light requests: 99 of 100 within, ms", |seen| seen.percentile(99)),
    ];
    let height = panels.len() * (all.len() + 2) * ROW;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"560\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut y = ROW;
    for (title, figure) in panels {
        // Writing to a string cannot fail.
        _ = writeln!(svg, "<text x=\"10\" y=\"{y}\" font-weight=\"bold\">{title}</text>");
        let most = all.iter().map(|(.., seen)| figure(seen)).fold(f64::MIN_POSITIVE, f64::max);
        for (story, way, seen) in all {
            y += ROW;
            let (value, width) = (figure(seen), figure(seen) / most * BAR);
            let digits = if value < 100.0 { 2 } else { 0 };
            _ = writeln!(
                svg,
                "<text x=\"10\" y=\"{y}\">{story}: {way}</text>\n\
                 <rect x=\"220\" y=\"{}\" width=\"{width:.1}\" height=\"14\" fill=\"#4a7ab5\"/>\n\
                 <text x=\"{:.1}\" y=\"{y}\">{value:.digits$}</text>",
                y - 12,
                226.0 + width,
            );
        }
        y += 2 * ROW;
    }
    svg + "</svg>\n"
}
