//! What a runtime's shards are watched for, beyond what is always counted.

use std::sync::Arc;

use crate::executor::gauge::Gauge;
use crate::executor::roster::Roster;
use crate::histogram::HistogramConfiguration;

/// Nothing, unless asked for: it costs a look at the clock before and after each poll.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// How long polls take.
    pub(super) histogram: Option<HistogramConfiguration>,
    /// Which task it is that takes long.
    pub(crate) roster: Option<Arc<Roster>>,
}

impl Watch {
    /// For one shard.
    pub(super) fn gauge(&self) -> Option<Arc<Gauge>> {
        if self.histogram.is_none() && self.roster.is_none() {
            return None;
        }
        Some(Arc::new(Gauge::new(self.histogram.as_ref(), self.roster.clone())))
    }
}
