//! Sockets of the Unix family: their types, names and credentials, and the halves of a stream.

mod addr;
pub(crate) mod datagram;
mod incoming;
pub(crate) mod listener;
mod owned;
pub mod pipe;
pub(crate) mod socket;
mod split;
pub(crate) mod stream;
mod ucred;

pub use addr::SocketAddr;
pub use incoming::Incoming;
pub use owned::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
pub use split::{ReadHalf, WriteHalf};
pub use ucred::{UCred, gid_t, pid_t, uid_t};
