use core::time::Duration;

use http::{
    HeaderMap, StatusCode,
    header::{DATE, RETRY_AFTER},
};

use crate::Error;

/// The waits between the tries of one submission; no two submissions share one.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self(FIRST_WAIT)
    }

    /// How long to wait after `error`, or `None` when another try would end the same way.
    pub(crate) fn after(&mut self, error: &Error) -> Option<Duration> {
        let asked = match error {
            Error::Network(_) => None,
            Error::Status {
                status,
                retry_after,
                ..
            } if RETRIED.iter().any(|retried| retried == status) => *retry_after,
            Error::Proxy {
                retry_after,
                status,
            } if RETRIED
                .iter()
                .chain(&BEHIND)
                .any(|retried| retried == status) =>
            {
                *retry_after
            }
            _ => return None,
        };
        let step = self.0;
        self.0 = (step * 2).min(LONGEST_STEP);
        Some(asked.map_or(step, |asked| asked.max(step)))
    }
}

/// How long the answer asks to wait (RFC 9110 section 10.2.3), a day at most.
///
/// A date is measured against the answer's own `Date`, so that neither our clock nor a wrong one
/// over there matters; without that header a date says nothing.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // All digits: what does not fit is more than the limit below.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let until = httpdate::parse_http_date(value).ok()?;
        let sent = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
        until.duration_since(sent).unwrap_or(Duration::ZERO)
    };
    Some(asked.min(LONGEST_RETRY_AFTER))
}

const RETRIED: [StatusCode; 3] = [
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::SERVICE_UNAVAILABLE,
];
/// How a proxy says that it did not reach the log.
const BEHIND: [StatusCode; 2] = [StatusCode::BAD_GATEWAY, StatusCode::GATEWAY_TIMEOUT];
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_STEP: Duration = Duration::from_secs(2);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        super::retry_after(&headers)
    }

    fn status(status: u16, retry_after: Option<Duration>) -> Error {
        Error::Status {
            body: String::new(),
            retry_after,
            status,
        }
    }

    #[test]
    fn reads_seconds() {
        assert_eq!(asked("7", None), Some(Duration::from_secs(7)));
        assert_eq!(
            asked("99999999999999999999999", None),
            Some(LONGEST_RETRY_AFTER)
        );
    }

    #[test]
    fn measures_a_date_against_the_date_of_the_answer() {
        let until = "Sun, 22 Nov 2026 10:00:30 GMT";
        let sent = "Sun, 22 Nov 2026 10:00:00 GMT";
        assert_eq!(asked(until, Some(sent)), Some(Duration::from_secs(30)));
        assert_eq!(asked(sent, Some(until)), Some(Duration::ZERO));
        assert_eq!(asked(until, None), None);
    }

    #[test]
    fn takes_nothing_from_a_header_that_says_nothing() {
        for value in ["", "-1", "soon", "1.5", "+3"] {
            assert_eq!(asked(value, None), None, "{value:?}");
        }
    }

    #[test]
    fn waits_twice_as_long_each_time_up_to_a_limit() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..7)
            .map(|_| backoff.after(&status(503, None)).unwrap().as_millis())
            .collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 2000, 2000]);
    }

    #[test]
    fn waits_as_long_as_asked_and_never_less_than_its_own_step() {
        let mut backoff = Backoff::new();
        let long = Duration::from_secs(3);
        assert_eq!(backoff.after(&status(429, Some(long))), Some(long));
        assert_eq!(
            backoff.after(&status(429, Some(Duration::ZERO))),
            Some(FIRST_WAIT * 2)
        );
    }

    #[test]
    fn gives_up_at_once_where_another_try_would_end_the_same_way() {
        for refused in [400, 401, 404, 413, 500, 501, 502, 504] {
            assert_eq!(Backoff::new().after(&status(refused, None)), None);
        }
        assert_eq!(
            Backoff::new().after(&Error::AnswerTooLong { limit: 1 }),
            None
        );
    }
}
