//! Whole files past the kernel's cache, by those who have something for it.

use contestant::files::{self, LONG};
use contestant::{Meter, Row};

use crate::pages_peer;
use crate::peer;

/// The table from its beginning to its end.
pub fn direct() -> Row {
    peer::run(|| async {
        let table = files::table();
        let meter = Meter::start();
        let bytes = pages_peer::stream(&table).await;
        meter.stop(bytes / LONG as u64)
    })
}
