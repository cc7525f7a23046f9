//! What it costs to have a runtime for a moment, as every test of a program does.

use contestant::{Meter, Row};

use crate::peer;

/// A runtime of one thread made, a future run on it that does nothing, and the runtime dropped.
pub fn one() -> Row {
    repeated(|| peer::run(|| async {}))
}

/// The same of two shards (threads with a runtime each, or workers of one), a future on each.
pub fn pair() -> Row {
    repeated(|| peer::pair(|| async {}, || async {}))
}

fn repeated(once: impl Fn()) -> Row {
    const WARM: u64 = 20;
    const TIMES: u64 = 300;
    for _ in 0..WARM {
        once();
    }
    let meter = Meter::start();
    for _ in 0..TIMES {
        once();
    }
    meter.stop(TIMES)
}
