//! Round trips between two tasks of one thread over the runtime's own bounded channels.

use contestant::{Meter, Row};

use crate::peer;

/// There and back again over two channels of capacity one.
pub fn channel_round_trip() -> Row {
    const TRIPS: u64 = 300_000;
    const WARM: u64 = 10_000;
    peer::run(|| async {
        let (to_other, mut at_other) = peer::channel();
        let (to_us, mut at_us) = peer::channel();
        let other = peer::spawn(async move {
            for _ in 0..WARM + TRIPS {
                peer::receive(&mut at_other).await;
                peer::send(&to_us).await;
            }
        });
        let mut meter = Meter::start();
        for trip in 0..WARM + TRIPS {
            if trip == WARM {
                meter = Meter::start();
            }
            peer::send(&to_other).await;
            peer::receive(&mut at_us).await;
        }
        let row = meter.stop(TRIPS);
        _ = other.await;
        row
    })
}
