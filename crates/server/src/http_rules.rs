use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::Full;

/// The answer to a request that the rules of HTTP answer, whatever is served (RFC 9110 sections
/// 9.3.7 and 10.1.1, RFC 9112 section 3.2). The texts are those of Go's server.
pub(crate) fn answer<B>(request: &Request<B>) -> Option<Response<Full<Bytes>>> {
    if !is_escaped(request.uri().path()) {
        return Some(bad_request("400 Bad Request"));
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => return Some(bad_request("400 Bad Request")),
        (Some(host), None) if !is_host(host) => {
            return Some(bad_request("400 Bad Request: malformed Host header"));
        }
        (None, None) if request.version() == Version::HTTP_11 => {
            return Some(bad_request("400 Bad Request: missing required Host header"));
        }
        _ => {}
    }
    let expected = request.headers().get(header::EXPECT);
    let expected = expected.map_or(&b""[..], HeaderValue::as_bytes);
    if !expected.is_empty() && !expected.eq_ignore_ascii_case(b"100-continue") {
        return Some(empty(StatusCode::EXPECTATION_FAILED));
    }
    let of_all = request.method() == Method::OPTIONS && request.uri() == "*";
    of_all.then(|| empty(StatusCode::OK))
}

/// Whether every `%` has its two digits behind it.
fn is_escaped(path: &str) -> bool {
    path.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether all characters may be in the name of a host, in an address or a port (RFC 3986 section
/// 3.2.2).
fn is_host(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(byte))
}

fn bad_request(text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
