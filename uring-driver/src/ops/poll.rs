//! Being told, again and again, that a descriptor has become ready.

use std::io;
use std::os::fd::RawFd;

use crate::cqe::Cqe;
use crate::operation::{Next, Operation};
use crate::sqe::Sqe;

/// Who is told by a [`PollMultishot`]. Called at home, outside of every borrow.
///
/// ```
/// use henge_driver::Driver;
/// use henge_driver::ops::{PollMultishot, Watcher, events};
/// use std::io::{self, PipeReader, Write};
/// use std::os::fd::{AsRawFd, RawFd};
/// use std::sync::mpsc;
///
/// struct Watch(PipeReader, mpsc::Sender<u32>);
///
/// impl Watcher for Watch {
///     fn descriptor(&self) -> RawFd { self.0.as_raw_fd() }
///     fn told(&mut self, events: io::Result<u32>, _more: bool) {
///         if let Ok(events) = events {
///             self.1.send(events).expect("somebody listens");
///         }
///     }
/// }
///
/// let driver = Driver::new()?;
/// let (reader, mut writer) = io::pipe()?;
/// let (tell, told) = mpsc::channel();
/// driver.submit_detached(PollMultishot::new(Watch(reader, tell), events::IN));
/// writer.write_all(b"!")?;
/// let events = loop {
///     match told.try_recv() {
///         Ok(events) => break events,
///         Err(_) => driver.park(None, || false)?,
///     };
/// };
/// assert_eq!(events, events::IN);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Watcher: Send + 'static {
    /// The descriptor that is watched. It should be open when the entry is submitted; a number that
    /// names another file by then tells of that one.
    ///
    /// ```
    /// use henge_driver::ops::Watcher;
    /// use std::{io, net::UdpSocket, os::fd::AsRawFd, os::fd::RawFd, sync::Arc};
    ///
    /// struct Watch(Arc<UdpSocket>); // stays open for as long as it is watched
    ///
    /// impl Watcher for Watch {
    ///     fn descriptor(&self) -> RawFd { self.0.as_raw_fd() }
    ///     fn told(&mut self, _events: io::Result<u32>, _more: bool) {}
    /// }
    ///
    /// let socket = Arc::new(UdpSocket::bind("127.0.0.1:0")?);
    /// assert_eq!(Watch(Arc::clone(&socket)).descriptor(), socket.as_raw_fd());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn descriptor(&self) -> RawFd;

    /// The events (see [`events`](super::events)) that were there, or why there will be
    /// none. Without `more` this was the last call: the operation has ended.
    ///
    /// ```
    /// # use henge_driver::Driver;
    /// # use henge_driver::ops::{PollMultishot, Watcher, events};
    /// # use std::io::{self, PipeReader};
    /// # use std::os::fd::{AsRawFd, RawFd};
    /// # use std::sync::mpsc;
    /// struct Watch(PipeReader, mpsc::Sender<(bool, bool)>);
    ///
    /// impl Watcher for Watch {
    ///     # fn descriptor(&self) -> RawFd { self.0.as_raw_fd() }
    ///     fn told(&mut self, events: io::Result<u32>, more: bool) {
    ///         self.1.send((events.is_ok(), more)).expect("somebody listens");
    ///     }
    /// }
    ///
    /// let driver = Driver::new()?;
    /// let (reader, _silent) = io::pipe()?;
    /// let (tell, told) = mpsc::channel();
    /// let watch = driver.submit_detached(PollMultishot::new(Watch(reader, tell), events::IN));
    /// driver.cancel(watch);
    /// while driver.is_in_flight(watch) {
    ///     driver.park(None, || false)?;
    /// }
    /// assert_eq!(told.recv(), Ok((false, false))); // no events, and that was the last call
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn told(&mut self, events: io::Result<u32>, more: bool);
}

/// Tells of each event until it is cancelled or fails: first of what is there, then of what comes,
/// and not again of what is still there.
///
/// ```
/// # use henge_driver::Driver;
/// # use henge_driver::ops::{PollMultishot, Watcher, events};
/// # use std::io::{self, PipeReader, Write};
/// # use std::os::fd::{AsRawFd, RawFd};
/// # use std::sync::mpsc;
/// # struct Watch(PipeReader, mpsc::Sender<u32>);
/// # impl Watcher for Watch {
/// #     fn descriptor(&self) -> RawFd { self.0.as_raw_fd() }
/// #     fn told(&mut self, events: io::Result<u32>, _more: bool) {
/// #         if let Ok(events) = events {
/// #             self.1.send(events).expect("somebody listens");
/// #         }
/// #     }
/// # }
/// let driver = Driver::new()?;
/// let (reader, mut writer) = io::pipe()?;
/// # let (tell, told) = mpsc::channel();
/// # let watch = Watch(reader, tell);
/// driver.submit_detached(PollMultishot::new(watch, events::IN));
/// for _ in 0..3 {
///     writer.write_all(b"!")?; // what came before has not been read
///     while told.try_recv().is_err() {
///         driver.park(None, || false)?;
///     }
/// }
/// assert_eq!(driver.counters().submissions, 1); // one request, three events
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct PollMultishot<W> {
    watcher: W,
    events: u32,
}

impl<W: Watcher> PollMultishot<W> {
    /// Tells `watcher` of `events`; errors and hang-ups come unasked.
    ///
    /// ```
    /// # use henge_driver::Driver;
    /// # use henge_driver::ops::{PollMultishot, Watcher, events};
    /// # use std::io::{self, PipeReader};
    /// # use std::os::fd::{AsRawFd, RawFd};
    /// # use std::sync::mpsc;
    /// # struct Watch(PipeReader, mpsc::Sender<u32>);
    /// # impl Watcher for Watch {
    /// #     fn descriptor(&self) -> RawFd { self.0.as_raw_fd() }
    /// #     fn told(&mut self, events: io::Result<u32>, _more: bool) {
    /// #         if let Ok(events) = events {
    /// #             self.1.send(events).expect("somebody listens");
    /// #         }
    /// #     }
    /// # }
    /// let driver = Driver::new()?;
    /// let (reader, writer) = io::pipe()?;
    /// # let (tell, told) = mpsc::channel();
    /// # let watch = Watch(reader, tell);
    /// driver.submit_detached(PollMultishot::new(watch, 0));
    /// drop(writer); // a hang-up comes unasked
    /// # loop {
    /// #     match told.try_recv() {
    /// #         Ok(told) => break assert_eq!(told, events::HUP),
    /// #         Err(_) => driver.park(None, || false)?,
    /// #     };
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(watcher: W, events: u32) -> PollMultishot<W> {
        PollMultishot { watcher, events }
    }
}

// SAFETY: the entry points to no memory. Its descriptor is a number that the kernel looks up when
// it is submitted, and holds the file of from then on: one that was closed before is no danger to
// memory, since a poll transfers nothing.
unsafe impl<W: Watcher> Operation for PollMultishot<W> {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        Sqe::poll_number(self.watcher.descriptor(), self.events).with_poll_multishot()
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        self.watcher.told(cqe.into_result(), cqe.has_more());
        if cqe.has_more() { Next::More(()) } else { Next::Done(()) }
    }
}
