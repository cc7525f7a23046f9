//! TCP's types, and the halves of a stream.

pub(crate) mod incoming;
pub(crate) mod listener;
pub(crate) mod owned;
mod peek;
mod shared;
pub(crate) mod socket;
pub(crate) mod split;
pub(crate) mod stream;

pub use incoming::Incoming;
pub use owned::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
pub use shared::SharedListener;
pub use split::{ReadHalf, WriteHalf};
