//! tokio's I/O traits and the utilities that are written against them.
//!
//! henge's streams and files implement these traits themselves, so what is built on them (codecs,
//! TLS, HTTP, WebSockets) works unchanged.

mod copy;
mod memory;
mod standard;

pub use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite,
    AsyncWriteExt, BufReader, BufStream, BufWriter, Chain, Join, Lines, ReadBuf, ReadHalf, Split,
    Take, WriteHalf, copy_bidirectional, copy_bidirectional_with_sizes, join, split,
};

pub use copy::{copy, copy_buf};
pub use memory::{
    DuplexStream, Empty, Repeat, SimplexStream, Sink, duplex, empty, repeat, simplex, sink,
};

#[doc(inline)]
pub use henge_net::readiness::{Interest, Ready};
#[doc(inline)]
pub use henge_net::splice::{SpliceDestination, SpliceSource, splice, tee};

pub use standard::{Stderr, Stdin, Stdout, stderr, stdin, stdout};

/// Foreign descriptors.
pub mod unix {
    #[doc(inline)]
    pub use henge_net::async_fd::{
        AsyncFd, AsyncFdReadyGuard, AsyncFdReadyMutGuard, AsyncFdRegisterError, AsyncFdTryNewError,
        TryIoError,
    };
}

#[doc(no_inline)]
pub use std::io::{Error, ErrorKind, Result, SeekFrom};
