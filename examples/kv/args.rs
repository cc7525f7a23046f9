//! The command line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::aof::Fsync;

/// What `--help` prints.
pub const HELP: &str = "\
A sharded in-memory key-value server that speaks the Redis protocol.

Usage: kv [--bind ADDRESS] [--port PORT] [--unixsocket PATH] [--shards NUMBER]
          [--appendfsync always|everysec|no] [--dir PATH] [--steal]

  --bind ADDRESS   the address to listen on (127.0.0.1)
  --port PORT      the port to listen on (6379)
  --shards NUMBER  how many shards, each a thread with a ring of its own
                   (one for each CPU that this process may use)
  --unixsocket PATH  a socket file to listen on as well
  --appendfsync WHEN keep the data in append-only files, and sync them before
                   an answer leaves (always), once a second (everysec), or
                   when the kernel likes (no). Without it nothing is kept
  --dir PATH       the folder of those files (kv-data)
  --steal          let shards with time to spare take pieces of what takes long
                   elsewhere: KEYS, SORT, large collections
  --help           print this
";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where to listen.
    pub address: SocketAddr,
    /// How many shards; `None` leaves it to the runtime.
    pub shards: Option<usize>,
    /// A socket file to listen on as well.
    pub unix: Option<PathBuf>,
    /// Whether what changes is written down, and when that is made to last.
    pub fsync: Option<Fsync>,
    /// The folder of the append-only files.
    pub folder: PathBuf,
    /// Whether shards take pieces of what takes long elsewhere.
    pub steal: bool,
}

/// Reads the words behind the program's name; `None` when they ask for help.
///
/// # Errors
///
/// What is wrong with them, for the user to read.
///
/// ```
/// use henge_kv::args::parse;
/// let words = ["--port", "7000", "--shards=2"].map(str::to_owned);
/// let options = parse(words).unwrap().unwrap();
/// assert_eq!((options.address.port(), options.shards), (7000, Some(2)));
/// assert!(parse(["--port".to_owned()]).is_err());
/// ```
pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Option<Options>, String> {
    let mut address: IpAddr = Ipv4Addr::LOCALHOST.into();
    let mut port = 6379;
    let mut shards = None;
    let mut steal = false;
    let (mut unix, mut fsync, mut folder) = (None, None, PathBuf::from("kv-data"));
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        if matches!(name.as_str(), "--help" | "-h") {
            return Ok(None);
        }
        if name == "--steal" && value.is_none() {
            steal = true;
            continue;
        }
        const OPTIONS: [&str; 6] =
            ["--bind", "--port", "--shards", "--unixsocket", "--appendfsync", "--dir"];
        if !OPTIONS.contains(&name.as_str()) {
            return Err(format!("there is no option {name}"));
        }
        let value = value.or_else(|| words.next()).ok_or(format!("{name} needs a value"))?;
        let wrong = |kind| format!("{name} {value}: not {kind}");
        match name.as_str() {
            "--unixsocket" => unix = Some(PathBuf::from(value)),
            "--dir" => folder = PathBuf::from(value),
            "--appendfsync" => {
                let known = Fsync::parse(&value);
                fsync = Some(known.ok_or_else(|| wrong("one of always, everysec and no"))?);
            }
            "--bind" => address = value.parse().map_err(|_| wrong("an IP address"))?,
            "--port" => {
                let ports = 1..=u16::MAX;
                let number = value.parse().ok().filter(|number| ports.contains(number));
                port = number.ok_or_else(|| wrong("a port, which is 1 to 65535"))?;
            }
            _ => {
                let number = value.parse().ok().filter(|number| (1..=1024).contains(number));
                shards = Some(number.ok_or_else(|| wrong("a number of shards, 1 to 1024"))?);
            }
        }
    }
    let address = SocketAddr::new(address, port);
    Ok(Some(Options { address, shards, unix, fsync, folder, steal }))
}
