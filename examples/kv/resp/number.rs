//! Numbers as Redis reads and prints them.

/// Reads a 64-bit integer in the one spelling that Redis accepts: no sign but a leading minus, no
/// leading zero, no blanks.
///
/// ```
/// use henge_kv::resp::parse_integer;
/// assert_eq!(parse_integer(b"-17"), Some(-17));
/// assert_eq!(parse_integer(b"+17"), None);
/// assert_eq!(parse_integer(b"017"), None);
/// assert_eq!(parse_integer(b"9223372036854775808"), None);
/// ```
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut magnitude = 0u64;
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        // Nineteen digits always fit a u64.
        magnitude = magnitude * 10 + u64::from(value);
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Reads a score as `strtod` would, except that NaN and numbers out of range are refused.
///
/// ```
/// use henge_kv::resp::parse_double;
/// assert_eq!(parse_double(b"1e3"), Some(1000.0));
/// assert_eq!(parse_double(b"-inf"), Some(f64::NEG_INFINITY));
/// assert_eq!(parse_double(b"nan"), None);
/// assert_eq!(parse_double(b"1e999"), None);
/// ```
pub fn parse_double(text: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let spelled_digits = text.iter().any(u8::is_ascii_digit);
    let overflowed = value.is_infinite() && spelled_digits;
    let mantissa = text.split(|b| matches!(b, b'e' | b'E')).next().unwrap_or_default();
    let underflowed = value == 0.0 && mantissa.iter().any(|b| matches!(b, b'1'..=b'9'));
    (!value.is_nan() && !overflowed && !underflowed).then_some(value)
}

/// Prints a double as C's `%.17g` does, which is what Redis 7.0 sends.
///
/// ```
/// use henge_kv::resp::format_double;
/// assert_eq!(format_double(3.0), "3");
/// assert_eq!(format_double(3.1), "3.1000000000000001");
/// assert_eq!(format_double(1e-7), "9.9999999999999995e-08");
/// assert_eq!(format_double(f64::INFINITY), "inf");
/// ```
pub fn format_double(value: f64) -> String {
    const SIGNIFICANT: usize = 17;
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return (value as i64).to_string();
    }
    // Rust prints the exact digits; what remains is C's choice between the two notations.
    let scientific = format!("{value:.*e}", SIGNIFICANT - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..SIGNIFICANT as i32).contains(&exponent) {
        let decimals = (SIGNIFICANT as i32 - 1 - exponent) as usize;
        without_trailing_zeros(&format!("{value:.decimals$}")).to_owned()
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", without_trailing_zeros(mantissa), exponent.abs())
    }
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}
