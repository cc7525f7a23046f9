//! The blocking pool: a closure that does nothing, there and back.

use contestant::{Meter, Row};

use crate::peer;

/// One closure at a time, with the pool's thread on the same core.
pub fn round_trip() -> Row {
    peer::run(|| async {
        for _ in 0..1_000 {
            _ = peer::spawn_blocking(|| ()).await;
        }
        let meter = Meter::start();
        for _ in 0..20_000 {
            _ = peer::spawn_blocking(|| ()).await;
        }
        meter.stop(20_000)
    })
}
