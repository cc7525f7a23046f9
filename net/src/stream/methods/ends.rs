//! What differs between the kinds of stream in the examples.

/// The lines that make `a` and `b`, the two ends of a connection of this kind; and `$half`, the
/// line that takes a half from one of them.
macro_rules! ends {
    (TcpStream $(, $half:literal)?) => {
        concat!(
            "# use henge_net::{TcpListener, TcpStream};\n",
            "# use tokio::io::{AsyncReadExt, AsyncWriteExt};\n",
            "# let driver = henge_driver::Driver::new()?;\n",
            "# driver.block_on(async {\n",
            "# let listener = TcpListener::bind(\"127.0.0.1:0\").await?;\n",
            "let mut a = TcpStream::connect(listener.local_addr()?).await?;\n",
            "let (mut b, _) = listener.accept().await?;",
            $("\n", $half,)?
        )
    };
    (UnixStream $(, $half:literal)?) => {
        concat!(
            "# use henge_net::UnixStream;\n",
            "# use tokio::io::{AsyncReadExt, AsyncWriteExt};\n",
            "# let driver = henge_driver::Driver::new()?;\n",
            "# driver.block_on(async {\n",
            "let (mut a, mut b) = UnixStream::pair()?;",
            $("\n", $half,)?
        )
    };
}

/// The lines that compare the addresses of `half`, which is of `b`, with those of `a`.
macro_rules! addresses {
    (TcpStream) => {
        concat!(
            "assert_eq!(half.local_addr()?, a.peer_addr()?);\n",
            "assert_eq!(half.peer_addr()?, a.local_addr()?);",
        )
    };
    (UnixStream) => {
        concat!(
            "assert!(half.local_addr()?.is_unnamed());\n",
            "assert!(half.peer_addr()?.is_unnamed());",
        )
    };
}

pub(crate) use {addresses, ends};
