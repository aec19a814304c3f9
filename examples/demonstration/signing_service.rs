//! The service: one key, in this process. It misbehaves when it is told to.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::{
    digest::{Digest, SHA256},
    encoding::AsDer as _,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::AbortHandle};

/// A key on P-256 that signs over HTTP until this is dropped.
#[derive(Debug)]
pub(crate) struct SigningService {
    state: Arc<State>,
    task: AbortHandle,
    url: String,
}

/// What it does with requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behaviour {
    /// What is right.
    Well,
    /// Nothing, and the connection stays open.
    Hang,
    /// What is right, with another key.
    OtherKey,
    /// An answer with this status, and no signature.
    Refuse(u16),
}

#[derive(Debug)]
struct State {
    behaviour: Mutex<Behaviour>,
    key: EcdsaKeyPair,
    other: EcdsaKeyPair,
}

impl SigningService {
    pub(crate) async fn start() -> io::Result<Self> {
        let made = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
        let state = Arc::new(State {
            behaviour: Mutex::new(Behaviour::Well),
            key: made().map_err(io::Error::other)?,
            other: made().map_err(io::Error::other)?,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _peer)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let answer = service_fn(|request| answer(&state, request));
                    let connection = http1::Builder::new();
                    // Whoever asked may have hung up.
                    drop(
                        connection
                            .serve_connection(TokioIo::new(stream), answer)
                            .await,
                    );
                });
            }
        });
        Ok(Self {
            state,
            task: task.abort_handle(),
            url,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.state.behaviour() = behaviour;
    }
}

impl State {
    fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SigningService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let behaviour = *state.behaviour();
    let key = match behaviour {
        Behaviour::Well => &state.key,
        Behaviour::Hang => std::future::pending().await,
        Behaviour::OtherKey => &state.other,
        Behaviour::Refuse(status) => return Ok(refusal(status)),
    };
    let answered = match (&head.method, head.uri.path()) {
        (&Method::GET, "/key") => key.public_key().as_der().map(|der| der.as_ref().to_vec()),
        (&Method::POST, "/sign") => Digest::import_less_safe(&body, &SHA256)
            .and_then(|digest| key.sign_digest(&digest))
            .map(|signature| signature.as_ref().to_vec()),
        _ => return Ok(refusal(404)),
    };
    // A digest of another length.
    Ok(answered.map_or_else(
        |_unspecified| refusal(400),
        |bytes| Response::new(bytes.into()),
    ))
}

fn refusal(status: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
