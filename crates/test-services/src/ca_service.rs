//! Google's CA Service, as far as issuing goes: a double on the contract of its REST interface,
//! version 1, that makes real certificates.
//!
//! It knows one pool, of the DevOps tier, and its authorities. `POST …/certificates` issues,
//! `GET …/certificateAuthorities` lists them page by page, and `GET …/certificateAuthorities/ID`
//! shows one; all else is not found. A request identifier that comes again gives the certificate
//! that it gave before.

mod authority;
mod reply;
mod service;
mod wanted;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};
use url::form_urlencoded;

use authority::Authority;
use service::{Refusal, Service};

pub use authority::State;
pub use reply::{Fault, Reply};

/// CA Service with one pool, on a port of its own.
#[derive(Debug)]
#[non_exhaustive]
pub struct CaService {
    /// Where it listens, with `http://`.
    pub address: String,
    service: Arc<Mutex<Service>>,
    task: AbortHandle,
}

/// A request that came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// Who asks, as the header of HTTP says it.
    pub authorization: Option<String>,
    /// Its JSON; null where there was none.
    pub body: Value,
    /// Its method.
    pub method: Method,
    /// The path of its address.
    pub path: String,
    /// What stood behind the question mark, decoded.
    pub query: BTreeMap<String, String>,
}

impl CaService {
    /// The resource name of the pool.
    pub const POOL: &str = "projects/project/locations/europe-west1/caPools/pool";

    /// Starts it, with a pool that is empty.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = Arc::new(Mutex::new(Service {
            authorities: Vec::new(),
            clock: None,
            issued: 0,
            next: VecDeque::new(),
            page: 100,
            remembered: HashMap::new(),
            seen: Vec::new(),
            turn: 0,
        }));
        let shared = Arc::clone(&service);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _peer) = listener.accept().await.unwrap();
                let service = Arc::clone(&shared);
                tokio::spawn(async move {
                    let answer = service_fn(|request| answer(&service, request));
                    let io = TokioIo::new(stream);
                    drop(http1::Builder::new().serve_connection(io, answer).await);
                });
            }
        });
        Self {
            address,
            service,
            task: task.abort_handle(),
        }
    }

    /// Adds an authority that is enabled, under a root of its own that is not in the pool.
    pub fn add(&self, id: &str) {
        let now = self.lock().now();
        let authority = Authority::below_a_root(id, now);
        self.lock().authorities.push(authority);
    }

    /// Adds an authority that is enabled, and a root itself.
    pub fn add_root(&self, id: &str) {
        let now = self.lock().now();
        let authority = Authority::root(id, now);
        self.lock().authorities.push(authority);
    }

    /// The certificates of an authority, its own first, the root last.
    #[must_use]
    pub fn chain(&self, id: &str) -> Vec<CertificateDer<'static>> {
        self.lock().authority(id).unwrap().chain.clone()
    }

    /// How many certificates were made: one for each request identifier.
    #[must_use]
    pub fn issued(&self) -> usize {
        self.lock().issued
    }

    /// Sends no more than so many authorities at a time, whatever is asked for.
    pub fn page(&self, authorities: usize) {
        self.lock().page = authorities;
    }

    /// Takes an authority out of the pool.
    pub fn remove(&self, id: &str) {
        self.lock()
            .authorities
            .retain(|authority| authority.id != id);
    }

    /// The requests since the last time.
    pub fn seen(&self) -> Vec<Seen> {
        core::mem::take(&mut self.lock().seen)
    }

    /// Puts an authority into a state.
    pub fn set_state(&self, id: &str, state: State) {
        self.lock().authority_mut(id).state = state;
    }

    /// Stops the clock at a time, instead of that of the machine.
    pub fn stop_clock(&self, at: SystemTime) {
        self.lock().clock = Some(at);
    }

    /// What to do with the next requests instead of what is right.
    pub fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        self.lock().next.extend(replies);
    }

    fn lock(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap()
    }
}

impl Drop for CaService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    service: &Mutex<Service>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, HungUp> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_gone| HungUp)?.to_bytes();
    let query = head.uri.query().unwrap_or_default();
    let authorization = head.headers.get(AUTHORIZATION);
    let seen = Seen {
        authorization: authorization.map(|value| value.to_str().unwrap().to_owned()),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        method: head.method,
        path: head.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
    };
    let reply = {
        let mut service = service.lock().unwrap();
        service.seen.push(seen.clone());
        service.next.pop_front().unwrap_or(Reply::Right)
    };
    let (fault, lost) = match reply {
        Reply::Hang => core::future::pending().await,
        Reply::HangUp => return Err(HungUp),
        Reply::Refuse(status, code, message) => {
            return Ok(refused(&Refusal {
                status,
                code,
                message,
            }));
        }
        Reply::Say(status, body) => return Ok(said(status, body)),
        Reply::Wait(time) => {
            tokio::time::sleep(time).await;
            (None, false)
        }
        Reply::Issue(fault) => (Some(fault), false),
        Reply::Lose => (None, true),
        Reply::Right => (None, false),
    };
    let done = service.lock().unwrap().do_it(&seen, fault);
    match done {
        _ if lost => Err(HungUp),
        Ok(body) => Ok(said(200, body.to_string())),
        Err(refusal) => Ok(refused(&refusal)),
    }
}

/// A connection that is closed instead of an answer.
#[derive(Debug)]
struct HungUp;

impl core::fmt::Display for HungUp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("hung up")
    }
}

impl core::error::Error for HungUp {}

fn refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    let error = json!({
        "code": refusal.status,
        "message": refusal.message,
        "status": refusal.code,
    });
    said(refusal.status, json!({"error": error}).to_string())
}

fn said(status: u16, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=UTF-8"),
    );
    answer
}
