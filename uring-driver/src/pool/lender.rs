//! How many buffers somebody has lent out.

use std::sync::Arc;

use super::{Piece, RecvBuf};

/// Hands out pieces as [`RecvBuf`]s and counts those that are out, on whatever thread they end.
///
/// A stream has one, so that a reader who keeps what it receives keeps no more than the stream's
/// share of the buffers that all use.
///
/// # Examples
///
/// ```
/// use henge_driver::pool::Lender;
///
/// assert_eq!(Lender::new().out(), 0);
/// ```
#[derive(Debug)]
pub struct Lender {
    /// Each that is out has a clone. Made for the first, since most streams lend nothing.
    mark: Option<Arc<()>>,
}

impl Lender {
    /// One that has lent nothing.
    pub const fn new() -> Lender {
        Lender { mark: None }
    }

    /// Lends a piece.
    pub fn lend(&mut self, piece: Piece) -> RecvBuf {
        RecvBuf::lent(piece, Arc::clone(self.mark.get_or_insert_default()))
    }

    /// How many are out. One that ends on another thread may be counted a moment longer.
    #[inline]
    pub fn out(&self) -> usize {
        self.mark.as_ref().map_or(0, |mark| Arc::strong_count(mark) - 1)
    }
}

impl Default for Lender {
    fn default() -> Lender {
        Lender::new()
    }
}
