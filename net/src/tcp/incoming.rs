//! The connections of a listener as a stream.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use henge_driver::coop;

use super::accept::{Place, Queue};
use super::stream::TcpStream;

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
    queue: &'a Arc<Queue>,
    place: Place<'a>,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(queue: &'a Arc<Queue>) -> Incoming<'a> {
        Incoming { queue, place: Place::new(queue) }
    }
}

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let progress = ready!(coop::poll_proceed(cx));
        let fd = ready!(self.place.poll(cx));
        progress.made_progress();
        self.place = Place::new(self.queue);
        Poll::Ready(Some(fd.map(TcpStream::new)))
    }
}
