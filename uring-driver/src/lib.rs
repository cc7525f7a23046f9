//! The io_uring driver under henge.
