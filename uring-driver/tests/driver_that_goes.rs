//! A driver that ends while its thread is asked for it.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::Pin;
use std::task::{Context, Waker};

use henge_driver::{Driver, current};

/// A future that has its driver, and has entered it, between its polls, too.
fn entered() -> Pin<Box<dyn Future<Output = ()>>> {
    let mut future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async {
        let driver = Driver::new().expect("a ring");
        let _entered = driver.enter();
        pending().await
    });
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    future
}

#[test]
fn who_asks_for_it_has_it_until_he_returns() {
    let owner = RefCell::new(Some(entered()));
    let in_flight = current::with(|driver| {
        drop(owner.take());
        driver.in_flight()
    });
    assert_eq!(in_flight, Ok(0));
    assert!(current::with(|_| ()).is_err());
}
