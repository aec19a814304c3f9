use core::fmt;
use std::time::{Duration, SystemTime};

use der::DateTime;

/// Tells once each when the end of the authority's chain is less than 30, 7 and 1 days away, and when
/// it has come.
#[derive(Debug, Default)]
pub struct ChainEnd {
    told: Option<(SystemTime, Left)>,
}

/// How much is left of a chain, the least last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Days(core::cmp::Reverse<u64>),
    Nothing,
}

/// What an operator is to be told of the end of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    not_after: SystemTime,
    left: Left,
}

/// The days before the end at which operators are told of it, the fewest first.
const DAYS: [u64; 3] = [1, 7, 30];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl ChainEnd {
    /// What there is to tell at `now` of a chain whose last second is `not_after`; each thing once, and
    /// of several the most urgent. Another chain begins anew.
    pub fn due(&mut self, not_after: SystemTime, now: SystemTime) -> Option<Ending> {
        // The last second belongs to the chain.
        let end = not_after + Duration::from_secs(1);
        let left = match end.duration_since(now) {
            Err(_) | Ok(Duration::ZERO) => Left::Nothing,
            Ok(left) => {
                let days = DAYS.into_iter().find(|days| left < DAY * (*days as u32))?;
                Left::Days(core::cmp::Reverse(days))
            }
        };
        let told = self.told.filter(|(of, _)| *of == not_after);
        if told.is_some_and(|(_, told)| told >= left) {
            return None;
        }
        self.told = Some((not_after, left));
        Some(Ending { not_after, left })
    }
}

impl Ending {
    /// Whether the chain has expired, so that nothing is issued any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left == Left::Nothing
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = DateTime::from_system_time(self.not_after)
            .map_or_else(|_| format!("{:?}", self.not_after), |end| end.to_string());
        match self.left {
            Left::Nothing => write!(
                f,
                "the authority's chain expired at {end}: nothing is issued until there is another"
            ),
            Left::Days(core::cmp::Reverse(days)) => {
                let unit = if days == 1 { "day" } else { "days" };
                write!(
                    f,
                    "the authority's chain expires at {end}, in less than {days} {unit}: prepare the next one"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn at(days: f64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs_f64(days * DAY.as_secs_f64())
    }

    #[test]
    fn each_threshold_is_told_once_and_the_most_urgent_only() {
        let mut end = ChainEnd::default();
        let mut told = |not_after: f64, now: f64| {
            let due = end.due(at(not_after), at(now));
            due.map(|ending| {
                let text = ending.to_string();
                assert_eq!(ending.is_over(), text.contains("expired"), "{text}");
                text
            })
        };
        assert_eq!(told(100.0, 69.9), None);
        assert!(told(100.0, 70.1).unwrap().contains("less than 30 days"));
        assert_eq!(told(100.0, 80.0), None);
        assert!(told(100.0, 99.5).unwrap().contains("less than 1 day:"));
        // The clock is set back.
        assert_eq!(told(100.0, 94.0), None);
        assert!(
            told(100.0, 100.1)
                .unwrap()
                .contains("expired at 1970-04-11T00:00:00Z")
        );
        assert_eq!(told(100.0, 101.0), None);
        // The next chain.
        assert_eq!(told(200.0, 101.0), None);
        assert!(told(200.0, 193.5).unwrap().contains("less than 7 days"));
    }
}
