//! The attribute macros of henge.
