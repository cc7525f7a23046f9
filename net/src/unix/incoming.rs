//! The connections of a listener as a stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::stream::UnixStream;
use crate::stream::listener;

/// A stream of connections; see [`UnixListener::incoming`](crate::UnixListener::incoming).
///
/// # Examples
///
/// ```
/// # use henge_net::{UnixListener, UnixStream};
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// # let path = std::env::temp_dir().join(format!("henge-incoming-type-{}", std::process::id()));
/// # let _ = std::fs::remove_file(&path);
/// let listener = UnixListener::bind(&path)?;
/// let incoming: henge_net::unix::Incoming<'_> = listener.incoming();
/// # drop(incoming);
/// # std::fs::remove_file(&path)?;
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
    type Item = io::Result<UnixStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.connections.poll_next(cx).map(|fd| Some(fd.map(UnixStream::new)))
    }
}
