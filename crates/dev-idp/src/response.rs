use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION},
};
use serde_json::Value;

/// On every answer: nothing is kept, guessed, framed, or handed to another site's page.
const ALWAYS: [(HeaderName, &str); 6] = [
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("content-security-policy"),
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    // A browser that may not tell the referrer at all sends `Origin: null` with our own forms.
    (HeaderName::from_static("referrer-policy"), "same-origin"),
    (HeaderName::from_static("x-content-type-options"), "nosniff"),
    (HeaderName::from_static("x-frame-options"), "DENY"),
];

pub(crate) fn html(status: StatusCode, page: String) -> Response<Bytes> {
    of_type(status, "text/html; charset=utf-8", page.into())
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    of_type(status, "application/json", body.to_string().into())
}

pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    of_type(status, "text/plain; charset=utf-8", body.into())
}

/// Sends the browser to `url` with a GET.
pub(crate) fn redirect(url: &str) -> Response<Bytes> {
    let mut response = text(StatusCode::SEE_OTHER, "");
    match HeaderValue::from_str(url) {
        Ok(url) => {
            response.headers_mut().insert(LOCATION, url);
            response
        }
        // A parsed URL is ASCII, so this is a URL that did not go through the parser.
        Err(_) => text(StatusCode::BAD_REQUEST, "the redirect URL cannot be sent\n"),
    }
}

fn of_type(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
