use core::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::Arc;

use bytes::Bytes;
use fulcio_api::{HttpApi, is_grpc, turn_away, unknown_service};
use http::{Request, Response, StatusCode, uri::PathAndQuery};
use http_body_util::Full;
use tonic::{body::Body, server::NamedService};
use tower::{Service, ServiceExt as _, util::BoxCloneSyncService};

use crate::{Gate, TimedBody, http_rules};

/// Something that is served below a path of its own.
pub trait Mount: fmt::Debug + Send + Sync {
    /// Answers one request. `path` is what follows the path of the mount, without a slash before it.
    fn handle(&self, path: &str, request: Request<TimedBody>) -> Mounted;
}

/// The answer that [`Mount::handle`] promises.
pub type Mounted = Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>;

/// All that one port serves.
///
/// A request of HTTP/2 whose content type is that of gRPC goes to the gRPC services. Of the others,
/// one that the rules of HTTP answer goes no further, one below a mount goes there, and all the rest
/// go to the HTTP API.
#[derive(Clone, Debug, Default)]
pub struct Router {
    grpc: Arc<Vec<(&'static str, Grpc)>>,
    http: Option<HttpApi>,
    gate: Option<Arc<Gate>>,
    mounts: Arc<Vec<(&'static str, Arc<dyn Mount>)>>,
}

/// How many lines a head may have. HTTP/1 counts them too.
pub(crate) const MOST_HEADERS: usize = 100;

type Grpc = BoxCloneSyncService<Request<TimedBody>, Response<Body>, Infallible>;

impl Router {
    /// A port that serves nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves a gRPC service under its name.
    #[must_use]
    pub fn with_grpc<S>(mut self, service: S) -> Self
    where
        S: Service<Request<TimedBody>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        let service = BoxCloneSyncService::new(service);
        Arc::make_mut(&mut self.grpc).push((S::NAME, service));
        self
    }

    /// Serves the HTTP API.
    #[must_use]
    pub fn with_http(mut self, http: HttpApi) -> Self {
        self.http = Some(http);
        self
    }

    /// Serves `mount` below `prefix`, which begins and ends with a slash.
    #[must_use]
    pub fn with_mount(mut self, prefix: &'static str, mount: impl Mount + 'static) -> Self {
        Arc::make_mut(&mut self.mounts).push((prefix, Arc::new(mount)));
        self
    }

    /// Lets in whom `gate` lets in.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Answers a request that gets in, or turns it away.
    async fn admit(mut self, mut request: Request<TimedBody>) -> Response<Body> {
        if request.headers().len() > MOST_HEADERS {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return response;
        }
        let Some(gate) = self.gate.take() else {
            return self.answer(request).await;
        };
        let is_grpc = is_grpc(&request);
        let entered = match gate.enter(&mut request) {
            Ok(entered) => entered,
            Err(refusal) => return turn_away(is_grpc, &refusal, gate.metrics()),
        };
        let answer = self.answer(request).await;
        match entered.has_outgrown() {
            Some(refusal) => turn_away(is_grpc, &refusal, gate.metrics()),
            None => answer,
        }
    }

    async fn answer(self, request: Request<TimedBody>) -> Response<Body> {
        if !self.grpc.is_empty() && (is_grpc(&request) || self.is_grpc_only()) {
            return self.answer_grpc(request).await;
        }
        if let Some(answer) = http_rules::answer(&request) {
            return answer.map(Body::new);
        }
        let path = request.uri().path();
        let mounted = self.mounts.iter().find_map(|(prefix, mount)| {
            let rest = path.strip_prefix(prefix)?;
            Some((mount, rest.to_owned()))
        });
        if let Some((mount, rest)) = mounted {
            return mount.handle(&rest, request).await.map(Body::new);
        }
        match self.http {
            Some(http) => {
                let Ok(response) = http.oneshot(request).await;
                response.map(Body::new)
            }
            None => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        }
    }

    fn is_grpc_only(&self) -> bool {
        self.http.is_none() && self.mounts.is_empty()
    }

    async fn answer_grpc(&self, request: Request<TimedBody>) -> Response<Body> {
        let path = request
            .uri()
            .path_and_query()
            .map_or("", PathAndQuery::as_str);
        let service = path
            .strip_prefix('/')
            .and_then(|path| path.rsplit_once('/'));
        let named = service
            .and_then(|(service, _method)| self.grpc.iter().find(|(name, _)| *name == service));
        match named {
            Some((_, service)) => {
                let Ok(response) = service.clone().oneshot(request).await;
                response
            }
            None => unknown_service(&request),
        }
    }
}

impl Service<Request<TimedBody>> for Router {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<TimedBody>) -> Self::Future {
        let router = self.clone();
        Box::pin(async move { Ok(router.admit(request).await) })
    }
}
