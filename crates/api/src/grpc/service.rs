use core::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderMap, Request, Response};
use tonic::{Code, Status, body::Body, server::NamedService};
use tower::Service;

use crate::MESSAGE_LIMIT;

/// A gRPC service whose complaints about the protocol itself are those of Go's server: a message
/// that is too long is RESOURCE_EXHAUSTED, and a method that is not there is named.
#[derive(Clone, Debug)]
pub struct GrpcService<S> {
    inner: S,
}

impl<S> GrpcService<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: NamedService> NamedService for GrpcService<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B> Service<Request<B>> for GrpcService<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let path = request.uri().clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(match code(response.headers()) {
                Some(Code::OutOfRange) => too_large(response.headers()).into_http(),
                Some(Code::Unimplemented) => unknown_method(path.path()).into_http(),
                _ => response,
            })
        })
    }
}

/// Answers a call of a service that is not mounted.
#[must_use]
pub fn unknown_service(path: &str) -> Response<Body> {
    let (service, _method) = split(path);
    Status::unimplemented(format!("unknown service {service}")).into_http()
}

/// The code of an answer that has no message; one that has says its code after it.
fn code(headers: &HeaderMap) -> Option<Code> {
    Some(Code::from_bytes(headers.get("grpc-status")?.as_bytes()))
}

/// None of our methods answers OUT_OF_RANGE: it is what tonic says of a message that is longer
/// than its limit, and its text gives the length before the limit.
fn too_large(headers: &HeaderMap) -> Status {
    let length = Status::from_header_map(headers).and_then(|status| {
        status
            .message()
            .split(|character: char| !character.is_ascii_digit())
            .find(|digits| !digits.is_empty())
            .map(str::to_owned)
    });
    Status::resource_exhausted(match length {
        Some(length) => {
            format!("grpc: received message larger than max ({length} vs. {MESSAGE_LIMIT})")
        }
        None => format!("grpc: received message larger than max ({MESSAGE_LIMIT})"),
    })
}

fn unknown_method(path: &str) -> Status {
    let (service, method) = split(path);
    Status::unimplemented(format!("unknown method {method} for service {service}"))
}

fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.rsplit_once('/').unwrap_or((path, ""))
}
