//! The operations, one a file. Copy the shortest neighbour to add one.

mod accept;
mod after;
mod close;
mod connect;
mod fsync;
mod nop;
mod open;
mod read_at;
mod readable;
mod recv;
mod send;
mod stat;
mod timeout;
mod truncate;
mod write_at;

pub use accept::{AcceptMultishot, Acceptor};
pub use after::After;
pub use close::Close;
pub use connect::Connect;
pub use fsync::Fsync;
pub use nop::Nop;
pub use open::Open;
pub use read_at::{ReadAt, ReadVectoredAt};
pub use readable::Readable;
pub use recv::{Receiver, Recv, RecvMultishot, RecvSink};
pub use send::{Send, SendSink};
pub use stat::Stat;
pub use timeout::Timeout;
pub use truncate::Truncate;
pub use write_at::{WriteAt, WriteVectoredAt};
