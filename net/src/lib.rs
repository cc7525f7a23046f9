//! Sockets and pipes on the henge driver, with tokio's names, tokio's I/O traits, and nothing lost
//! on a drop.
//!
//! In a program that depends on `henge`, this crate is `henge::net`. The examples here run without
//! the runtime: read `henge::net` for `henge_net`, `henge::driver` for `henge_driver`, and
//! `henge::io` for `tokio::io`.
//!
//! A [`TcpListener`] owns its accept queue and a [`TcpStream`] its receive queue and its send
//! queue. The futures of `accept`, `read` and `write` only look into them, so dropping one, at any
//! moment, loses no connection and no byte.
//!
//! It knows the driver and nothing above it: it spawns nothing and reads no clock.
//!
//! ```
//! use henge_net::{TcpListener, TcpStream};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # let driver = henge_driver::Driver::new()?;
//! # driver.block_on(async {
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let mut client = TcpStream::connect(listener.local_addr()?).await?;
//! let (mut server, _peer) = listener.accept().await?;
//!
//! client.write_all(b"hello").await?;
//! let mut word = [0; 5];
//! server.read_exact(&mut word).await?;
//! assert_eq!(&word, b"hello");
//! # std::io::Result::Ok(())
//! # })??;
//! # Ok::<(), std::io::Error>(())
//! ```

//!
//! # Which call goes where
//!
//! *Directly*: a system call that cannot wait; where it would have to, a poll on the ring tells
//! when to try again. *Ring*: an operation. In tasks that move all transfers are direct.
//!
//! | call | directly | ring |
//! |---|---|---|
//! | `connect` of streams | | `CONNECT`, with a limit `LINK_TIMEOUT` |
//! | `accept` | | multishot `ACCEPT` |
//! | reads of streams | streams of large messages | multishot `RECV` |
//! | [`TcpStream::read_owned`] | | `RECV` |
//! | writes to streams | from 4 KiB on; what one stream alone has gathered | `SEND` |
//! | [`TcpStream::write_owned`] | | `SEND`, `SEND_ZC` if [asked for](TcpStream::set_zero_copy) |
//! | [`TcpStream::send_file`] | `sendfile` of what is in memory | else `READ` and `SEND` |
//! | `try_` calls, `peek`, passing descriptors | yes | |
//! | [`splice()`](splice::splice), [`tee`](splice::tee) | yes | |
//! | between a file and a pipe | from files in memory | `SPLICE` |
//! | [`UdpSocket`], [`UnixDatagram`], [pipes](unix::pipe) | yes | |
//! | readiness | | `POLL_ADD`, multishot where it is kept |
//! | [`lookup_host`] | | the driver's blocking pool |

#![deny(unsafe_code)]

mod addr;
pub mod async_fd;
mod buf;
mod datagram;
mod descriptor;
pub mod message;
pub mod readiness;
pub mod splice;
mod stream;
pub mod tcp;
pub mod udp;
pub mod unix;
mod unwind;
mod waiters;

pub use henge_driver::pool::RecvBuf;

pub use addr::{ToSocketAddrs, lookup_host};
pub use tcp::listener::TcpListener;
pub use tcp::socket::TcpSocket;
pub use tcp::stream::TcpStream;
pub use udp::UdpSocket;
pub use unix::datagram::UnixDatagram;
pub use unix::listener::UnixListener;
pub use unix::socket::UnixSocket;
pub use unix::stream::UnixStream;
