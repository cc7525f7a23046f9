//! A driver whose deadline is over before it was let run takes what the kernel has given back all
//! the same: nothing of a stream that lives on is lost with it (I3, I9).

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use henge_driver::{Driver, Leaked, ops, submit};
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

/// What a peer does not take while its writer's thread leaves the driver is lost if the writer is
/// dropped there. That it ends is not.
#[test]
fn the_end_of_a_half_is_told_although_its_bytes_are_lost() {
    let driver = Driver::new().expect("a ring");
    let (mut a, _reader, mut writer) = run(&driver, async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let a = TcpStream::connect(listener.local_addr()?).await?;
        let (reader, writer) = listener.accept().await?.0.into_split();
        Ok((a, reader, writer))
    });
    run(&driver, async {
        // Until it waits for room.
        let mut fills = Box::pin(async { while writer.write_all(&[0; 4096]).await.is_ok() {} });
        let mut turns = 0;
        poll_fn(|cx| {
            turns += 1;
            cx.waker().wake_by_ref();
            match fills.as_mut().poll(cx) {
                Poll::Pending if turns < 100 => Poll::Pending,
                _ => Poll::Ready(()),
            }
        })
        .await;
        Ok(())
    });
    driver.hand_over(Duration::ZERO, Duration::from_secs(60)).expect("it turns");
    drop(writer);
    let all = run(&driver, async {
        let mut all = Vec::new();
        let mut ends = pin!(a.read_to_end(&mut all));
        let mut limit = pin!(submit(ops::Timeout::new(Duration::from_secs(60))));
        poll_fn(|cx| match ends.as_mut().poll(cx) {
            Poll::Pending => limit.as_mut().poll(cx).map(|_over| panic!("no end is told")),
            ended => ended,
        })
        .await
    });
    assert!(all > 0);
}
