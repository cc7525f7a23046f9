//! What can be resolved to socket addresses, and the look-up itself.

mod of_socket;

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use henge_driver::offload::Class;
use henge_driver::sys::socket;
use henge_driver::{Driver, current};

pub(crate) use of_socket::OfSocket;

/// What can be resolved to one or more [`SocketAddr`]s: tokio's trait of the same name.
///
/// It is implemented for socket addresses, for pairs of an IP address and a port, for slices of
/// addresses, for `"host:port"` strings, and for pairs of a host name and a port. Names go to the
/// system's resolver, on a thread of the driver's blocking pool; addresses in text do not.
///
/// The trait is sealed: it says what `bind` and `connect` take, and has nothing to call.
///
/// ```
/// # use henge_net::{TcpListener, ToSocketAddrs};
/// async fn listen(at: impl ToSocketAddrs) -> std::io::Result<TcpListener> {
///     TcpListener::bind(at).await
/// }
///
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// listen("127.0.0.1:0").await?;
/// listen(("127.0.0.1", 0)).await?;
/// listen((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ToSocketAddrs: sealed::Resolve {}

/// Resolves `host` to its addresses.
///
/// # Errors
///
/// `InvalidInput` if `host` is no `name:port`, and what the resolver answers.
///
/// # Cancel safety
///
/// Cancel safe: a look-up that has begun goes on, and nobody sees its result.
///
/// ```
/// # let driver = henge_driver::Driver::new()?;
/// # driver.block_on(async {
/// let mut addresses = henge_net::lookup_host("127.0.0.1:80").await?;
/// assert_eq!(addresses.next(), Some(([127, 0, 0, 1], 80).into()));
/// # std::io::Result::Ok(())
/// # })??;
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn lookup_host<T: ToSocketAddrs>(
    host: T,
) -> io::Result<impl Iterator<Item = SocketAddr>> {
    resolve(host).await
}

/// Resolves to the list of addresses, for `bind` and `connect`.
pub(crate) fn resolve<T: ToSocketAddrs>(host: T) -> Resolving {
    host.resolve(sealed::Internal)
}

/// Resolves, and tries the addresses one after the other; the last failure counts.
pub(crate) fn none_resolved() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address")
}

/// A look-up: of an address, which has its result already, or of a name.
#[derive(Debug)]
pub struct Resolving(State);

enum State {
    Known(Option<io::Result<Addresses>>),
    Asked(Pin<Box<dyn Future<Output = io::Result<Addresses>> + Send + Sync>>),
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            State::Known(known) => f.debug_tuple("Known").field(known).finish(),
            State::Asked(_) => f.debug_tuple("Asked").finish_non_exhaustive(),
        }
    }
}

/// The addresses found: one without an allocation, or many.
#[derive(Debug)]
pub enum Addresses {
    One(Option<SocketAddr>),
    Many(vec::IntoIter<SocketAddr>),
}

impl Iterator for Addresses {
    type Item = SocketAddr;

    fn next(&mut self) -> Option<SocketAddr> {
        match self {
            Addresses::One(address) => address.take(),
            Addresses::Many(addresses) => addresses.next(),
        }
    }
}

impl Future for Resolving {
    type Output = io::Result<Addresses>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Known(known) => {
                Poll::Ready(known.take().unwrap_or_else(|| Err(none_resolved())))
            }
            State::Asked(lookup) => lookup.as_mut().poll(cx),
        }
    }
}

impl Resolving {
    fn known(address: impl Into<SocketAddr>) -> Resolving {
        Resolving(State::Known(Some(Ok(Addresses::One(Some(address.into()))))))
    }

    fn failed(why: &'static str) -> Resolving {
        Resolving(State::Known(Some(Err(io::Error::new(io::ErrorKind::InvalidInput, why)))))
    }

    fn named(host: &str, port: u16) -> Resolving {
        let host = host.to_owned();
        Resolving(State::Asked(Box::pin(async move {
            let pool = current::with(Driver::blocking)?;
            let found = pool.spawn(Class::System, move || socket::resolve(&host, port)).await;
            let found = found.map_err(|error| io::Error::other(error.to_string()))??;
            Ok(Addresses::Many(found.into_iter()))
        })))
    }
}

mod sealed {
    use super::Resolving;

    /// Keeps `resolve` from being called from outside.
    #[derive(Debug)]
    pub struct Internal;

    /// What `ToSocketAddrs` hides.
    pub trait Resolve {
        fn resolve(&self, _: Internal) -> Resolving;
    }
}

use sealed::{Internal, Resolve};

macro_rules! addresses {
    ($($type:ty,)*) => {$(
        impl ToSocketAddrs for $type {}
        impl Resolve for $type {
            fn resolve(&self, _: Internal) -> Resolving {
                Resolving::known(*self)
            }
        }
    )*};
}

addresses! {
    SocketAddr,
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16),
}

impl ToSocketAddrs for &[SocketAddr] {}
impl Resolve for &[SocketAddr] {
    fn resolve(&self, _: Internal) -> Resolving {
        Resolving(State::Known(Some(Ok(Addresses::Many(Vec::from(*self).into_iter())))))
    }
}

impl ToSocketAddrs for str {}
impl Resolve for str {
    fn resolve(&self, _: Internal) -> Resolving {
        if let Ok(address) = self.parse::<SocketAddr>() {
            return Resolving::known(address);
        }
        let Some((host, port)) = self.rsplit_once(':') else {
            return Resolving::failed("invalid socket address");
        };
        match port.parse() {
            Ok(port) => Resolving::named(host, port),
            Err(_) => Resolving::failed("invalid port value"),
        }
    }
}

impl ToSocketAddrs for (&str, u16) {}
impl Resolve for (&str, u16) {
    fn resolve(&self, _: Internal) -> Resolving {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(ip) => Resolving::known((ip, port)),
            Err(_) => Resolving::named(host, port),
        }
    }
}

impl ToSocketAddrs for String {}
impl Resolve for String {
    fn resolve(&self, internal: Internal) -> Resolving {
        self.as_str().resolve(internal)
    }
}

impl ToSocketAddrs for (String, u16) {}
impl Resolve for (String, u16) {
    fn resolve(&self, internal: Internal) -> Resolving {
        (self.0.as_str(), self.1).resolve(internal)
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {}
impl<T: ToSocketAddrs + ?Sized> Resolve for &T {
    fn resolve(&self, internal: Internal) -> Resolving {
        (**self).resolve(internal)
    }
}

/// As tokio's: some programs box them as `dyn Future + Send + Sync`.
#[test]
fn futures_that_look_names_up_may_be_shared() {
    fn shared<F: Future + Send + Sync>(_: F) {}
    shared(lookup_host("localhost:1"));
    shared(crate::TcpListener::bind("localhost:1"));
    shared(crate::TcpStream::connect("localhost:1"));
    shared(crate::UdpSocket::bind("localhost:1"));
}
