//! Google Cloud KMS, as far as signing and unwrapping keys go: a double on its REST contract.
//!
//! It makes real keys, signs digests and messages with them, lists versions page by page, checks
//! what it is sent as Google does, and does something else where it is told to. It also plays the
//! token endpoint (`/token`) and the metadata service (`/computeMetadata/…`) that credentials come
//! from. Google's Python client is content with it: see the tests of `fulcio-signer-gcp-kms`.

mod key;
mod service;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::AbortHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::TlsFiles;
use service::Service;

/// The access token that the token endpoint and the metadata service give.
pub const TOKEN: &str = "a-token-that-nobody-may-see";

/// Google Cloud KMS on a port of 127.0.0.1, with no key yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct GcpKms {
    /// `http://` or `https://`, host and port.
    pub address: String,
    shared: Arc<Shared>,
    task: AbortHandle,
}

/// What it does with a request instead of what is right.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "tests say what they want")]
pub enum Reply {
    /// Never answers.
    Hang,
    /// Closes the connection.
    HangUp,
    /// Signs with another key, under the name of the right one.
    OtherKey,
    /// Answers with something else.
    Say {
        /// Its HTTP status.
        status: u16,
        /// Its headers, besides the usual ones.
        headers: Vec<(HeaderName, String)>,
        /// Its body.
        body: String,
    },
    /// Answers rightly but for this field, which is replaced, or left out with [`Value::Null`].
    With(&'static str, Value),
}

/// A request that came.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests look at all of it")]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// What follows the path after a `?`.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null where it is no JSON.
    pub body: Value,
}

#[derive(Debug, Default)]
struct Shared {
    connections: AtomicUsize,
    next: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
    service: Mutex<Service>,
}

impl GcpKms {
    /// Starts it, without TLS.
    pub async fn start() -> Self {
        Self::serve(None).await
    }

    /// Starts it with TLS.
    pub async fn start_with_tls(files: &TlsFiles) -> Self {
        let certificate = CertificateDer::from_pem_slice(&files.read("cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&files.read("key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::serve(Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn serve(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let shared = Arc::<Shared>::default();
        let task = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                loop {
                    let (stream, _peer) = listener.accept().await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    shared.connections.fetch_add(1, Ordering::Relaxed);
                    let (shared, tls) = (Arc::clone(&shared), tls.clone());
                    tokio::spawn(async move {
                        match tls {
                            None => shared.connection(stream).await,
                            // Whoever does not trust the certificate goes away.
                            Some(tls) => {
                                if let Ok(stream) = tls.accept(stream).await {
                                    shared.connection(stream).await;
                                }
                            }
                        }
                    });
                }
            }
        });
        Self {
            address,
            shared,
            task: task.abort_handle(),
        }
    }

    /// What Google's own tools are told by: where it is. Nobody's credentials go to an `http` address.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<&'static str, String> {
        let endpoint = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS";
        BTreeMap::from([(endpoint, self.address.clone())])
    }

    /// Makes a key that signs, with one enabled version, and returns its resource name.
    ///
    /// `algorithm` is Google's name for it, such as `EC_SIGN_P384_SHA384`.
    #[must_use]
    pub fn signing_key(&self, id: &str, algorithm: &str) -> String {
        let key = self.change(|service| service.add_key(id, "ASYMMETRIC_SIGN"));
        self.add_version(&key, algorithm);
        key
    }

    /// Makes a symmetric key, and returns its resource name.
    #[must_use]
    pub fn wrapping_key(&self, id: &str) -> String {
        let key = self.change(|service| service.add_key(id, "ENCRYPT_DECRYPT"));
        self.add_version(&key, "GOOGLE_SYMMETRIC_ENCRYPTION");
        key
    }

    /// Makes another version of a key, enabled at once, and returns its resource name.
    pub fn add_version(&self, key: &str, algorithm: &str) -> String {
        self.change(|service| service.add_version(key, algorithm))
    }

    /// Puts a version into another state, such as `DISABLED`.
    pub fn set_state(&self, version: &str, state: &'static str) {
        self.change(|service| service.set_state(version, state));
    }

    /// What a symmetric key makes of a plaintext, without associated data.
    #[must_use]
    pub fn wrap(&self, key: &str, plaintext: &[u8]) -> Vec<u8> {
        self.change(|service| service.wrap(key, plaintext))
    }

    /// How many versions there are on a page of a list, at most.
    pub fn set_page_size(&self, versions: usize) {
        self.change(|service| service.page_size = versions);
    }

    fn change<T>(&self, change: impl FnOnce(&mut Service) -> T) -> T {
        change(&mut self.shared.service.lock().unwrap())
    }

    /// What to do with the next requests.
    pub fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.next.lock().unwrap().extend(replies);
    }

    /// Does what is right with the next requests, and tells nothing of those that came.
    pub fn forget(&self) {
        self.shared.next.lock().unwrap().clear();
        self.shared.seen.lock().unwrap().clear();
    }

    /// The requests since the last time.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        core::mem::take(&mut self.shared.seen.lock().unwrap())
    }

    /// How often somebody connected.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for GcpKms {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reply {
    /// Answers so with success.
    #[must_use]
    pub fn body(body: impl ToString) -> Self {
        Self::say(200, body)
    }

    /// Answers with a status and a body.
    #[must_use]
    pub fn say(status: u16, body: impl ToString) -> Self {
        Self::Say {
            status,
            headers: Vec::new(),
            body: body.to_string(),
        }
    }

    /// Refuses as Google does, with a `google.rpc.Status`.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::say(status, service::error_body(status, code, message))
    }

    /// Adds a header to what is said.
    ///
    /// # Panics
    /// Nothing is said.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl ToString) -> Self {
        let Self::Say { headers, .. } = &mut self else {
            panic!("{self:?} says nothing")
        };
        headers.push((name, value.to_string()));
        self
    }
}

impl Shared {
    async fn connection(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let answer = service_fn(|request| self.answer(request));
        let io = TokioIo::new(stream);
        // Connections end as clients and replies want it.
        drop(http1::Builder::new().serve_connection(io, answer).await);
    }

    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let seen = Seen {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        self.seen.lock().unwrap().push(seen.clone());
        let reply = self.next.lock().unwrap().pop_front();
        if let Some(Reply::Hang) = reply {
            core::future::pending::<()>().await;
        }
        let other_key = matches!(reply, Some(Reply::OtherKey));
        let mut headers = Vec::new();
        let right = self.service.lock().unwrap().answer(&seen, other_key);
        let (status, body) = match reply {
            Some(Reply::HangUp) => return Err(io::ErrorKind::ConnectionAborted.into()),
            Some(Reply::Say {
                status,
                headers: said,
                body,
            }) => {
                headers = said;
                (status, body)
            }
            Some(Reply::With(field, value)) => {
                let (status, mut body) = right;
                body.as_object_mut().unwrap().remove(field);
                if !value.is_null() {
                    body[field] = value;
                }
                (status, body.to_string())
            }
            Some(Reply::Hang | Reply::OtherKey) | None => (right.0, right.1.to_string()),
        };
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let json = "application/json; charset=UTF-8".parse().unwrap();
        response.headers_mut().insert("content-type", json);
        // Only Google's metadata service says so, and its clients ask for it.
        let flavor = "Google".parse().unwrap();
        response.headers_mut().insert("metadata-flavor", flavor);
        for (name, value) in headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        Ok(response)
    }
}

/// What the token endpoint and the metadata service say.
fn token() -> Value {
    json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
}
