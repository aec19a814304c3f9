//! What comes back over HTTP.

use core::time::Duration;

use http::{
    HeaderMap, StatusCode,
    header::{DATE, RETRY_AFTER},
    response::Parts,
};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::Deserialize;

use crate::Error;

/// The body of an answer, up to `limit` bytes of it.
pub(crate) async fn body(mut body: Incoming, limit: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::Network(error.into()))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > limit - bytes.len() {
            return Err(Error::AnswerTooLong { limit });
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// What an answer without success means.
pub(crate) fn refusal(head: &Parts, body: &[u8]) -> Error {
    let errors = errors(body);
    let retry_after = retry_after(&head.headers);
    let status = head.status.as_u16();
    match head.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::Denied { errors },
        StatusCode::TOO_MANY_REQUESTS => Error::Throttled {
            errors,
            retry_after,
        },
        // Other answers with this status pass, as those do while the nodes elect a leader.
        StatusCode::INTERNAL_SERVER_ERROR if errors.iter().any(|text| is_final(text)) => {
            Error::Refused { errors, status }
        }
        StatusCode::REQUEST_TIMEOUT
        // A node that has not yet seen what another one wrote.
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Error::Unavailable {
            errors,
            retry_after,
            status,
        },
        _ => Error::Refused { errors, status },
    }
}

/// Whether transit says that this version of the key does not sign any longer, for which it has no
/// status of its own.
fn is_final(text: &str) -> bool {
    FINAL.iter().any(|reason| text.contains(reason))
}

/// Vault's reasons; what is not from Vault has none.
fn errors(body: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<String>,
    }
    let Ok(Errors { errors }) = serde_json::from_slice(body) else {
        return Vec::new();
    };
    errors
        .iter()
        .take(MAX_ERRORS)
        .map(|text| line(text))
        .collect()
}

/// One line of bounded length.
pub(crate) fn line(text: &str) -> String {
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(MAX_KEPT).collect()
}

/// How long the answer asks to wait (RFC 9110 section 10.2.3), a day at most.
///
/// A date is measured against the answer's own `Date`, so that no clock matters.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
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

const FINAL: [&str; 2] = ["requested version for signing", "no such key version"];
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_ERRORS: usize = 4;
const MAX_KEPT: usize = 200;

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

    #[test]
    fn reads_how_long_to_wait() {
        let until = "Sun, 22 Nov 2026 10:00:30 GMT";
        let sent = "Sun, 22 Nov 2026 10:00:00 GMT";
        assert_eq!(asked("7", None), Some(Duration::from_secs(7)));
        assert_eq!(asked(until, Some(sent)), Some(Duration::from_secs(30)));
        assert_eq!(asked(sent, Some(until)), Some(Duration::ZERO));
        assert_eq!(
            asked("99999999999999999999", None),
            Some(LONGEST_RETRY_AFTER)
        );
        for nothing in ["", "-1", "soon", "1.5", until] {
            assert_eq!(asked(nothing, None), None, "{nothing:?}");
        }
    }

    #[test]
    fn reasons_are_short_lines() {
        let body = br#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#;
        assert_eq!(errors(body), ["1 error occurred: * permission denied"]);
        let long = format!(r#"{{"errors":["{}"]}}"#, "x".repeat(1000));
        assert_eq!(errors(long.as_bytes())[0].len(), MAX_KEPT);
        for none in ["", "<html>", "{}", r#"{"errors":[]}"#, r#"{"errors":[1]}"#] {
            assert!(errors(none.as_bytes()).is_empty(), "{none:?}");
        }
    }
}
