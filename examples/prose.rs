//! The programs in the README and in the guide: each is a test of its own.

#[doc = include_str!("../README.md")]
struct Readme;
#[doc = include_str!("../docs/guide/01-thinking-in-shards.md")]
struct ThinkingInShards;
#[doc = include_str!("../docs/guide/02-nothing-lost.md")]
struct NothingLost;
#[doc = include_str!("../docs/guide/03-many-shards.md")]
struct ManyShards;
#[doc = include_str!("../docs/guide/04-between-shards.md")]
struct BetweenShards;
#[doc = include_str!("../docs/guide/05-ending.md")]
struct Ending;
#[doc = include_str!("../docs/guide/06-stealing.md")]
struct Stealing;
#[doc = include_str!("../docs/guide/07-files.md")]
struct Files;
#[doc = include_str!("../docs/guide/08-datagrams-unix-sockets-and-pipes.md")]
struct DatagramsUnixSocketsAndPipes;
#[doc = include_str!("../docs/guide/09-operations-of-your-own.md")]
struct OperationsOfYourOwn;
#[doc = include_str!("../docs/guide/10-seeing.md")]
struct Seeing;
#[doc = include_str!("../docs/guide/11-executor.md")]
struct Executor;
#[doc = include_str!("../docs/guide/cancel-safety.md")]
struct CancelSafety;
#[doc = include_str!("../docs/guide/cpu-bound-work.md")]
struct CpuBoundWork;
#[doc = include_str!("../docs/guide/future-sizes.md")]
struct FutureSizes;
#[doc = include_str!("../docs/guide/processes-and-signals.md")]
struct ProcessesAndSignals;
#[doc = include_str!("../docs/guide/tests.md")]
struct Tests;
#[doc = include_str!("../docs/guide/porting-from-tokio.md")]
struct PortingFromTokio;
