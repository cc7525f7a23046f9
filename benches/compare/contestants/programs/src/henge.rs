//! The programs, on henge.

#![deny(unsafe_code)]

use henge as rt;

mod programs;

fn main() {
    programs::run();
}
