//! A double of [AWS KMS] with what [moto](crate::Moto) has not: an Ed25519 key, and answers as they
//! are wanted.
//!
//! It is written on the API reference of AWS, and the tests of the signer have AWS's own client for
//! Python ask it.
//!
//! [AWS KMS]: https://docs.aws.amazon.com/kms/latest/APIReference/

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};

use crate::Moto;

/// The key that it has.
pub const ID: &str = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// AWS KMS with one Ed25519 key, which answers as it is told to.
#[derive(Debug)]
#[non_exhaustive]
pub struct AwsKms {
    /// `http://`, host and port.
    pub address: String,
    state: Arc<State>,
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
    /// Signs rightly, under the name of another key.
    OtherName,
    /// Answers with a status and a body.
    Say(u16, String),
}

/// A request that came.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests look at all of it")]
pub struct Seen {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null where it is no JSON.
    pub body: Value,
}

#[derive(Debug)]
struct State {
    key: Ed25519KeyPair,
    other: Ed25519KeyPair,
    next: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicU32,
}

impl AwsKms {
    /// Starts it.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let made = || Ed25519KeyPair::generate().unwrap();
        let state = Arc::new(State {
            key: made(),
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
            state,
            task: task.abort_handle(),
        }
    }

    /// What AWS's own tools are told by.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            ("AWS_ENDPOINT_URL", self.address.clone()),
            ("AWS_REGION", Moto::REGION.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ])
    }

    /// What to do with the next requests.
    pub fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.next.lock().unwrap().extend(replies);
    }

    /// Does what is right with the next requests.
    pub fn forget(&self) {
        self.state.next.lock().unwrap().clear();
    }

    /// The requests since the last time.
    pub fn seen(&self) -> Vec<Seen> {
        core::mem::take(&mut self.state.seen.lock().unwrap())
    }

    /// How often somebody connected.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// What it says about its key.
    #[must_use]
    pub fn description(&self) -> Value {
        description(&self.state.key)
    }
}

impl Drop for AwsKms {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reply {
    /// A success with this body.
    #[must_use]
    pub fn body(body: impl ToString) -> Self {
        Self::Say(200, body.to_string())
    }

    /// A refusal as AWS writes it.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
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
        None if signs => signed(&state.key, ID, &message),
        None => (200, description(&state.key).to_string()),
        Some(Reply::Hang) => core::future::pending().await,
        Some(Reply::HangUp) => return Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Reply::OtherKey) => signed(&state.other, ID, &message),
        Some(Reply::OtherName) => signed(&state.key, &ID.replace("1234", "5678"), &message),
        Some(Reply::Say(status, body)) => (status, body),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let json = "application/x-amz-json-1.1".parse().unwrap();
    response.headers_mut().insert("content-type", json);
    Ok(response)
}

fn description(key: &Ed25519KeyPair) -> Value {
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    json!({
        "KeyId": ID, "KeyUsage": "SIGN_VERIFY", "KeySpec": "ECC_NIST_EDWARDS25519",
        "CustomerMasterKeySpec": "ECC_NIST_EDWARDS25519",
        "SigningAlgorithms": ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
        "PublicKey": STANDARD.encode(public.as_ref()),
    })
}

fn signed(key: &Ed25519KeyPair, id: &str, message: &[u8]) -> (u16, String) {
    if !(1..=4096).contains(&message.len()) {
        let error = json!({
            "__type": "ValidationException",
            "message": "Member must have length from 1 to 4096",
        });
        return (400, error.to_string());
    }
    let signature = STANDARD.encode(key.sign(message).as_ref());
    let answer =
        json!({"KeyId": id, "Signature": signature, "SigningAlgorithm": "ED25519_SHA_512"});
    (200, answer.to_string())
}
