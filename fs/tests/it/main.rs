//! Files under the driver's own `block_on`, without any runtime.

mod common;
mod files;
mod paths;
mod streams;
