//! What is refused is refused as the kernel and std do it, with their numbers and words.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

use henge_driver::Driver;
use henge_net::{TcpListener, TcpStream, UdpSocket, UnixStream, lookup_host};
use tokio::io::AsyncWriteExt;

fn run<T>(future: impl Future<Output = T>) -> T {
    Driver::new().expect("a ring").block_on(future).expect("the driver turns")
}

/// What a program can see of an error.
fn told<T>(result: io::Result<T>) -> Option<(io::ErrorKind, Option<i32>, String)> {
    result.err().map(|error| (error.kind(), error.raw_os_error(), error.to_string()))
}

#[test]
fn addresses_that_are_none() {
    run(async {
        for text in ["", "localhost", "127.0.0.1", "localhost:", "localhost:70000", "x:y:z"] {
            let std = told(text.to_socket_addrs());
            assert!(std.is_some(), "{text:?}");
            assert_eq!(told(lookup_host(text).await), std, "{text:?}");
            assert_eq!(told(TcpStream::connect(text).await), std, "{text:?}");
            assert_eq!(told(TcpListener::bind(text).await), std, "{text:?}");
        }
        let none: &[SocketAddr] = &[];
        let refused = (io::ErrorKind::InvalidInput, None);
        let text = |text: &str| Some((refused.0, refused.1, text.to_owned()));
        assert_eq!(told(TcpStream::connect(none).await), text("could not resolve to any address"));
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        assert_eq!(told(socket.send_to(b"", none).await), text("no addresses to send data to"));
    });
}

#[test]
fn an_address_that_this_driver_listens_at() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("it is bound");
        let std = told(std::net::TcpListener::bind(address));
        assert!(std.is_some());
        assert_eq!(told(TcpListener::bind(address).await), std);
    });
}

#[test]
fn a_write_after_shutdown() {
    run(async {
        let (mut a, _b) = UnixStream::pair().expect("two streams");
        a.shutdown().await.expect("it is open");
        let (mut std, _peer) = std::os::unix::net::UnixStream::pair().expect("two streams");
        std.shutdown(std::net::Shutdown::Write).expect("it is open");
        let expected = told(io::Write::write(&mut std, b"x"));
        assert!(expected.is_some());
        assert_eq!(told(a.write(b"x").await), expected);
        assert_eq!(told(a.try_write(b"x")), expected);
    });
}
