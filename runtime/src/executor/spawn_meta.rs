//! What is known of a task before it is made, for those who watch tasks.

use std::panic::Location;

/// Where a task was spawned and, if there is more to say, what it is. Two words, for spawning is
/// quick and most often nobody looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpawnMeta<'a> {
    pub(crate) location: &'static Location<'static>,
    details: Option<&'a Details<'a>>,
}

/// What a task is, and what it is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Details<'a> {
    #[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only spans say it"))]
    pub(crate) kind: Kind,
    pub(crate) name: Option<&'a str>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Task,
    Local,
    Blocking,
    BlockOn,
}

impl<'a> SpawnMeta<'a> {
    /// A task that the caller of whoever calls this spawns.
    #[track_caller]
    #[inline]
    pub(crate) fn new() -> Self {
        Self::at(Location::caller())
    }

    #[inline]
    pub(crate) fn at(location: &'static Location<'static>) -> Self {
        Self { location, details: None }
    }

    #[inline]
    pub(crate) fn with(self, details: &'a Details<'a>) -> Self {
        Self { details: Some(details), ..self }
    }

    pub(crate) fn details(self) -> Details<'a> {
        self.details.copied().unwrap_or(Details::of(Kind::Task, None))
    }
}

impl<'a> Details<'a> {
    pub(crate) const LOCAL: &'static Details<'static> = &Details::of(Kind::Local, None);
    pub(crate) const BLOCKING: &'static Details<'static> = &Details::of(Kind::Blocking, None);
    pub(crate) const BLOCK_ON: &'static Details<'static> = &Details::of(Kind::BlockOn, None);

    pub(crate) const fn of(kind: Kind, name: Option<&'a str>) -> Self {
        Self { kind, name }
    }
}
