//! Patterns of KEYS, SCAN and CONFIG GET: `*`, `?`, `[a-z]`, `[^x]` and a backslash.

/// Whether `text` is what `pattern` describes.
///
/// A star that fails is tried again one byte further, and only the last star seen: that is enough,
/// and keeps a hostile pattern at the product of the two lengths.
///
/// ```
/// use henge_kv::glob::matches;
/// assert!(matches(b"user:*", b"user:17"));
/// assert!(matches(b"h[ae]llo", b"hallo"));
/// assert!(!matches(b"h[^e]llo", b"hello"));
/// assert!(matches(b"\\*", b"*"));
/// ```
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            pattern = rest;
            retry = Some((rest, text));
            continue;
        }
        match (one(pattern, text), text) {
            (Some(rest), [_, tail @ ..]) => {
                pattern = rest;
                text = tail;
            }
            (None, []) if pattern.is_empty() => return true,
            _ => match retry {
                Some((after_star, [_, tail @ ..])) => {
                    pattern = after_star;
                    text = tail;
                    retry = Some((after_star, tail));
                }
                _ => return false,
            },
        }
    }
}

/// If the pattern's first element stands for the first byte of `text`: the pattern behind it.
fn one<'p>(pattern: &'p [u8], text: &[u8]) -> Option<&'p [u8]> {
    let byte = *text.first()?;
    match pattern {
        [] => None,
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => class(rest, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte).then_some(rest),
    }
}

/// A class, its opening bracket read; one that never closes reaches to the pattern's end.
fn class(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (negated, mut rest) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    };
    let mut found = false;
    loop {
        rest = match rest {
            [] => break,
            [b']', tail @ ..] => {
                rest = tail;
                break;
            }
            [b'\\', literal, tail @ ..] => {
                found |= *literal == byte;
                tail
            }
            [low, b'-', high, tail @ ..] => {
                found |= (*low.min(high)..=*low.max(high)).contains(&byte);
                tail
            }
            [literal, tail @ ..] => {
                found |= *literal == byte;
                tail
            }
        }
    }
    (found != negated).then_some(rest)
}
