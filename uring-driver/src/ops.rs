//! The operations that need nothing but the driver, one a file.

mod close;
mod fsync;
mod nop;
mod open;
mod read_at;
mod readable;
mod stat;
mod timeout;
mod truncate;
mod write_at;

pub use close::Close;
pub use fsync::Fsync;
pub use nop::Nop;
pub use open::Open;
pub use read_at::{ReadAt, ReadVectoredAt};
pub use readable::Readable;
pub use stat::Stat;
pub use timeout::Timeout;
pub use truncate::Truncate;
pub use write_at::{WriteAt, WriteVectoredAt};
