use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use fulcio_signer::{Algorithm, Signer as _};
use fulcio_signer_file::EphemeralSigner;
use fulcio_signer_hashivault::{TokenSource, VaultConfig};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};
use zeroize::Zeroizing;

pub(crate) const TOKEN: &str = "hvs.a-token-that-nobody-may-see";

/// Has one Ed25519 key, and answers as it is told to.
pub(crate) struct FakeVault {
    pub(crate) address: String,
    state: Arc<State>,
    task: AbortHandle,
}

/// What it does with a request instead of what is right.
pub(crate) enum Reply {
    /// Never answers.
    Hang,
    /// Closes the connection.
    HangUp,
    /// Signs with another key.
    OtherKey,
    /// Signs as this version of the key.
    OtherVersion(u32),
    /// Answers with a status, headers and a body.
    Say(u16, Vec<(&'static str, String)>, String),
}

/// A request that came.
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

struct State {
    key: EphemeralSigner,
    other: EphemeralSigner,
    next: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicU32,
}

impl FakeVault {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let key = || EphemeralSigner::generate(Algorithm::Ed25519).unwrap();
        let state = Arc::new(State {
            key: key(),
            other: key(),
            next: Mutex::default(),
            seen: Mutex::default(),
            connections: AtomicU32::new(0),
        });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _peer) = listener.accept().await.unwrap();
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let answer = service_fn(|request| answer(&state, request));
                    let io = TokioIo::new(stream);
                    drop(http1::Builder::new().serve_connection(io, answer).await);
                });
            }
        });
        Self {
            address,
            state,
            task: task.abort_handle(),
        }
    }

    pub(crate) fn config(&self) -> VaultConfig {
        let token = TokenSource::Value(Zeroizing::new(TOKEN.to_owned()));
        VaultConfig::new(&self.address, token)
    }

    /// What to do with the next requests.
    pub(crate) fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.next.lock().unwrap().extend(replies);
    }

    /// The requests since the last time.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        core::mem::take(&mut self.state.seen.lock().unwrap())
    }

    pub(crate) fn connections(&self) -> u32 {
        self.state.connections.load(Ordering::Relaxed)
    }
}

impl Drop for FakeVault {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        let body = json!({"errors": [format!("told to answer {status}")]});
        Self::Say(status, Vec::new(), body.to_string())
    }

    pub(crate) fn body(body: impl ToString) -> Self {
        Self::Say(200, Vec::new(), body.to_string())
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let seen = Seen {
        method: head.method,
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let input = seen.body["input"].as_str().unwrap_or_default();
    let input = STANDARD.decode(input).unwrap();
    let signs = seen.path.contains("/sign/");
    state.seen.lock().unwrap().push(seen);
    let reply = state.next.lock().unwrap().pop_front();
    let body = match reply {
        None if signs => signature(&state.key, 1, &input).await,
        None => key(&state.key),
        Some(Reply::OtherVersion(version)) => signature(&state.key, version, &input).await,
        Some(Reply::OtherKey) => signature(&state.other, 1, &input).await,
        Some(Reply::Hang) => core::future::pending().await,
        Some(Reply::HangUp) => return Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Reply::Say(status, headers, body)) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            return Ok(response.body(Full::from(body)).unwrap());
        }
    };
    Ok(Response::new(Full::from(body.to_string())))
}

fn key(key: &EphemeralSigner) -> Value {
    let spki = key.public_key();
    let bare = &spki.as_ref()[spki.as_ref().len() - 32..];
    json!({"data": {
        "type": "ed25519", "derived": false, "supports_signing": true, "latest_version": 1,
        "keys": {"1": {"name": "ed25519", "public_key": STANDARD.encode(bare)}},
    }})
}

async fn signature(key: &EphemeralSigner, version: u32, input: &[u8]) -> Value {
    let signature = key.sign(input).await.unwrap().0;
    let text = format!("vault:v{version}:{}", STANDARD.encode(signature));
    json!({"data": {"signature": text, "key_version": version}})
}
