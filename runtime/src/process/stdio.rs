//! Our ends of a child's standard pipes.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use henge_driver::sys::process::{self as sys, Stdio};

use crate::io::{AsyncRead, AsyncWrite, ReadBuf};
use crate::net::unix::pipe::{Receiver, Sender};

/// The writing end of a child's standard input. Dropped, it is closed, and the child reads the end.
#[derive(Debug)]
pub struct ChildStdin(Sender);

/// The reading end of a child's standard output.
#[derive(Debug)]
pub struct ChildStdout(Receiver);

/// The reading end of a child's standard error.
#[derive(Debug)]
pub struct ChildStderr(Receiver);

impl AsyncWrite for ChildStdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

macro_rules! read {
    ($($pipe:ident)*) => {$(
        impl AsyncRead for $pipe {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                Pin::new(&mut self.0).poll_read(cx, buf)
            }
        }
    )*};
}

macro_rules! pipe {
    ($($pipe:ident holds $end:ident;)*) => {$(
        impl $pipe {
            /// Takes over the standard library's pipe.
            ///
            /// # Errors
            /// If it cannot be made non-blocking.
            pub fn from_std(inner: sys::$pipe) -> io::Result<Self> {
                Ok(Self($end::from_owned_fd(OwnedFd::from(inner))?))
            }

            /// The descriptor, blocking as the standard library's pipes are.
            ///
            /// # Errors
            /// If it cannot be made so.
            pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
                self.0.into_blocking_fd()
            }
        }

        impl AsRawFd for $pipe {
            fn as_raw_fd(&self) -> RawFd {
                self.0.as_raw_fd()
            }
        }

        impl AsFd for $pipe {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        /// To be the standard descriptor of another child.
        impl TryFrom<$pipe> for Stdio {
            type Error = io::Error;

            fn try_from(pipe: $pipe) -> io::Result<Stdio> {
                pipe.into_owned_fd().map(Stdio::from)
            }
        }
    )*};
}

read!(ChildStdout ChildStderr);
pipe! {
    ChildStdin holds Sender;
    ChildStdout holds Receiver;
    ChildStderr holds Receiver;
}
