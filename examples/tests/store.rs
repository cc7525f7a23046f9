//! The store alone, under a clock that the test sets.

#[path = "common/rng.rs"]
mod rng;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use henge_kv::store::{Bytes, Db, Part, Ranked, Str, Zset};
use rng::Rng;

#[test]
fn keys_expire_when_looked_at_and_when_swept() {
    static NOW: AtomicU64 = AtomicU64::new(1000);
    let mut db = Db::new(Part::WHOLE, || NOW.load(Relaxed));
    db.set_string(b"soon", b"1", Some(1010));
    db.set_string(b"late", b"2", Some(1020));
    db.set_string(b"never", b"3", None);
    assert_eq!((db.len(), db.expiring(), db.next_expiry()), (3, 2, Some(1010)));
    NOW.store(1010, Relaxed);
    assert!(db.get::<Str>(b"soon").unwrap().is_none());
    assert_eq!((db.len(), db.expired(), db.next_expiry()), (2, 1, Some(1020)));
    NOW.store(1019, Relaxed);
    assert_eq!(db.expire(10), 0);
    NOW.store(1020, Relaxed);
    assert_eq!(db.keys().collect::<Vec<_>>(), [b"never"], "not swept, and not shown");
    assert_eq!((db.expire(10), db.len(), db.expired()), (1, 1, 2));
}

#[test]
fn another_deadline_takes_the_place_of_the_old_one() {
    static NOW: AtomicU64 = AtomicU64::new(1000);
    let mut db = Db::new(Part::WHOLE, || NOW.load(Relaxed));
    db.set_string(b"key", b"1", Some(1010));
    assert!(db.set_expiry(b"key", Some(1050)));
    assert!(!db.set_expiry(b"other", Some(1050)));
    NOW.store(1020, Relaxed);
    assert_eq!(db.expire(10), 0);
    assert!(db.set_expiry(b"key", None));
    assert_eq!((db.next_expiry(), db.expiring()), (None, 0));
    db.set_string(b"key", b"1", Some(1060));
    assert!(db.remove(b"key").is_some());
    assert_eq!((db.next_expiry(), db.len()), (None, 0));
}

#[test]
fn a_sweep_is_bounded() {
    static NOW: AtomicU64 = AtomicU64::new(1000);
    let mut db = Db::new(Part::WHOLE, || NOW.load(Relaxed));
    for key in 0..100u32 {
        db.set_string(&key.to_le_bytes(), b"", Some(1001));
    }
    NOW.store(2000, Relaxed);
    assert_eq!((db.expire(60), db.expire(60), db.expire(60)), (60, 40, 0));
}

#[test]
fn a_scan_sees_every_key_that_stays() {
    for seed in 0..50 {
        let mut rng = Rng::new(seed);
        let mut db = Db::new(Part::WHOLE, || 1_000);
        for key in 0..500u32 {
            db.set_string(&key.to_le_bytes(), b"", None);
        }
        // Keys below 300 stay; the others come and go while the scan is under way.
        let mut seen = BTreeSet::new();
        let mut left = usize::MAX;
        while left > 0 {
            left = db.scan(left, 1 + rng.below(20), |key, _| {
                seen.insert(u32::from_le_bytes(key.try_into().unwrap()));
            });
            for _ in 0..rng.below(30) {
                let key = (300 + rng.below(400) as u32).to_le_bytes();
                if rng.below(2) == 0 {
                    db.remove(&key);
                } else {
                    db.set_string(&key, b"", None);
                }
            }
        }
        assert!((0..300).all(|key| seen.contains(&key)), "seed {seed}");
    }
}

#[test]
fn strings_change_form_and_keep_their_value() {
    let mut string = Str::new(b"12");
    assert_eq!((string.integer(), string.len()), (Some(12), 2));
    assert_eq!(string.append(b"34"), 4);
    assert_eq!(string.integer(), Some(1234));
    string.assign(b"short");
    assert_eq!((string.integer(), string.len()), (None, 5));
    let large = vec![b'x'; 100_000];
    string.assign(&large);
    let Str::Large(shared) = &string else { panic!("large strings are shared") };
    let held = shared.clone();
    assert_eq!(string.append(b"y"), 100_001);
    assert_eq!(*held, large, "what a reply refers to does not change");
    string.assign(b"7");
    assert_eq!(string.integer(), Some(7));
}

#[test]
fn a_sorted_set_is_as_sorted_as_a_sorted_vector() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let mut zset = Zset::default();
        let mut model: BTreeMap<Vec<u8>, i32> = BTreeMap::new();
        for _ in 0..3000 {
            let member = format!("m{}", rng.below(800)).into_bytes();
            if rng.below(5) == 0 {
                let popped = zset.pop_min().map(|(score, member)| (score as i32, member.to_vec()));
                let first = sorted(&model).first().cloned();
                if let Some((_, member)) = &first {
                    model.remove(member);
                }
                assert_eq!(popped, first);
            } else {
                let score = rng.below(50) as i32;
                zset.insert(&member, f64::from(score));
                assert_eq!(zset.score(&member), Some(f64::from(score)));
                model.insert(member, score);
            }
        }
        let expected = sorted(&model);
        assert_eq!(zset.len(), expected.len());
        for _ in 0..50 {
            let (a, b) = (rng.below(expected.len() + 1), rng.below(expected.len() + 1));
            let (start, end) = (a.min(b), a.max(b));
            assert_eq!(members(zset.ranked(), start, end), expected[start..end]);
            let score = rng.below(50) as i32;
            let rank = zset.ranked().partition_point(|other, _| other < f64::from(score));
            assert_eq!(rank, expected.iter().filter(|(other, _)| *other < score).count());
        }
    }
}

fn sorted(model: &BTreeMap<Vec<u8>, i32>) -> Vec<(i32, Vec<u8>)> {
    let mut all: Vec<_> = model.iter().map(|(member, score)| (*score, member.clone())).collect();
    all.sort();
    all
}

fn members(ranked: &Ranked, start: usize, end: usize) -> Vec<(i32, Vec<u8>)> {
    ranked.range(start, end).map(|(score, member)| (score as i32, member.to_vec())).collect()
}

#[test]
fn removal_from_a_ranking() {
    let mut ranked = Ranked::default();
    for number in 0..1000 {
        ranked.insert(f64::from(number % 10), number.to_string().into_bytes().into());
    }
    for number in (0..1000).step_by(2) {
        assert!(ranked.remove(f64::from(number % 10), number.to_string().as_bytes()));
        assert!(!ranked.remove(f64::from(number % 10), number.to_string().as_bytes()));
    }
    assert_eq!(ranked.len(), 500);
    let scores: Vec<f64> = ranked.range(0, 500).map(|(score, _)| score).collect();
    assert!(scores.is_sorted() && scores.iter().all(|score| score % 2.0 == 1.0));
}

#[test]
fn an_entry_is_a_line_of_the_cache() {
    // With its key and its hash.
    assert_eq!(size_of::<henge_kv::store::Entry>() + size_of::<Bytes>() + 8, 64);
}

#[test]
fn short_and_long_byte_strings_are_alike() {
    for length in [0, 1, 21, 22, 23, 100] {
        let text = vec![b'x'; length];
        let bytes = Bytes::from(&text[..]);
        assert_eq!((&*bytes, bytes.len()), (&text[..], length));
        assert_eq!(bytes, Bytes::from(text.clone()));
        assert!(bytes < Bytes::from([&text[..], b"y"].concat()));
        let mut other = Bytes::from(&b"something else that is longer"[..]);
        other.assign(&text);
        assert_eq!(other, bytes);
    }
}
