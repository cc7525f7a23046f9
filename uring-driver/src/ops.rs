//! The operations, one a file, and what they speak of. Copy the shortest neighbour to add one.

mod accept;
mod advise;
mod after;
mod allocate;
mod close;
mod connect;
mod fsync;
mod limit;
mod link;
mod mkdir;
mod nop;
mod open;
mod poll;
mod poll_once;
mod read_at;
mod readable;
mod recv;
mod rename;
mod send;
mod send_zero_copy;
mod splice;
mod stat;
mod symlink;
mod sync_range;
mod timeout;
mod truncate;
mod unlink;
mod write_all;
mod write_at;

#[doc(inline)]
pub use crate::sys::file::{Advice, Allocation, Kind, OpenHow, RangeSync, Stat as Facts};
#[doc(inline)]
pub use crate::sys::poll::events;
#[doc(inline)]
pub use crate::sys::socket::Address;
pub use accept::{AcceptMultishot, Acceptor};
pub use advise::Advise;
pub use after::After;
pub use allocate::Allocate;
pub use close::Close;
pub use connect::Connect;
pub use fsync::Fsync;
pub use link::Link;
pub use mkdir::MakeDir;
pub use nop::Nop;
pub use open::Open;
pub use poll::{PollMultishot, Watcher};
#[doc(hidden)]
pub use poll_once::{PollOnce, PollSink};
pub use read_at::{ReadAt, ReadVectoredAt};
pub use readable::Readable;
#[doc(hidden)]
pub use recv::{ReceivesInPlace, Recv, RecvInPlace, RecvSink};
pub use rename::Rename;
#[doc(hidden)]
pub use send::{Send, SendInPlace, SendSink, SendsInPlace};
#[doc(hidden)]
pub use send_zero_copy::{SendZeroCopy, ZeroCopySink};
pub use splice::Splice;
pub use stat::Stat;
pub use symlink::Symlink;
pub use sync_range::SyncRange;
pub use timeout::Timeout;
pub use truncate::Truncate;
pub use unlink::Unlink;
pub use write_all::WriteAll;
pub use write_at::{WriteAt, WriteVectoredAt};
