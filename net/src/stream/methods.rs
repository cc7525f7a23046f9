//! The methods that several types have in common: streams of both kinds, and their halves.
//!
//! A method belongs to one type, and so does the example in its documentation. Each is written once
//! all the same, in a macro that a type's own file applies to the type. In the examples `a` and `b`
//! are the two ends of a connection, and mostly `a` writes to `b`.

pub(crate) mod ends;
pub(crate) mod half;
pub(crate) mod handle;
pub(crate) mod lend;
pub(crate) mod read;
pub(crate) mod ready;
pub(crate) mod reunite;
pub(crate) mod write;
