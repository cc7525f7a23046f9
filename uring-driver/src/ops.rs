//! The operations that need nothing but the driver, one a file.

mod nop;
mod readable;
mod timeout;

pub use nop::Nop;
pub use readable::Readable;
pub use timeout::Timeout;
