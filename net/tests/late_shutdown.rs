//! A driver whose deadline is over before it was let run takes what the kernel has given back all
//! the same: nothing of a stream that lives on is lost with it (I3, I9).

use std::future::{Future, poll_fn};
use std::io;
use std::task::Poll;
use std::time::Duration;

use henge_driver::{Driver, Leaked};
use henge_net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn run<T>(driver: &Driver, future: impl Future<Output = io::Result<T>>) -> T {
    driver.block_on(future).expect("the driver turns").expect("no error")
}

#[test]
fn streams_outlive_a_driver_that_has_no_time_left() {
    let first = Driver::new().expect("a ring");
    let (mut a, mut b) = run(&first, async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut a = TcpStream::connect(listener.local_addr()?).await?;
        let (mut b, _) = listener.accept().await?;
        a.write_all(b"1").await?;
        assert_eq!(b.read_u8().await?, b'1');
        // Its receive is armed now, and that of `a` too.
        for stream in [&mut a, &mut b] {
            let mut read = Box::pin(stream.read_u8());
            let pending = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx).is_pending())).await;
            assert!(pending);
        }
        Ok((a, b))
    });
    assert!(first.in_flight() > 0, "a receive is in flight");
    assert_eq!(first.shutdown(Duration::ZERO, Duration::ZERO), Leaked::default());
    drop(first);

    run(&Driver::new().expect("a ring"), async {
        a.write_all(b"2").await?;
        assert_eq!(b.read_u8().await?, b'2');
        b.write_all(b"3").await?;
        assert_eq!(a.read_u8().await?, b'3');
        Ok(())
    });
}
