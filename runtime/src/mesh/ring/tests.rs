//! The ring against a naive one, and between threads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;

use super::ring;

#[test]
fn behaves_like_a_bounded_deque() {
    for capacity in [1, 2, 3, 5, 8] {
        let (producer, consumer) = ring(capacity);
        let (mut staged, mut shown) = (VecDeque::new(), VecDeque::new());
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for step in 0..20_000_u64 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            match seed % 8 {
                0..4 => {
                    let fits = staged.len() + shown.len() < capacity;
                    assert_eq!(producer.push(step).is_ok(), fits);
                    if fits {
                        staged.push_back(step);
                    }
                }
                4 => {
                    producer.publish();
                    shown.append(&mut staged);
                }
                _ => assert_eq!(consumer.pop(), shown.pop_front()),
            }
            assert_eq!(producer.staged(), staged.len());
        }
    }
}

#[test]
fn the_quick_ways_stop_where_there_is_something_to_think_about() {
    let (mut producer, consumer) = ring(8);
    producer.think_every(2);
    assert_eq!(producer.push_quickly(0), Err(0), "nobody has looked for room");
    assert_eq!(producer.push(0), Ok(()));
    assert_eq!(producer.push_quickly(1), Ok(()));
    assert_eq!(producer.push_quickly(2), Err(2), "two positions on");
    assert_eq!(producer.push(2), Ok(()));
    producer.pause();
    assert_eq!(producer.push_quickly(3), Err(3));
    assert_eq!(producer.push(3), Ok(()));
    producer.publish();
    assert_eq!(consumer.pop_quickly(), None, "nobody has looked for more");
    assert_eq!((consumer.begin_run(3), consumer.run()), (3, 3));
    assert_eq!((consumer.pop_quickly(), consumer.pop()), (Some(0), Some(1)));
    assert_eq!((consumer.pop_quickly(), consumer.pop_quickly()), (Some(2), None));
    assert_eq!((consumer.pop(), consumer.pop()), (Some(3), None));
    assert_eq!(consumer.begin_run(1), 0);
}

#[test]
fn values_of_every_length_go_through() {
    fn through<T: Send + Copy + PartialEq + std::fmt::Debug>(value: T) {
        let (producer, consumer) = ring(5);
        for _ in 0..100 {
            let pushed = std::iter::repeat_with(|| producer.push(value));
            assert_eq!(pushed.take_while(Result::is_ok).count(), 5);
            producer.publish();
            let popped = std::iter::from_fn(|| consumer.pop());
            assert_eq!(popped.inspect(|got| assert_eq!(*got, value)).count(), 5);
        }
    }
    through(());
    through(7_u8);
    through([7_u8; 24]);
    through([7_u64; 8]);
    through([7_u64; 9]);
}

#[test]
fn what_is_left_is_dropped_once() {
    let witness = Arc::new(());
    let (producer, consumer) = ring(4);
    for _ in 0..3 {
        assert!(producer.push(Arc::clone(&witness)).is_ok());
        producer.publish();
    }
    drop(consumer.pop());
    assert!(producer.push(Arc::clone(&witness)).is_ok());
    drop(consumer);
    assert_eq!(Arc::strong_count(&witness), 4);
    drop(producer);
    assert_eq!(Arc::strong_count(&witness), 1);
}

#[test]
fn keeps_the_order_between_two_threads() {
    let (producer, consumer) = ring(7);
    let sender = thread::spawn(move || {
        for n in 0..200_000_u64 {
            let mut value = n;
            while let Err(refused) = producer.push(value) {
                value = refused;
                producer.publish();
                thread::yield_now();
            }
            if n % 5 == 0 {
                producer.publish();
            }
        }
    });
    for expected in 0..200_000_u64 {
        let got = loop {
            match consumer.pop() {
                Some(value) => break value,
                None => thread::yield_now(),
            }
        };
        assert_eq!(got, expected);
    }
    sender.join().expect("the sender does not panic");
}
