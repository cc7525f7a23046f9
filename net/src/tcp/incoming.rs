//! The connections of a listener as a stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::stream::TcpStream;
use crate::stream::listener;

/// A stream of connections; see [`TcpListener::incoming`](crate::TcpListener::incoming).
///
/// # Examples
///
/// ```
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let listener = henge_net::TcpListener::bind("127.0.0.1:0").await?;
/// let incoming: henge_net::tcp::Incoming<'_> = listener.incoming();
/// # drop(incoming);
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Incoming<'a> {
    connections: listener::Incoming<'a>,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(connections: listener::Incoming<'a>) -> Incoming<'a> {
        Incoming { connections }
    }
}

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.connections.poll_next(cx).map(|fd| Some(fd.map(TcpStream::new)))
    }
}
