use std::sync::Arc;

use bytes::Bytes;
use fulcio_ct_log::{EmbeddedLog, Resource};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;

use crate::{Mount, Mounted, TimedBody};

/// Serves an embedded log to whoever wants to read it (c2sp.org/static-ct-api). Nothing can be
/// submitted through it.
#[derive(Clone, Debug)]
pub struct LogFiles(Arc<EmbeddedLog>);

impl LogFiles {
    /// Serves `log`.
    #[must_use]
    pub fn new(log: Arc<EmbeddedLog>) -> Self {
        Self(log)
    }
}

impl Mount for LogFiles {
    fn handle(&self, path: &str, request: Request<TimedBody>) -> Mounted {
        let log = Arc::clone(&self.0);
        let path = path.to_owned();
        Box::pin(async move {
            if !matches!(*request.method(), Method::GET | Method::HEAD) {
                return status(StatusCode::METHOD_NOT_ALLOWED);
            }
            // Reading a file may wait for the disk.
            match tokio::task::spawn_blocking(move || log.read(&path)).await {
                Ok(Ok(Some(resource))) => found(resource),
                Ok(Ok(None)) => status(StatusCode::NOT_FOUND),
                Ok(Err(error)) => {
                    tracing::error!(
                        error = &error as &dyn core::error::Error,
                        "the transparency log cannot be read"
                    );
                    status(StatusCode::INTERNAL_SERVER_ERROR)
                }
                Err(ended) => {
                    tracing::error!(%ended, "reading the transparency log was cut short");
                    status(StatusCode::INTERNAL_SERVER_ERROR)
                }
            }
        })
    }
}

fn found(resource: Resource) -> Response<Full<Bytes>> {
    let cache = if resource.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-store"
    };
    let mut response = Response::new(Full::from(resource.bytes));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(resource.content_type),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
