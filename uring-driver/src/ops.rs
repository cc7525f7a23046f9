//! The operations that need nothing but the driver, one a file.

mod nop;
mod timeout;

pub use nop::Nop;
pub use timeout::Timeout;
