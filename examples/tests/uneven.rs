//! Uneven load, each way for a moment: everybody is served, and the picture shows it.

#[path = "../16_uneven.rs"]
mod uneven;

use std::io;
use std::time::Duration;

use uneven::{Way, cases, measure, picture};

/// What `cargo run` runs takes some seconds more of the same.
const _: fn() -> io::Result<()> = uneven::main;

#[test]
fn everybody_is_served_in_each_way() {
    let mut all = Vec::new();
    for (story, way) in cases() {
        // Longer where a machine is so slow that nobody comes to an end in that time.
        let seen = (0..8)
            .map(|n| measure(way, story, 1, Duration::from_millis(200 << n)).unwrap())
            .find(|seen| seen.heavy > 0 && !seen.light.is_empty())
            .unwrap_or_else(|| panic!("{way:?}: somebody is not served"));
        assert!(seen.light.is_sorted(), "{way:?}");
        assert_eq!(seen.crowds.len(), 1, "{way:?}");
        all.push((story.name(), way.name(), seen));
    }
    let picture = picture(&all);
    for way in Way::ALL {
        // Two cases, and three panels.
        assert_eq!(picture.matches(way.name()).count(), 6, "{picture}");
    }
    assert!(!picture.contains("NaN") && picture.ends_with("</svg>\n"), "{picture}");
}
