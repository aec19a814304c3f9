//! What the tests of this crate share: one provider, and requests to it.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use fulcio_dev_idp::{DevIdp, Keys};
use http::{Method, Request, Response, request::Builder};

pub(crate) const ISSUER: &str = "http://127.0.0.1:5555/dev-idp";

pub(crate) static IDP: LazyLock<DevIdp> =
    LazyLock::new(|| DevIdp::new(ISSUER, Keys::generate().expect("keys")).expect("a loopback URL"));

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A request as a program of this machine sends it.
pub(crate) fn request(method: Method, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(format!("/dev-idp{path}"))
        .header("host", "127.0.0.1:5555")
}

pub(crate) fn send(request: Builder, body: impl Into<Bytes>) -> Response<Bytes> {
    IDP.handle(&request.body(body.into()).expect("a request"), now())
}

pub(crate) fn get(path: &str) -> Response<Bytes> {
    send(request(Method::GET, path), "")
}

pub(crate) fn post(path: &str, fields: &[(&str, &str)]) -> Response<Bytes> {
    let request =
        request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
    send(request, encode(fields))
}

pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

pub(crate) fn text(response: &Response<Bytes>) -> &str {
    core::str::from_utf8(response.body()).expect("text")
}

pub(crate) fn json(response: &Response<Bytes>) -> serde_json::Value {
    serde_json::from_slice(response.body()).expect("JSON")
}
