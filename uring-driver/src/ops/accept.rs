//! Accept connections until cancelled.

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};

use crate::cqe::Cqe;
use crate::fd::Fd;
use crate::operation::{Next, Operation};
use crate::sqe::Sqe;

/// Who gets the connections of an [`AcceptMultishot`]. Called at home, outside of every borrow.
///
/// ```
/// use henge_driver::ops::{AcceptMultishot, Acceptor};
/// use henge_driver::{Driver, Fd};
/// use std::io;
/// use std::net::{TcpListener, TcpStream};
/// use std::os::fd::OwnedFd;
/// use std::sync::mpsc;
///
/// struct Door(Fd, mpsc::Sender<TcpStream>);
///
/// impl Acceptor for Door {
///     fn listener(&self) -> &Fd { &self.0 }
///     fn accepted(&mut self, connection: io::Result<Fd>, _more: bool) {
///         if let Ok(connection) = connection {
///             self.1.send(OwnedFd::from(connection).into()).expect("somebody listens");
///         }
///     }
/// }
///
/// let driver = Driver::new()?;
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let (let_in, guests) = mpsc::channel();
/// let door = Door(Fd::from(OwnedFd::from(listener)), let_in);
/// driver.submit_detached(AcceptMultishot::new(door));
/// let clients = [TcpStream::connect(address)?, TcpStream::connect(address)?];
/// for client in &clients {
///     let guest = loop {
///         match guests.try_recv() {
///             Ok(guest) => break guest,
///             Err(_) => driver.park(None, || false)?,
///         };
///     };
///     assert_eq!(guest.peer_addr()?, client.local_addr()?);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Acceptor: Send + 'static {
    /// The listening socket; the acceptor keeps it open.
    ///
    /// ```
    /// use henge_driver::{Fd, ops::Acceptor};
    /// use std::{io, net::TcpListener, os::fd::AsRawFd, os::fd::OwnedFd, sync::Arc};
    ///
    /// struct Door(Arc<Fd>); // which others may have too
    ///
    /// impl Acceptor for Door {
    ///     fn listener(&self) -> &Fd { &self.0 }
    ///     fn accepted(&mut self, _connection: io::Result<Fd>, _more: bool) {}
    /// }
    ///
    /// let listener = Arc::new(Fd::from(OwnedFd::from(TcpListener::bind("127.0.0.1:0")?)));
    /// assert_eq!(Door(Arc::clone(&listener)).listener().as_raw_fd(), listener.as_raw_fd());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn listener(&self) -> &Fd;

    /// One connection, or the reason why there was none. Without `more` this was the last call:
    /// the operation has ended.
    ///
    /// ```
    /// # use henge_driver::ops::{AcceptMultishot, Acceptor};
    /// # use henge_driver::{Driver, Fd};
    /// # use std::{io, net::TcpListener, os::fd::OwnedFd, sync::mpsc};
    /// struct Door(Fd, mpsc::Sender<Option<i32>>);
    ///
    /// impl Acceptor for Door {
    ///     # fn listener(&self) -> &Fd { &self.0 }
    ///     fn accepted(&mut self, connection: io::Result<Fd>, more: bool) {
    ///         if !more {
    ///             let why = connection.err().and_then(|error| error.raw_os_error());
    ///             self.1.send(why).expect("somebody listens");
    ///         }
    ///     }
    /// }
    ///
    /// const ECANCELED: i32 = 125;
    /// let driver = Driver::new()?;
    /// let listener = Fd::from(OwnedFd::from(TcpListener::bind("127.0.0.1:0")?));
    /// let (tell, told) = mpsc::channel();
    /// let accept = driver.submit_detached(AcceptMultishot::new(Door(listener, tell)));
    /// driver.cancel(accept);
    /// while driver.is_in_flight(accept) {
    ///     driver.park(None, || false)?;
    /// }
    /// assert_eq!(told.recv(), Ok(Some(ECANCELED)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn accepted(&mut self, connection: io::Result<Fd>, more: bool);
}

/// Accepts until it is cancelled or fails.
///
/// ```
/// # use henge_driver::ops::{AcceptMultishot, Acceptor};
/// # use henge_driver::{Driver, Fd};
/// # use std::{io, net::TcpListener, net::TcpStream, os::fd::OwnedFd, sync::mpsc};
/// # struct Door(Fd, mpsc::Sender<()>);
/// # impl Acceptor for Door {
/// #     fn listener(&self) -> &Fd { &self.0 }
/// #     fn accepted(&mut self, connection: io::Result<Fd>, _more: bool) {
/// #         if connection.is_ok() {
/// #             self.1.send(()).expect("somebody listens");
/// #         }
/// #     }
/// # }
/// let driver = Driver::new()?;
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// # let (knock, knocks) = mpsc::channel();
/// # let door = Door(Fd::from(OwnedFd::from(listener)), knock);
/// driver.submit_detached(AcceptMultishot::new(door));
/// for _ in 0..3 {
///     let _client = TcpStream::connect(address)?;
///     while knocks.try_recv().is_err() {
///         driver.park(None, || false)?;
///     }
/// }
/// assert_eq!(driver.counters().submissions, 1); // one request, three connections
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct AcceptMultishot<A>(A);

impl<A: Acceptor> AcceptMultishot<A> {
    /// Accepts for `acceptor`.
    ///
    /// ```
    /// # use henge_driver::ops::{AcceptMultishot, Acceptor};
    /// # use henge_driver::{Driver, Fd};
    /// # use std::{io, net::TcpListener, os::fd::OwnedFd};
    /// struct Door(Fd);
    ///
    /// impl Acceptor for Door {
    ///     fn listener(&self) -> &Fd { &self.0 }
    ///     fn accepted(&mut self, _nobody: io::Result<Fd>, _more: bool) {}
    /// }
    ///
    /// let driver = Driver::new()?;
    /// let door = Door(Fd::from(OwnedFd::from(TcpListener::bind("127.0.0.1:0")?)));
    /// let accept = driver.submit_detached(AcceptMultishot::new(door)); // the listener is its own
    /// driver.turn()?;
    /// assert!(driver.is_in_flight(accept));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(acceptor: A) -> AcceptMultishot<A> {
        AcceptMultishot(acceptor)
    }
}

// SAFETY: the entry points to no memory.
unsafe impl<A: Acceptor> Operation for AcceptMultishot<A> {
    type Output = ();

    fn prepare(&mut self) -> Sqe {
        Sqe::accept_multishot(self.0.listener())
    }

    fn complete(&mut self, cqe: Cqe) -> Next<()> {
        let connection = cqe.into_result().map(|fd| {
            // SAFETY: the kernel has just installed this descriptor for us, in the table of this
            // process, and told nobody else.
            Fd::from(unsafe { OwnedFd::from_raw_fd(fd.cast_signed()) })
        });
        self.0.accepted(connection, cqe.has_more());
        if cqe.has_more() { Next::More(()) } else { Next::Done(()) }
    }
}
