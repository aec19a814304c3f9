use core::time::Duration;

/// Reads a duration as Go's `time.ParseDuration` does: `1.5h`, `1m30s`, `300ms`, `0`.
///
/// What is negative is refused, because nothing here can last that long.
pub(crate) fn duration(text: &str) -> Result<Duration, DurationError> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = unsigned;
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (part, after) = part(rest)?;
        total = total.saturating_add(part);
        rest = after;
    }
    if unsigned.is_empty() {
        return Err(DurationError::Shape);
    }
    // Go counts nanoseconds in an i64.
    let nanoseconds = i64::try_from(total).map_err(|_long| DurationError::TooLong)?;
    if text.starts_with('-') && nanoseconds != 0 {
        return Err(DurationError::Negative);
    }
    Ok(Duration::from_nanos(nanoseconds.unsigned_abs()))
}

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    #[error("a duration must not be negative")]
    Negative,
    #[error("a duration is numbers with units, as in 30s, 1m30s or 300ms")]
    Shape,
    #[error("a duration must be below 292 years")]
    TooLong,
    #[error("a duration needs a unit: ns, us, ms, s, m or h")]
    Unit,
}

/// The nanoseconds of the first number and its unit, and what follows them.
fn part(text: &str) -> Result<(u128, &str), DurationError> {
    let digits = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit());
        end.unwrap_or(text.len())
    };
    let (whole, rest) = text.split_at(digits(text));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::Shape);
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit());
    let (unit, after) = rest.split_at(end.unwrap_or(rest.len()));
    let scale = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, scale)| *scale)
        .ok_or(DurationError::Unit)?;
    let number = |digits: &str| match digits {
        "" => Ok(0),
        _ => digits
            .parse::<u128>()
            .map_err(|_long| DurationError::TooLong),
    };
    let whole = number(whole)?.checked_mul(scale);
    // Later digits are far below a nanosecond.
    let fraction = fraction.get(..fraction.len().min(19)).unwrap_or_default();
    let shift = fraction.bytes().fold(1.0, |shift, _| shift * 10.0);
    // In floating point, so that it is rounded as in Go.
    let fraction = (number(fraction)? as f64 * (scale as f64 / shift)) as u128;
    let nanoseconds = whole.ok_or(DurationError::TooLong)?;
    Ok((nanoseconds.saturating_add(fraction), after))
}

/// The second and third are both microseconds: U+00B5 and U+03BC.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values are what Go 1.26 prints for `time.ParseDuration`.
    #[test]
    fn reads_what_go_reads() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("+0", 0),
            ("-0", 0),
            ("-0s", 0),
            ("5s", 5_000_000_000),
            ("+5s", 5_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("1m30s", 90_000_000_000),
            ("300ms", 300_000_000),
            ("1.s", 1_000_000_000),
            (".5s", 500_000_000),
            ("10us", 10_000),
            ("10\u{b5}s", 10_000),
            ("10\u{3bc}s", 10_000),
            ("1h1m1s1ms1us1ns", 3_661_001_001_001),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("9223372036854775807ns", 9_223_372_036_854_775_807),
            ("0.000000001s", 1),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_nanos(nanoseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_go_refuses_and_what_is_negative() {
        for (text, error) in [
            ("", DurationError::Shape),
            ("-", DurationError::Shape),
            ("s", DurationError::Shape),
            (".s", DurationError::Shape),
            ("+.s", DurationError::Shape),
            ("soon", DurationError::Shape),
            ("1s2", DurationError::Unit),
            ("3", DurationError::Unit),
            ("1.5", DurationError::Unit),
            ("3 s", DurationError::Unit),
            ("3d", DurationError::Unit),
            ("1m-30s", DurationError::Unit),
            ("-5s", DurationError::Negative),
            ("9223372036854775808ns", DurationError::TooLong),
            ("3000000h", DurationError::TooLong),
            (
                "99999999999999999999999999999999999999999s",
                DurationError::TooLong,
            ),
        ] {
            assert_eq!(duration(text), Err(error), "{text}");
        }
    }
}
