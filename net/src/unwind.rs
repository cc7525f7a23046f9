//! Sockets may be used on both sides of `catch_unwind`, as those of std and tokio may.
//!
//! They share cells with the driver, so the compiler does not find it out by itself. A panic finds
//! these cells whole: what can panic is a user's code, wakers, buffers and closures, and none of it
//! is called while a cell is borrowed.

use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::{TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use crate::{tcp, unix};

macro_rules! may_be_found_after_a_panic {
    ($($name:ty),* $(,)?) => {$(
        impl UnwindSafe for $name {}
        impl RefUnwindSafe for $name {}
    )*};
}

may_be_found_after_a_panic! {
    TcpListener,
    TcpStream,
    tcp::OwnedReadHalf,
    tcp::OwnedWriteHalf,
    UdpSocket,
    UnixDatagram,
    UnixListener,
    UnixStream,
    unix::OwnedReadHalf,
    unix::OwnedWriteHalf,
    unix::pipe::Receiver,
    unix::pipe::Sender,
}

/// What borrows or holds a descriptor alone is so by itself.
const _: () = {
    const fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    is_unwind_safe::<TcpSocket>();
    is_unwind_safe::<tcp::SharedListener>();
    is_unwind_safe::<tcp::ReadHalf<'static>>();
    is_unwind_safe::<unix::WriteHalf<'static>>();
};
