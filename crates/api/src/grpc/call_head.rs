use core::{fmt, time::Duration};
use std::error::Error as StdError;

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header, uri::PathAndQuery,
};
use tonic::{Code, Status, body::Body};

use crate::binary_metadata::not_base64;

/// What the head of a call says beside its method and its metadata.
pub(super) struct CallHead {
    /// How long the call may take, which may be no time at all.
    pub(super) time: Option<Duration>,
    /// The content type of the answer, which names the same kind of messages as the caller's.
    kind: HeaderValue,
}

/// Why Go's server does not take a call, whatever its method is. The texts are its own.
#[derive(Debug)]
pub(super) enum HeadError {
    /// Metadata of bytes that is not base64 from the byte `at` on.
    Binary {
        name: String,
        value: String,
        at: usize,
    },
    /// A content type that is not of gRPC.
    ContentType(String),
    /// A method of HTTP that is not POST.
    Method(Method),
    /// A path that names no service and no method.
    Path(String),
    /// A time that is none, and why.
    Timeout(String),
}

impl CallHead {
    /// Reads the head of a call.
    ///
    /// # Errors
    /// A head that Go's server does not take; it answers those before it looks for the method.
    pub(super) fn of<B>(request: &Request<B>) -> Result<Self, HeadError> {
        let headers = request.headers();
        let kind = kind(headers)?;
        for (name, value) in headers {
            if !name.as_str().ends_with("-bin") {
                continue;
            }
            if let Some(at) = not_base64(value.as_bytes()) {
                let (name, value) = (name.to_string(), text(value));
                return Err(HeadError::Binary { name, value, at });
            }
        }
        let time = headers
            .get("grpc-timeout")
            .map(|value| duration(value.as_bytes()).map_err(HeadError::Timeout))
            .transpose()?;
        if request.method() != Method::POST {
            return Err(HeadError::Method(request.method().clone()));
        }
        if split(path(request.uri())).is_none() {
            return Err(HeadError::Path(path(request.uri()).to_owned()));
        }
        Ok(Self { time, kind })
    }

    /// Says what kind of messages an answer is made of.
    pub(super) fn mark(self, mut response: Response<Body>) -> Response<Body> {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, self.kind);
        response
    }
}

impl HeadError {
    /// The answer to such a call.
    pub(super) fn answer(&self) -> Response<Body> {
        let (http, code) = match self {
            Self::Binary { .. } | Self::Timeout(_) => (StatusCode::BAD_REQUEST, Code::Internal),
            Self::ContentType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, Code::Internal),
            Self::Path(_) => (StatusCode::OK, Code::Unimplemented),
        };
        let mut response = Status::new(code, self.to_string()).into_http();
        *response.status_mut() = http;
        response
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary { name, value, at } => write!(
                f,
                "malformed binary metadata {value:?} in header {name:?}: \
                 illegal base64 data at input byte {at}"
            ),
            Self::ContentType(kind) => write!(f, "invalid gRPC request content-type {kind:?}"),
            Self::Method(method) => write!(
                f,
                "Received a HEADERS frame with :method \"{method}\" which should be POST"
            ),
            Self::Path(path) => write!(f, "malformed method name: {path:?}"),
            Self::Timeout(fault) => write!(f, "malformed grpc-timeout: {fault}"),
        }
    }
}

impl StdError for HeadError {}

/// The path of a call as HTTP/2 has it: a query is a part of the method's name.
pub(super) fn path(uri: &Uri) -> &str {
    uri.path_and_query().map_or("", PathAndQuery::as_str)
}

/// A service and its method. The method is what follows the last slash.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/')?.rsplit_once('/')
}

/// `application/grpc` alone, or with a subtype, which Go always writes behind a `+`.
fn kind(headers: &HeaderMap) -> Result<HeaderValue, HeadError> {
    const GRPC: &str = "application/grpc";
    let kind = headers
        .get(header::CONTENT_TYPE)
        .map(text)
        .unwrap_or_default();
    let subtype = match kind.strip_prefix(GRPC) {
        Some("" | "+" | ";") => return Ok(HeaderValue::from_static(GRPC)),
        Some(rest) => rest.strip_prefix(['+', ';']),
        None => None,
    };
    subtype
        .and_then(|subtype| HeaderValue::try_from(format!("{GRPC}+{subtype}")).ok())
        .ok_or(HeadError::ContentType(kind))
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// Up to eight digits and a unit.
fn duration(value: &[u8]) -> Result<Duration, String> {
    let text = String::from_utf8_lossy(value);
    let (unit, digits) = match value {
        [digits @ .., unit] if !digits.is_empty() => (unit, digits),
        _ => return Err(format!("transport: timeout string is too short: {text:?}")),
    };
    if digits.len() > 8 {
        return Err(format!("transport: timeout string is too long: {text:?}"));
    }
    let nanoseconds = match unit {
        b'H' => 3_600_000_000_000,
        b'M' => 60_000_000_000,
        b'S' => 1_000_000_000,
        b'm' => 1_000_000,
        b'u' => 1_000,
        b'n' => 1,
        _ => {
            return Err(format!(
                "transport: timeout unit is not recognized: {text:?}"
            ));
        }
    };
    let digits = String::from_utf8_lossy(digits);
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(format!(
            "strconv.ParseUint: parsing {digits:?}: invalid syntax"
        ));
    }
    let number: u64 = digits.parse().unwrap_or(u64::MAX);
    Ok(Duration::from_nanos(number.saturating_mul(nanoseconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_eight_digits_and_a_unit() {
        assert_eq!(duration(b"10S"), Ok(Duration::from_secs(10)));
        assert_eq!(duration(b"0n"), Ok(Duration::ZERO));
        assert!(duration(b"99999999H").is_ok());
        for (value, fault) in [
            ("", "too short: \"\""),
            ("S", "too short: \"S\""),
            ("999999999S", "too long: \"999999999S\""),
            ("10", "not recognized: \"10\""),
            ("-1S", "strconv.ParseUint: parsing \"-1\": invalid syntax"),
        ] {
            let found = duration(value.as_bytes()).expect_err(value);
            assert!(found.ends_with(fault), "{found}");
        }
    }
}
