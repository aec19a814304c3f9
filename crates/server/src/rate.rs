use core::{num::NonZeroU32, str::FromStr, time::Duration};

use governor::Quota;

/// How often something may happen: so many times in a second, minute or hour, and how many times at once.
///
/// It is written as `10/m`, or `5/s:20` where 20 may come at once. Without that number it is as many at once as in the
/// whole time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(Quota);

/// Why a text is not a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// A number is not there, not one, 0, or too large.
    #[error("a rate is a number from 1 to 1000000000, as in 10/m or 5/s:20")]
    Number,
    /// It has not the form of a rate.
    #[error("a rate is a number and a time, as in 10/m or 5/s:20")]
    Shape,
    /// The time is none of ours.
    #[error("the time of a rate is s, m or h, as in 10/m")]
    Unit,
}

impl Rate {
    /// What the rate is for GCRA.
    pub(crate) fn quota(self) -> Quota {
        self.0
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (count, rest) = text.split_once('/').ok_or(RateError::Shape)?;
        let (unit, burst) = match rest.split_once(':') {
            Some((unit, burst)) => (unit, Some(burst)),
            None => (rest, None),
        };
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            _ => return Err(RateError::Unit),
        };
        let count = number(count)?;
        let burst = burst.map_or(Ok(count), number)?;
        let period = Duration::from_secs(seconds) / count.get();
        let quota = Quota::with_period(period).ok_or(RateError::Number)?;
        Ok(Self(quota.allow_burst(burst)))
    }
}

fn number(text: &str) -> Result<NonZeroU32, RateError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text
        .parse()
        .ok()
        .filter(|number: &NonZeroU32| is_plain && number.get() <= 1_000_000_000);
    number.ok_or(RateError::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_it_is_written() {
        for (text, nanoseconds, burst) in [
            ("10/m", 6_000_000_000_u64, 10),
            ("5/s:20", 200_000_000, 20),
            ("1/h", 3_600_000_000_000, 1),
            ("100/h:1", 36_000_000_000, 1),
            ("1000000000/s", 1, 1_000_000_000),
        ] {
            let quota = text.parse::<Rate>().unwrap().quota();
            assert_eq!(
                quota.replenish_interval(),
                Duration::from_nanos(nanoseconds),
                "{text}"
            );
            assert_eq!(quota.burst_size().get(), burst, "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for (text, error) in [
            ("", RateError::Shape),
            ("10", RateError::Shape),
            ("10m", RateError::Shape),
            ("10/", RateError::Unit),
            ("10/d", RateError::Unit),
            ("10/M", RateError::Unit),
            ("10/s ", RateError::Unit),
            ("/s", RateError::Number),
            ("0/s", RateError::Number),
            ("-1/s", RateError::Number),
            ("+1/s", RateError::Number),
            ("1.5/s", RateError::Number),
            ("5/s:", RateError::Number),
            ("5/s:0", RateError::Number),
            ("1000000001/s", RateError::Number),
            ("99999999999/s", RateError::Number),
        ] {
            assert_eq!(text.parse::<Rate>(), Err(error), "{text}");
        }
    }
}
