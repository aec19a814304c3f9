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
use fulcio_signer_aws_kms::AwsConfig;
use fulcio_signer_file::EphemeralSigner;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};

use super::config;

/// The key that it has.
pub(crate) const ID: &str =
    "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// AWS KMS with one Ed25519 key, which answers as it is told to.
pub(crate) struct FakeKms {
    pub(crate) address: String,
    /// The key itself.
    pub(crate) key: Arc<EphemeralSigner>,
    state: Arc<State>,
    task: AbortHandle,
}

/// What it does with a request instead of what is right.
pub(crate) enum Reply {
    /// Never answers.
    Hang,
    /// Closes the connection.
    HangUp,
    /// Signs with another key, under the name of the right one.
    OtherKey,
    /// Signs rightly, under the name of another key.
    OtherName,
    /// Answers with a status and a body.
    Say(u16, String),
}

/// A request that came.
pub(crate) struct Seen {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

struct State {
    key: Arc<EphemeralSigner>,
    other: EphemeralSigner,
    next: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicU32,
}

impl FakeKms {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let made = || EphemeralSigner::generate(Algorithm::Ed25519).unwrap();
        let key = Arc::new(made());
        let state = Arc::new(State {
            key: Arc::clone(&key),
            other: made(),
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
            key,
            state,
            task: task.abort_handle(),
        }
    }

    pub(crate) fn config(&self) -> AwsConfig {
        config(&self.address)
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

    /// What it says about its key.
    pub(crate) fn description(&self) -> Value {
        description(&self.key)
    }
}

impl Drop for FakeKms {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reply {
    pub(crate) fn body(body: impl ToString) -> Self {
        Self::Say(200, body.to_string())
    }

    /// A refusal as AWS writes it.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"__type": code, "message": message});
        Self::Say(status, body.to_string())
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let target = head.headers.get("x-amz-target");
    let signs = target.is_some_and(|target| target == "TrentService.Sign");
    let message = body["Message"].as_str().unwrap_or_default();
    let message = STANDARD.decode(message).unwrap();
    state.seen.lock().unwrap().push(Seen {
        headers: head.headers,
        body,
    });
    let reply = state.next.lock().unwrap().pop_front();
    let (status, body) = match reply {
        None if signs => signed(&state.key, ID, &message).await,
        None => (200, description(&state.key).to_string()),
        Some(Reply::Hang) => core::future::pending().await,
        Some(Reply::HangUp) => return Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Reply::OtherKey) => signed(&state.other, ID, &message).await,
        Some(Reply::OtherName) => signed(&state.key, &ID.replace("1234", "5678"), &message).await,
        Some(Reply::Say(status, body)) => (status, body),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let json = "application/x-amz-json-1.1".parse().unwrap();
    response.headers_mut().insert("content-type", json);
    Ok(response)
}

fn description(key: &EphemeralSigner) -> Value {
    json!({
        "KeyId": ID, "KeyUsage": "SIGN_VERIFY", "KeySpec": "ECC_NIST_EDWARDS25519",
        "CustomerMasterKeySpec": "ECC_NIST_EDWARDS25519",
        "SigningAlgorithms": ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
        "PublicKey": STANDARD.encode(key.public_key().as_ref()),
    })
}

async fn signed(key: &EphemeralSigner, id: &str, message: &[u8]) -> (u16, String) {
    if !(1..=4096).contains(&message.len()) {
        let error = json!({
            "__type": "ValidationException",
            "message": "Member must have length from 1 to 4096",
        });
        return (400, error.to_string());
    }
    let signature = STANDARD.encode(key.sign(message).await.unwrap().0);
    let answer =
        json!({"KeyId": id, "Signature": signature, "SigningAlgorithm": "ED25519_SHA_512"});
    (200, answer.to_string())
}
