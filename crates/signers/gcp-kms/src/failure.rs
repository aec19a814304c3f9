//! What the SDK's errors mean.

use core::time::Duration;

use fulcio_remote_key::cause;
use google_cloud_auth::errors::CredentialsError;
use google_cloud_gax::error::rpc::{Code, Status, StatusDetails};
use google_cloud_kms_v1::Error as SdkError;
use http::{
    HeaderMap,
    header::{DATE, RETRY_AFTER},
};

use crate::Error;

/// Sorts the SDK's error about a request for `name`.
pub(crate) fn failure(error: SdkError, name: &str) -> Error {
    if let Some(found) = cause::<CredentialsError>(&error) {
        return if found.is_transient() {
            Error::Credentials(error.into())
        } else {
            Error::CredentialsUnusable(error.into())
        };
    }
    let headers = error.http_headers();
    let wait = headers.and_then(retry_after);
    match (error.status(), error.http_status_code()) {
        (Some(said), status) => refusal(said, status.unwrap_or_default(), wait, name),
        (None, Some(status)) => refusal_without_words(status, wait),
        (None, None) if error.is_deserialization() => Error::Answer(error.into()),
        (None, None) if error.is_serialization() || error.is_binding() => {
            Error::Request(error.into())
        }
        (None, None) => unreached(error),
    }
}

/// What a refusal in Google's own words means.
fn refusal(said: &Status, status: u16, wait: Option<Duration>, name: &str) -> Error {
    let code = said.code.name();
    let message = line(&said.message);
    let retry_after = wait.or_else(|| said.details.iter().find_map(retry_info));
    match said.code {
        Code::NotFound => Error::KeyMissing {
            key: name.to_owned(),
            message,
        },
        Code::PermissionDenied => Error::Denied { message },
        Code::Unauthenticated => Error::CredentialsRefused,
        Code::FailedPrecondition => Error::KeyState {
            key: name.to_owned(),
            message,
        },
        Code::ResourceExhausted => Error::Throttled {
            message,
            retry_after,
        },
        Code::Aborted
        | Code::Cancelled
        | Code::DataLoss
        | Code::DeadlineExceeded
        | Code::Internal
        | Code::Unavailable => Error::Unavailable {
            code,
            message,
            retry_after,
            status,
        },
        Code::Unimplemented => Error::Refused {
            code,
            message,
            status,
        },
        // It may be one that this SDK does not know yet.
        _ if status >= 500 => Error::Unavailable {
            code,
            message,
            retry_after,
            status,
        },
        _ => Error::Refused {
            code,
            message,
            status,
        },
    }
}

/// What a refusal means that is not in Google's form: it comes from something before the service.
fn refusal_without_words(status: u16, retry_after: Option<Duration>) -> Error {
    let message = NO_WORDS.to_owned();
    match status {
        401 => Error::CredentialsRefused,
        403 => Error::Denied { message },
        429 => Error::Throttled {
            message,
            retry_after,
        },
        408 | 500.. => Error::Unavailable {
            code: Code::Unknown.name(),
            message,
            retry_after,
            status,
        },
        _ => Error::Refused {
            code: Code::Unknown.name(),
            message,
            status,
        },
    }
}

/// Sorts a service that is not there from one that is not who it should be: only the first may be
/// there a moment later.
fn unreached(error: SdkError) -> Error {
    match cause(&error) {
        Some(rustls::Error::InvalidCertificate(_)) => Error::Untrusted(error.into()),
        _ => Error::Network(error.into()),
    }
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

/// The same in Google's own words (`google.rpc.RetryInfo`).
fn retry_info(detail: &StatusDetails) -> Option<Duration> {
    let StatusDetails::RetryInfo(info) = detail else {
        return None;
    };
    let asked = Duration::try_from(info.retry_delay?).ok()?;
    Some(asked.min(LONGEST_RETRY_AFTER))
}

/// One line of bounded length.
fn line(text: &str) -> String {
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(MAX_KEPT).collect()
}

const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// Refusals name the permission and the resource in full.
const MAX_KEPT: usize = 500;
const NO_WORDS: &str = "it does not say why";
