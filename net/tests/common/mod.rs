//! What several tests of streams begin with.

use std::io;

use henge_driver::Driver;
use henge_net::{TcpListener, TcpStream};

/// A stream of `driver`, and the other end.
pub(crate) fn pair(driver: &Driver) -> (TcpStream, std::net::TcpStream) {
    let ends = driver.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let peer = std::net::TcpStream::connect(listener.local_addr()?)?;
        io::Result::Ok((listener.accept().await?.0, peer))
    });
    while driver.in_flight() > 0 {
        // The listener's accept is cancelled.
        driver.turn().expect("it turns");
    }
    ends.expect("the driver turns").expect("they connect")
}
