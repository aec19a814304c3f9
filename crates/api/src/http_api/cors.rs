use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts,
};
use http_body_util::Full;

/// What scripts of other origins may do (the Fetch standard's CORS protocol): any origin may use
/// GET, POST and HEAD, with few headers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cors {
    headers: &'static [&'static str],
}

impl Cors {
    /// As Fulcio has it: a script may send `Accept`, `Content-Type` and `X-Requested-With`, and so
    /// must put its token in the body.
    pub const FULCIO: Self = Self {
        headers: &["accept", "content-type", "x-requested-with"],
    };

    /// [`FULCIO`](Self::FULCIO), and `Authorization` too.
    pub const WITH_AUTHORIZATION: Self = Self {
        headers: &[
            "accept",
            "authorization",
            "content-type",
            "x-requested-with",
        ],
    };

    /// Answers a preflight request; anything else is `None`.
    pub(super) fn preflight(self, request: &Parts) -> Option<Response<Full<Bytes>>> {
        let method = request
            .headers
            .get(header::ACCESS_CONTROL_REQUEST_METHOD)
            .filter(|method| !method.is_empty())?;
        if request.method != Method::OPTIONS {
            return None;
        }
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::VARY, VARY_OF_PREFLIGHT);
        if !has(&request.headers, header::ORIGIN)
            || !is_allowed(method.as_bytes())
            || !self.accepts(&request.headers)
        {
            return Some(response);
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
        for method in request
            .headers
            .get_all(header::ACCESS_CONTROL_REQUEST_METHOD)
        {
            headers.append(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        }
        if has(&request.headers, header::ACCESS_CONTROL_REQUEST_HEADERS) {
            for names in request
                .headers
                .get_all(header::ACCESS_CONTROL_REQUEST_HEADERS)
            {
                headers.append(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
            }
        }
        Some(response)
    }

    /// Marks the answer to an actual request.
    pub(super) fn mark(self, request: &Parts, headers: &mut HeaderMap) {
        headers.insert(header::VARY, VARY);
        if has(&request.headers, header::ORIGIN) && is_allowed(request.method.as_str().as_bytes()) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
        }
    }

    /// Whether a script may send all the headers that a preflight names. The standard has them
    /// sorted, each once; a few empty names between them do not count (RFC 9110 section 5.6.1.2).
    fn accepts(self, request: &HeaderMap) -> bool {
        let mut allowed = self.headers.iter();
        let mut empty = 0;
        request
            .get_all(header::ACCESS_CONTROL_REQUEST_HEADERS)
            .iter()
            .all(|names| {
                names.to_str().is_ok_and(|names| {
                    names.split(',').map(trimmed).all(|name| {
                        if name.is_empty() {
                            empty += 1;
                            empty <= MAX_EMPTY
                        } else {
                            allowed.any(|allowed| *allowed == name)
                        }
                    })
                })
            })
    }
}

const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
const VARY: HeaderValue = HeaderValue::from_static("Origin");
const VARY_OF_PREFLIGHT: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
);

/// How many empty names may stand between the others.
const MAX_EMPTY: usize = 16;

/// A name without the white space around it, which is one character on each side at most.
fn trimmed(name: &str) -> &str {
    const SPACE: [char; 2] = [' ', '\t'];
    let name = name.strip_prefix(SPACE).unwrap_or(name);
    name.strip_suffix(SPACE).unwrap_or(name)
}

fn has(headers: &HeaderMap, name: HeaderName) -> bool {
    headers.get(name).is_some_and(|value| !value.is_empty())
}

/// Methods are case sensitive. A script may always ask for OPTIONS.
fn is_allowed(method: &[u8]) -> bool {
    matches!(method, b"GET" | b"POST" | b"HEAD" | b"OPTIONS")
}
