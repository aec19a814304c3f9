use core::{error::Error as StdError, fmt, time::Duration};
use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode, Uri,
    header::{CONTENT_TYPE, HOST, PROXY_AUTHORIZATION, USER_AGENT},
};
use http_body_util::Full;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{
    AcceptedRoots, Clock, Entry, Error, FetchingRoots, HttpLogConfig, HttpLogError, LogKey,
    RemoteLog, SctError, SignedCertificateTimestamp, Submission, Submitting, TransparencyLog,
    connections::{Connections, Content},
    connector::{Connector, ProxyRefusal, secured},
    retry::{Backoff, retry_after},
};

/// A log that takes certificates over HTTP (RFC 6962 sections 4.1 and 4.2), as CTFE does and the
/// write side of a static-ct log.
///
/// Connections are kept and used again, one submission at a time on each, so that one that hangs
/// holds up one submission only. A submission that the log could not take (no connection, status
/// 408, 429 or 503) is tried again as long as its time lasts, after growing waits and never
/// sooner than the log's `Retry-After`; when the next wait would pass the deadline it fails at
/// once. Submissions share nothing but the connections.
pub struct HttpLog {
    connections: Connections,
    add_chain: Uri,
    add_pre_chain: Uri,
    get_roots: Uri,
    /// What every request carries.
    headers: HeaderMap,
    key: Option<LogKey>,
    clock: Clock,
    timeout: Duration,
}

impl HttpLog {
    /// Prepares to talk to a log; nothing is sent yet.
    ///
    /// # Errors
    /// The configuration cannot be meant.
    pub fn new(config: &HttpLogConfig) -> Result<Self, HttpLogError> {
        let tls = config.tls()?;
        let connector = Connector::new(config.timeout, &tls, config.proxy.clone());
        let log = config.endpoint("add-chain")?;
        let mut headers = HeaderMap::new();
        headers.insert(HOST, config.host(&log)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(authorization) = config.proxy_authorization(&log) {
            headers.insert(PROXY_AUTHORIZATION, authorization);
        }
        Ok(Self {
            connections: Connections::new(secured(connector, &tls), log),
            add_chain: config.target("add-chain")?,
            add_pre_chain: config.target("add-pre-chain")?,
            get_roots: config.target("get-roots")?,
            headers,
            key: config.key.clone(),
            clock: config.clock.clone(),
            timeout: config.timeout,
        })
    }

    /// The key that timestamps are verified with.
    #[must_use]
    pub fn key(&self) -> Option<&LogKey> {
        self.key.as_ref()
    }

    async fn submitted(
        &self,
        submission: Submission<'_>,
    ) -> Result<SignedCertificateTimestamp, Error> {
        let deadline = Instant::now() + self.timeout;
        let body = request_body(&submission);
        let mut backoff = Backoff::new();
        let mut last = None;
        loop {
            let attempt = self.attempt(&submission.entry, body.clone());
            let Ok(answer) = timeout_at(deadline, attempt).await else {
                return Err(self.late(last));
            };
            let error = match answer {
                Ok(answer) => return self.accept(&submission.entry, &answer),
                Err(error) => error,
            };
            let Some(wait) = backoff.after(&error) else {
                return Err(error);
            };
            tracing::debug!(
                error = &error as &dyn StdError,
                wait_ms = wait.as_millis(),
                "the log did not take a certificate"
            );
            last = Some(Box::new(error));
            if wait >= deadline.saturating_duration_since(Instant::now()) {
                return Err(self.late(last));
            }
            sleep(wait).await;
        }
    }

    /// One submission, and the body of the answer to it.
    async fn attempt(&self, entry: &Entry<'_>, body: Bytes) -> Result<Vec<u8>, Error> {
        let uri = match entry {
            Entry::Certificate(_) => &self.add_chain,
            Entry::Precertificate { .. } => &self.add_pre_chain,
        };
        let mut request = self.request(uri, body);
        *request.method_mut() = Method::POST;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        self.answer(request, MAX_ANSWER).await
    }

    /// Asks for the roots, once.
    async fn accepted_roots(&self) -> Result<Option<AcceptedRoots>, Error> {
        let request = self.request(&self.get_roots, Bytes::new());
        let limit = self.timeout.min(ROOTS_TIMEOUT);
        let Ok(answer) = timeout(limit, self.answer(request, MAX_ROOTS)).await else {
            return Err(Error::Deadline {
                timeout: limit,
                last: None,
            });
        };
        match answer {
            Ok(json) => AcceptedRoots::from_json(&json).map(Some),
            Err(Error::Status { status, .. }) if NOT_THERE.iter().any(|none| *none == status) => {
                Ok(None)
            }
            Err(error) if Backoff::new().after(&error).is_some() => Err(Error::Deadline {
                timeout: limit,
                last: Some(Box::new(error)),
            }),
            Err(error) => Err(error),
        }
    }

    fn request(&self, target: &Uri, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.uri_mut() = target.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// Sends a request, and reads the body of the answer up to `limit` bytes.
    async fn answer(&self, request: Request<Full<Bytes>>, limit: usize) -> Result<Vec<u8>, Error> {
        let answer = self.connections.send(request).await.map_err(unreached)?;
        let head = &answer.head;
        if head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(Error::Proxy {
                retry_after: retry_after(&head.headers),
                status: head.status.as_u16(),
            });
        }
        if head.status != StatusCode::OK {
            let (status, retry_after) = (head.status.as_u16(), retry_after(&head.headers));
            let kept = match answer.read(MAX_KEPT).await {
                Ok(Content::Whole(bytes) | Content::Start(bytes)) => bytes,
                // The status is what counts; a body that breaks off adds nothing.
                Err(_broken_off) => Vec::new(),
            };
            return Err(Error::Status {
                body: kept_text(&kept),
                retry_after,
                status,
            });
        }
        match answer.read(limit).await {
            Ok(Content::Whole(bytes)) => Ok(bytes),
            Ok(Content::Start(_)) => Err(Error::AnswerTooLong { limit }),
            Err(error) => Err(Error::Network(error.into())),
        }
    }

    fn accept(
        &self,
        entry: &Entry<'_>,
        answer: &[u8],
    ) -> Result<SignedCertificateTimestamp, Error> {
        self.verified(entry, answer)
            .map_err(|source| Error::Answer {
                body: kept_text(answer),
                source,
            })
    }

    fn verified(
        &self,
        entry: &Entry<'_>,
        answer: &[u8],
    ) -> Result<SignedCertificateTimestamp, SctError> {
        let timestamp = SignedCertificateTimestamp::from_json(answer)?;
        if let Some(key) = &self.key {
            timestamp.verify(entry, key, Some(self.clock.now()))?;
        }
        Ok(timestamp)
    }

    fn late(&self, last: Option<Box<Error>>) -> Error {
        Error::Deadline {
            timeout: self.timeout,
            last,
        }
    }
}

impl TransparencyLog for HttpLog {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        Box::pin(self.submitted(submission))
    }
}

impl RemoteLog for HttpLog {
    fn roots(&self) -> FetchingRoots<'_> {
        Box::pin(self.accepted_roots())
    }
}

impl fmt::Debug for HttpLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLog")
            .field("add_chain", self.connections.log())
            .field("key", &self.key)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// `{"chain":[…]}`: the certificate and all that are above it, in base64.
fn request_body(submission: &Submission<'_>) -> Bytes {
    let mut body = String::from(r#"{"chain":["#);
    let certificates = core::iter::once(submission.certificate.as_ref())
        .chain(submission.issuers.iter().map(AsRef::as_ref));
    for (index, certificate) in certificates.enumerate() {
        body.push_str(if index == 0 { "\"" } else { ",\"" });
        STANDARD.encode_string(certificate, &mut body);
        body.push('"');
    }
    body.push_str("]}");
    body.into()
}

fn kept_text(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(MAX_KEPT)]).into_owned()
}

/// Sorts a log that is not there, which may be there a moment later, from one that is not who it
/// should be and one that a proxy does not let us talk to.
fn unreached(error: Box<dyn StdError + Send + Sync>) -> Error {
    if let Some(refusal) = cause::<ProxyRefusal>(&*error) {
        return Error::Proxy {
            retry_after: refusal.retry_after,
            status: refusal.status,
        };
    }
    match cause::<rustls::Error>(&*error) {
        Some(rustls::Error::InvalidCertificate(_)) => Error::Untrusted(error),
        _ => Error::Network(error),
    }
}

/// The first cause of `error` that is an `E`.
fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // What an `io::Error` wraps is not its `source`, but itself.
        next = match error.downcast_ref::<io::Error>().map(io::Error::get_ref) {
            Some(Some(inner)) => Some(inner),
            _ => error.source(),
        };
    }
    None
}

const AGENT: &str = concat!("fulcio-ct-client/", env!("CARGO_PKG_VERSION"));
/// A timestamp in JSON is about 300 bytes; with the longest that is taken, 3,000.
const MAX_ANSWER: usize = 16 * 1024;
/// The lists of public logs are below one MiB.
const MAX_ROOTS: usize = 16 * 1024 * 1024;
/// Whoever asks for roots waits no longer, even where a submission may take longer.
const ROOTS_TIMEOUT: Duration = Duration::from_secs(5);
/// How a log says that it has no `get-roots`.
const NOT_THERE: [StatusCode; 3] = [
    StatusCode::NOT_FOUND,
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::NOT_IMPLEMENTED,
];
/// What the operator is shown of an answer that is not a timestamp.
const MAX_KEPT: usize = 1024;
