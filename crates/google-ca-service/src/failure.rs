//! What the SDK's errors mean.

use core::time::Duration;

use fulcio_remote_key::cause;
use google_cloud_gax::error::{
    CredentialsError, Error as SdkError,
    rpc::{Code, StatusDetails},
};
use http::header::RETRY_AFTER;

use crate::{Error, Parent};

/// Sorts the SDK's error about a request to `parent`.
pub(crate) fn failure(error: SdkError, parent: &Parent) -> Error {
    if let Some(status) = error.status() {
        let refusal = Refusal {
            code: status.code.name().to_owned(),
            message: line(&status.message),
            retry_after: retry_after(&error),
        };
        // A proxy on the way may answer with a status of HTTP alone.
        return match status.code {
            Code::Unknown => refusal.by_http(error.http_status_code()),
            code => refusal.by_code(code, parent),
        };
    }
    if let Some(http) = error.http_status_code() {
        let refusal = Refusal {
            code: format!("HTTP status {http}"),
            message: "nothing more is said".to_owned(),
            retry_after: retry_after(&error),
        };
        return refusal.by_http(Some(http));
    }
    if error.is_authentication() {
        return match cause::<CredentialsError>(&error) {
            Some(found) if !found.is_transient() => Error::CredentialsMissing(error.into()),
            _ => Error::Credentials(error.into()),
        };
    }
    if error.is_deserialization() {
        return Error::Answer(error.into());
    }
    if error.is_binding() || error.is_serialization() {
        return Error::Request(error.into());
    }
    match cause(&error) {
        Some(rustls::Error::InvalidCertificate(_)) => Error::Untrusted(error.into()),
        _ => Error::Network(error.into()),
    }
}

/// What the service, or somebody on the way to it, said.
struct Refusal {
    code: String,
    message: String,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// By the code that Google's services share.
    fn by_code(self, code: Code, parent: &Parent) -> Error {
        let Self {
            code: name,
            message,
            retry_after,
        } = self;
        match code {
            Code::Unauthenticated => Error::CredentialsRefused,
            Code::PermissionDenied => Error::Denied {
                code: name,
                message,
            },
            Code::NotFound => Error::NotFound {
                message,
                parent: parent.to_string(),
            },
            Code::FailedPrecondition => Error::State {
                message,
                parent: parent.to_string(),
            },
            Code::ResourceExhausted => Error::Throttled {
                message,
                retry_after,
            },
            Code::Aborted
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unavailable => Error::Unavailable {
                code: name,
                message,
                retry_after,
            },
            _ => Error::Refused {
                code: name,
                message,
            },
        }
    }

    fn by_http(self, status: Option<u16>) -> Error {
        let Self {
            code,
            message,
            retry_after,
        } = self;
        match status {
            Some(401) => Error::CredentialsRefused,
            Some(403) => Error::Denied { code, message },
            Some(429) => Error::Throttled {
                message,
                retry_after,
            },
            Some(408 | 500..) | None => Error::Unavailable {
                code,
                message,
                retry_after,
            },
            Some(_) => Error::Refused { code, message },
        }
    }
}

/// `RetryInfo`, or the header of HTTP in seconds (RFC 9110 section 10.2.3).
fn retry_after(error: &SdkError) -> Option<Duration> {
    let details = error.status().map(|status| status.details.as_slice());
    let said = details.unwrap_or_default().iter().find_map(|detail| {
        let StatusDetails::RetryInfo(info) = detail else {
            return None;
        };
        Duration::try_from(info.retry_delay?).ok()
    });
    said.or_else(|| {
        let seconds = error.http_headers()?.get(RETRY_AFTER)?.to_str().ok()?;
        seconds.trim().parse().ok().map(Duration::from_secs)
    })
}

/// One line of bounded length.
fn line(text: &str) -> String {
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(MAX_KEPT).collect()
}

/// Refusals name the resource and the permission.
const MAX_KEPT: usize = 500;
