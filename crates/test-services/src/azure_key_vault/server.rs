use core::future::pending;
use std::{
    io,
    sync::{Arc, Mutex, mpsc::Sender},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::TlsFiles;

use super::{
    AzureKeyVault, Reply, Seen,
    state::{Answer, State, of_another_version, refusal},
    tokens::discovery,
};

pub(crate) fn acceptor(tls: &TlsFiles) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(&tls.read("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&tls.read("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

pub(crate) async fn serve(acceptor: TlsAcceptor, state: Arc<Mutex<State>>, ready: Sender<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    ready.send(address.clone()).unwrap();
    loop {
        let (stream, _peer) = listener.accept().await.unwrap();
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        let address = address.clone();
        tokio::spawn(async move {
            // Whoever does not trust the certificate goes away.
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            state.lock().unwrap().connections += 1;
            let answer = service_fn(|request| answer(&address, &state, request));
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
            drop(served.await);
        });
    }
}

async fn answer(
    address: &str,
    state: &Mutex<State>,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let body = match head.headers.get(CONTENT_TYPE) {
        Some(kind) if kind == "application/x-www-form-urlencoded" => form(&body),
        _ => serde_json::from_slice(&body).unwrap_or_default(),
    };
    let seen = Seen {
        body,
        headers: head.headers,
        method: head.method.to_string(),
        path: head.uri.to_string(),
    };
    let path = head.uri.path().trim_matches('/');
    let segments: Vec<_> = path.split('/').collect();
    match segments[..] {
        ["keys", ..] => vault(address, state, &head.uri, &segments, seen).await,
        [tenant, "v2.0", ".well-known", "openid-configuration"] => {
            Ok(response(discovery(address, tenant), &[]))
        }
        [tenant, "oauth2", "v2.0", "token"] if head.method == Method::POST => {
            let form = seen.body.clone();
            token(state, seen, |state| state.application(tenant, &form)).await
        }
        ["msi", "token"] => {
            let (headers, query) = (seen.headers.clone(), query(&head.uri));
            token(state, seen, |state| {
                state.managed_identity(&headers, &query)
            })
            .await
        }
        _ => Ok(response((404, Value::Null), &[])),
    }
}

async fn vault(
    address: &str,
    state: &Mutex<State>,
    uri: &Uri,
    segments: &[&str],
    seen: Seen,
) -> io::Result<Response<Full<Bytes>>> {
    let hangs = {
        let mut state = state.lock().unwrap();
        state.seen.push(seen.clone());
        if let Some(why) = state.unauthorized(&seen.headers) {
            let challenge = format!(
                "Bearer authorization=\"https://{address}/{}\", resource=\"{}\"",
                AzureKeyVault::TENANT,
                state.resource
            );
            let body = refusal("Unauthorized", None, why);
            return Ok(response((401, body), &[("www-authenticate", challenge)]));
        }
        let reply = state.replies.pop_front();
        let other_key = matches!(reply, Some(Reply::OtherKey));
        let mut right = || about_key(&mut state, uri, segments, &seen, other_key);
        match reply {
            None | Some(Reply::OtherKey) => return Ok(response(right(), &[])),
            Some(Reply::OtherVersion) => return Ok(response(of_another_version(right()), &[])),
            Some(Reply::Say(status, headers, body)) => return Ok(said(status, &headers, body)),
            Some(Reply::HangUp) => return Err(io::ErrorKind::ConnectionAborted.into()),
            Some(Reply::Hang) => pending(),
        }
    };
    hangs.await
}

fn about_key(
    state: &mut State,
    uri: &Uri,
    segments: &[&str],
    seen: &Seen,
    other_key: bool,
) -> Answer {
    let version = query(uri)["api-version"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if !(version.starts_with("7.") || version.starts_with("20")) {
        let why = "The specified version is not recognized.";
        return (400, refusal("BadParameter", None, why));
    }
    match (seen.method.as_str(), segments) {
        ("GET", ["keys", name]) => state.described(name, None),
        ("GET", ["keys", name, version]) => state.described(name, Some(version)),
        ("POST", ["keys", name, "sign"]) => state.signed(name, None, &seen.body, other_key),
        ("POST", ["keys", name, version, "sign"]) => {
            state.signed(name, Some(version), &seen.body, other_key)
        }
        _ => (404, refusal("NotFound", None, "Nothing is there.")),
    }
}

async fn token(
    state: &Mutex<State>,
    seen: Seen,
    right: impl FnOnce(&mut State) -> Answer,
) -> io::Result<Response<Full<Bytes>>> {
    let hangs = {
        let mut state = state.lock().unwrap();
        state.seen_for_tokens.push(seen);
        match state.token_replies.pop_front() {
            None => return Ok(response(right(&mut state), &[])),
            Some(Reply::Say(status, headers, body)) => return Ok(said(status, &headers, body)),
            Some(Reply::Hang) => pending(),
            Some(Reply::HangUp | Reply::OtherKey | Reply::OtherVersion) => {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
    };
    hangs.await
}

fn query(uri: &Uri) -> Value {
    form(uri.query().unwrap_or_default().as_bytes())
}

fn form(bytes: &[u8]) -> Value {
    let pairs = url::form_urlencoded::parse(bytes);
    pairs
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect()
}

fn response((status, body): Answer, headers: &[(&'static str, String)]) -> Response<Full<Bytes>> {
    said(status, headers, body.to_string())
}

fn said(status: u16, headers: &[(&'static str, String)], body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let json = "application/json; charset=utf-8".parse().unwrap();
    response.headers_mut().insert(CONTENT_TYPE, json);
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}
