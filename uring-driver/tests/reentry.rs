//! Code of the user's that the driver runs, and that turns to the driver again.

use std::sync::mpsc;
use std::time::Duration;

use henge_driver::{Driver, current, ops};

#[test]
fn who_submits_inside_of_a_completion_is_still_inside_of_it() {
    let driver = Driver::new().unwrap();
    let _entered = driver.enter();
    let (say, said) = mpsc::channel();
    driver.submit_detached(ops::After::new(Duration::ZERO, move || {
        let turnable = || current::with(Driver::is_turnable).unwrap();
        let before = turnable();
        current::with(|driver| driver.submit_detached(ops::After::new(Duration::ZERO, || ())))
            .unwrap();
        say.send((before, turnable())).unwrap();
    }));
    while driver.in_flight() > 0 {
        driver.park(None, || false).unwrap();
    }
    assert_eq!(said.try_recv(), Ok((false, false)));
    assert!(driver.is_turnable());
}
