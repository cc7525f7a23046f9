//! What a [`TaskTracker`] hands out.

pub use crate::task_tracker::{
    TaskTracker, TaskTrackerToken, TaskTrackerWaitFuture, TrackedFuture,
};
