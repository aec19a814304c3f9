use core::{fmt, time::Duration};
use std::error::Error as StdError;

use fulcio_issuance::Refusal;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Failure;
use crate::{binary_metadata::not_base64, deadline};

/// What the headers of a request say beside the request itself.
///
/// In Fulcio a gateway stands before the authority and speaks gRPC with it: it passes some headers
/// on as metadata, and a header that cannot be passed on fails the call.
#[derive(Debug)]
pub(super) struct Forwarded {
    /// How long the call may take.
    time: Option<Duration>,
    /// Why it cannot be passed on, which is told once its message has been read.
    fault: Option<ForwardError>,
}

/// Why a call cannot be passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ForwardError {
    /// A header of bytes that is not base64.
    Binary {
        /// Its name, as Go writes it.
        name: String,
        /// The first byte that is none.
        at: usize,
    },
    /// Metadata that HTTP/2 has no place for.
    Connection,
    /// There is no time left.
    Elapsed,
    /// Metadata without a name.
    EmptyKey,
    /// A time that is none.
    Timeout(String),
    /// Metadata that is not all printable ASCII.
    Unprintable(&'static str),
}

const METADATA: &str = "grpc-metadata-";
/// Headers that are metadata by themselves.
const PASSED_ON: [&str; 3] = ["authorization", "x-forwarded-host", "x-forwarded-for"];
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const TOKEN: HeaderName = HeaderName::from_static("grpc-metadata-oidcidentitytoken");

impl Forwarded {
    /// Reads the headers of a request.
    ///
    /// # Errors
    /// What the gateway refuses before it reads the message.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ForwardError> {
        let time = match headers.get(TIMEOUT) {
            Some(value) if !value.is_empty() => {
                nanoseconds(value.as_bytes()).ok_or_else(|| ForwardError::Timeout(text(value)))?
            }
            _ => 0,
        };
        let mut fault = None;
        for (name, value) in headers {
            if let Some(key) = PASSED_ON.into_iter().find(|key| name == key)
                && !is_printable(value)
            {
                fault = Some(ForwardError::Unprintable(key));
            }
            let Some(key) = name.as_str().strip_prefix(METADATA) else {
                continue;
            };
            if key.ends_with("-bin") {
                if let Some(at) = not_base64(value.as_bytes()) {
                    let name = canonical(name.as_str());
                    return Err(ForwardError::Binary { name, at });
                }
            } else if is_printable(value) {
                match key {
                    "" => fault = Some(ForwardError::EmptyKey),
                    "connection" => fault = Some(ForwardError::Connection),
                    _ => {}
                }
            }
        }
        if time < 0 {
            fault = fault.or(Some(ForwardError::Elapsed));
        }
        let time = u64::try_from(time).ok().filter(|time| *time > 0);
        Ok(Self {
            time: time.map(Duration::from_nanos),
            fault,
        })
    }

    /// The answer to `call`, when it can be passed on and comes in time.
    pub(super) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Failure> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone().into());
        }
        let answer = match self.time {
            Some(time) => deadline::within(time, call)
                .await
                .ok_or(ForwardError::Elapsed)?,
            None => call.await,
        };
        Ok(answer?)
    }
}

/// The token of the header `Authorization`: whatever is left when the text `Bearer ` is taken
/// out, once, wherever it is. It does not count beside a token that is metadata already.
pub(super) fn bearer_token(headers: &HeaderMap) -> String {
    if headers.get_all(TOKEN).iter().any(is_printable) {
        return String::new();
    }
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .map(|credentials| credentials.replacen("Bearer ", "", 1))
        .unwrap_or_default()
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary { name, at } => write!(
                f,
                "invalid binary header {name}: illegal base64 data at input byte {at}"
            ),
            Self::Connection => {
                f.write_str("stream terminated by RST_STREAM with error code: PROTOCOL_ERROR")
            }
            Self::Elapsed => f.write_str("context deadline exceeded"),
            Self::EmptyKey => f.write_str("there is an empty key in the header"),
            Self::Timeout(value) => write!(f, "invalid grpc-timeout: {value}"),
            Self::Unprintable(key) => write!(
                f,
                "header key \"{key}\" contains value with non-printable ASCII characters"
            ),
        }
    }
}

impl StdError for ForwardError {}

/// A number and its unit, as a count of nanoseconds that overflows as in Go.
fn nanoseconds(value: &[u8]) -> Option<i64> {
    let (unit, number) = value.split_last()?;
    let unit = match unit {
        b'H' => 3_600_000_000_000,
        b'M' => 60_000_000_000,
        b'S' => 1_000_000_000,
        b'm' => 1_000_000,
        b'u' => 1_000,
        b'n' => 1,
        _ => return None,
    };
    let number: i64 = str::from_utf8(number).ok()?.parse().ok()?;
    Some(number.wrapping_mul(unit))
}

fn is_printable(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~'))
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// The name of a header as Go writes it: every part begins with a capital.
fn canonical(name: &str) -> String {
    let parts = name.split('-').map(|part| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_reads_them() {
        for (value, expected) in [
            ("10S", Some(10_000_000_000)),
            ("+1n", Some(1)),
            ("-1S", Some(-1_000_000_000)),
            ("0H", Some(0)),
            ("10", None),
            ("S", None),
            ("", None),
            ("1 S", None),
            ("9223372036854775808n", None),
        ] {
            assert_eq!(nanoseconds(value.as_bytes()), expected, "{value}");
        }
        assert!(nanoseconds(b"99999999H").is_some_and(|time| time < 0));
    }

    #[test]
    fn names_are_written_as_go_writes_them() {
        assert_eq!(canonical("grpc-metadata-x-bin"), "Grpc-Metadata-X-Bin");
    }
}
