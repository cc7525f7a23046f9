//! Models of the ring: what goes from end to end, in which order, under every interleaving.

use super::ring;

#[test]
fn loom_a_ring_of_one_hands_over_in_order() {
    loom::model(|| {
        let (producer, consumer) = ring(1);
        let sender = loom::thread::spawn(move || {
            let mut sent = 0;
            for n in [1, 2] {
                if producer.push(Box::new(n)).is_ok() {
                    sent += 1;
                }
                producer.publish();
            }
            sent
        });
        let mut got: Vec<i32> = Vec::new();
        for _ in 0..2 {
            got.extend(consumer.pop().map(|value| *value));
        }
        let sent = sender.join().expect("no panic");
        got.extend(std::iter::from_fn(|| consumer.pop()).map(|value| *value));
        assert_eq!(got.len(), sent);
        assert!(got.is_sorted());
    });
}

#[test]
fn loom_what_was_staged_on_the_quick_way_comes_in_runs() {
    loom::model(|| {
        let (producer, consumer) = ring(4);
        let sender = loom::thread::spawn(move || {
            assert!(producer.push(Box::new(1)).is_ok());
            assert!(producer.push_quickly(Box::new(2)).is_ok());
            producer.publish();
            assert!(producer.push_quickly(Box::new(3)).is_ok());
            producer.publish();
        });
        let mut got: Vec<i32> = Vec::new();
        for _ in 0..2 {
            let granted = consumer.begin_run(2);
            for _ in 0..granted {
                got.extend(consumer.pop_quickly().map(|value| *value));
            }
            assert_eq!(consumer.run(), 0);
        }
        sender.join().expect("no panic");
        got.extend(std::iter::from_fn(|| consumer.pop()).map(|value| *value));
        assert_eq!(got, [1, 2, 3]);
    });
}

#[test]
fn loom_a_batch_is_seen_whole_or_not_at_all() {
    loom::model(|| {
        let (producer, consumer) = ring(2);
        let sender = loom::thread::spawn(move || {
            assert!(producer.push(Box::new(1)).is_ok());
            assert!(producer.push(Box::new(2)).is_ok());
            producer.publish();
        });
        if let Some(first) = consumer.pop() {
            assert_eq!((*first, consumer.pop().map(|second| *second)), (1, Some(2)));
        }
        sender.join().expect("no panic");
    });
}
