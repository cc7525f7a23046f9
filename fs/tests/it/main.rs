//! Files under the driver's own `block_on`, without any runtime.

mod common;
mod direct;
mod dropped;
mod files;
mod forgotten;
mod gathered;
mod hard_places;
mod paths;
mod refusals;
mod streams;
mod unwritten;
mod ways;
