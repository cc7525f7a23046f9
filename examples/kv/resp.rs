//! The Redis serialization protocol, versions 2 and 3: requests in, replies out.

mod inline;
mod number;
mod parser;
mod piece;
mod reply;

pub use number::{format_double, parse_double, parse_integer};
pub use parser::{Args, MAX_BULK, MAX_INLINE, ParseError, Parser, Span, Status};
pub use piece::{Elements, Piece, Rest};
pub use reply::{Mark, Protocol, Reply, SHARE_FROM};
