//! A sharded key-value server that speaks the Redis protocol.
#![forbid(unsafe_code)]

mod alarm;
pub mod aof;
pub mod args;
pub mod batch;
mod catalog;
pub mod commands;
mod config;
pub mod connection;
mod courier;
mod exchange;
pub mod glob;
pub mod info;
pub mod jobs;
mod load;
mod merging;
pub mod notice;
pub mod pipeline;
pub mod requests;
pub mod resp;
pub mod server;
pub mod session;
pub mod shard;
pub mod store;

#[cfg(doctest)]
#[path = "../prose.rs"]
mod prose;
