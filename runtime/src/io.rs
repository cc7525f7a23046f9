//! tokio's I/O traits and the utilities that are written against them.
//!
//! henge's streams and files implement these traits themselves, so what is built on them (codecs,
//! TLS, HTTP, WebSockets) works unchanged.

mod standard;

pub use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite,
    AsyncWriteExt, BufReader, BufStream, BufWriter, Chain, DuplexStream, Empty, Join, Lines,
    ReadBuf, ReadHalf, Repeat, SimplexStream, Sink, Split, Take, WriteHalf, copy,
    copy_bidirectional, copy_bidirectional_with_sizes, copy_buf, duplex, empty, join, repeat,
    simplex, sink, split,
};

#[doc(inline)]
pub use henge_net::readiness::{Interest, Ready};

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
