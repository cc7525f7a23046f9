//! The names of entries without a slot: the upper half of their number is zero.

pub(super) const CANCEL: u64 = 1 << 24;
pub(super) const TIME_LIMIT: u64 = 2 << 24;
/// Posted on this ring by another driver.
pub(super) const WAKE: u64 = 3 << 24;
/// The poll of this driver's own eventfd.
pub(super) const EVENT: u64 = 4 << 24;
/// A wake that this driver sent; the lower 24 bits say to which peer.
pub(super) const MESSAGE: u64 = 5 << 24;
/// A quiet send; the lower 24 bits say which.
pub(super) const QUIET: u64 = 6 << 24;
pub(super) const KIND: u64 = !0 << 24;
