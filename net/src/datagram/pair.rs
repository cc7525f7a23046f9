//! What differs between the kinds of socket in the examples.

/// The lines that make `a` and `b`, two sockets of this kind that are connected to each other.
macro_rules! pair {
    (UdpSocket) => {
        concat!(
            "# use henge_net::UdpSocket;\n",
            "# let driver = henge_driver::Driver::new()?;\n",
            "# driver.block_on(async {\n",
            "let a = UdpSocket::bind(\"127.0.0.1:0\").await?;\n",
            "let b = UdpSocket::bind(\"127.0.0.1:0\").await?;\n",
            "a.connect(b.local_addr()?).await?;\n",
            "b.connect(a.local_addr()?).await?;",
        )
    };
    (UnixDatagram) => {
        concat!(
            "# use henge_net::UnixDatagram;\n",
            "# let driver = henge_driver::Driver::new()?;\n",
            "# driver.block_on(async {\n",
            "let (a, b) = UnixDatagram::pair()?;",
        )
    };
}

/// The lines that make `a` and `b`, two sockets of this kind, and send a datagram from `a` to `b`.
macro_rules! sent {
    (UdpSocket) => {
        concat!(
            "# use henge_net::UdpSocket;\n",
            "# let driver = henge_driver::Driver::new()?;\n",
            "# driver.block_on(async {\n",
            "let a = UdpSocket::bind(\"127.0.0.1:0\").await?;\n",
            "let b = UdpSocket::bind(\"127.0.0.1:0\").await?;\n",
            "a.send_to(b\"hello\", b.local_addr()?).await?;",
        )
    };
    (UnixDatagram) => {
        concat!(
            "# use henge_net::UnixDatagram;\n",
            "# let driver = henge_driver::Driver::new()?;\n",
            "# driver.block_on(async {\n",
            "let (a, b) = UnixDatagram::pair()?;\n",
            "a.send(b\"hello\").await?;",
        )
    };
}

/// The line that looks at `from`, the sender of a datagram that `a` has sent.
macro_rules! sent_by_a {
    (UdpSocket) => {
        "assert_eq!(from, a.local_addr()?);"
    };
    (UnixDatagram) => {
        "assert!(from.is_unnamed());"
    };
}

pub(crate) use {pair, sent, sent_by_a};
