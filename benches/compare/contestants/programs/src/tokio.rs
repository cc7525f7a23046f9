//! The programs, on tokio.

#![deny(unsafe_code)]

use tokio as rt;

mod programs;

fn main() {
    programs::run();
}
