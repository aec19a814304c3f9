use core::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Response};
use tonic::{Code, Status, body::Body, server::NamedService};
use tower::Service;

use super::call_head::{CallHead, path, split};
use crate::{
    MESSAGE_LIMIT, Peer,
    calls::{Calls, Reached},
    deadline,
    rpc::Rpc,
};

/// A gRPC service that speaks the protocol as Go's server does: its complaints about a head, a
/// message that is too long, or a method that is not there have the same codes and texts, and it
/// answers in the encoding that it is called in.
#[derive(Clone, Debug)]
pub struct GrpcService<S> {
    inner: S,
    calls: Option<Arc<Calls>>,
}

impl<S> GrpcService<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, calls: None }
    }

    /// Tells `calls` of requests for certificates that cannot be read.
    pub(super) fn telling(self, calls: &Arc<Calls>) -> Self {
        Self {
            calls: Some(Arc::clone(calls)),
            ..self
        }
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let path = path(request.uri()).to_owned();
        let unread = self
            .calls
            .as_ref()
            .and_then(|calls| Unread::of(&path, &mut request, calls));
        let head = match CallHead::of(&request) {
            Ok(head) => head,
            Err(error) => {
                if let Some(unread) = unread {
                    unread.tell();
                }
                return Box::pin(async move { Ok(error.answer()) });
            }
        };
        if path.contains('?') {
            return Box::pin(async move { Ok(head.mark(unknown_method(&path).into_http())) });
        }
        let encoding = request.headers().get(ENCODING).cloned();
        answer_in(encoding.as_ref(), request.headers_mut());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = match head.time {
                None => answer.await?,
                Some(Duration::ZERO) => elapsed(),
                Some(time) => match deadline::within(time, answer).await {
                    Some(response) => response?,
                    None => elapsed(),
                },
            };
            let code = code(response.headers());
            if let (Some(unread), Some(_)) = (unread, code) {
                unread.tell();
            }
            // Of an unknown method tonic says no more than the code.
            let explained = response.headers().contains_key(Status::GRPC_MESSAGE);
            Ok(head.mark(match (code, encoding) {
                (Some(Code::OutOfRange), _) => too_large(response.headers()).into_http(),
                (Some(Code::Unimplemented), Some(encoding)) if explained => {
                    unknown_encoding(&encoding).into_http()
                }
                (Some(Code::Unimplemented), _) => unknown_method(&path).into_http(),
                _ => response,
            }))
        })
    }
}

/// What is to be told of a request for a certificate that fails before its method hears of it,
/// because its message cannot be read.
struct Unread {
    calls: Arc<Calls>,
    rpc: Rpc,
    reached: Reached,
    id: Option<HeaderValue>,
    peer: Option<Peer>,
}

impl Unread {
    fn of<B>(path: &str, request: &mut Request<B>, calls: &Arc<Calls>) -> Option<Self> {
        let (service, method) = split(path)?;
        let rpc = Rpc::ISSUING
            .into_iter()
            .find(|rpc| rpc.service() == service && rpc.method() == method)?;
        let reached = Reached::default();
        request.extensions_mut().insert(reached.clone());
        Some(Self {
            calls: Arc::clone(calls),
            rpc,
            reached,
            id: request.headers().get("x-request-id").cloned(),
            peer: request.extensions().get().copied(),
        })
    }

    fn tell(self) {
        if self.reached.is_marked() {
            return;
        }
        let mut extensions = Extensions::new();
        if let Some(peer) = self.peer {
            extensions.insert(peer);
        }
        let id = self.id.as_ref();
        self.calls
            .unread(&self.calls.context(self.rpc, id, &extensions));
    }
}

/// Answers a call of a service that is not mounted.
#[must_use]
pub fn unknown_service<B>(request: &Request<B>) -> Response<Body> {
    let head = match CallHead::of(request) {
        Ok(head) => head,
        Err(error) => return error.answer(),
    };
    let (service, _method) = split(path(request.uri())).unwrap_or_default();
    head.mark(Status::unimplemented(format!("unknown service {service}")).into_http())
}

/// Has tonic, which would choose one of the encodings that the caller accepts, answer in the one
/// of the call.
fn answer_in(encoding: Option<&HeaderValue>, headers: &mut HeaderMap) {
    headers.remove(ACCEPTED);
    if let Some(encoding) = encoding {
        headers.insert(ACCEPTED, encoding.clone());
    }
}

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPTED: HeaderName = HeaderName::from_static("grpc-accept-encoding");

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

fn unknown_encoding(encoding: &HeaderValue) -> Status {
    let encoding = String::from_utf8_lossy(encoding.as_bytes());
    Status::unimplemented(format!(
        "grpc: Decompressor is not installed for grpc-encoding {encoding:?}"
    ))
}

fn unknown_method(path: &str) -> Status {
    let (service, method) = split(path).unwrap_or_default();
    Status::unimplemented(format!("unknown method {method} for service {service}"))
}

fn elapsed() -> Response<Body> {
    Status::deadline_exceeded("context deadline exceeded").into_http()
}
