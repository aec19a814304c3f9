//! A server with TLS, and a client that trusts its authority.

use std::{
    convert::Infallible,
    fs,
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use fulcio_issuance::SystemClock;
use fulcio_server_core::{Limits, Listener, Shutdown, TimedBody, Tls, TlsFiles, TlsPolicy};
use http::{Request, Response, Version};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle};
use tokio_rustls::{TlsConnector, client::TlsStream};
use x509_cert::{Certificate, der::Decode as _};

use crate::certificates::Authority;

pub(crate) struct Running {
    pub(crate) runtime: Runtime,
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    server: JoinHandle<()>,
    requests: watch::Receiver<usize>,
}

/// Serves with `files`, and looks at them often.
pub(crate) fn start(files: &TlsFiles, policy: TlsPolicy, limits: Limits) -> Running {
    let runtime = Runtime::new().unwrap();
    let files = files.clone();
    let listener = runtime.block_on(async {
        let tls = Tls::open(files, policy, Arc::new(SystemClock)).await;
        let tls = tls.unwrap().with_watch_interval(Duration::from_millis(40));
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Listener::bind(loopback).await.unwrap().with_tls(tls)
    });
    let address = listener.address();
    let shutdown = Shutdown::default();
    let (begun, requests) = watch::channel(0);
    let service = tower::service_fn(move |request| {
        begun.send_modify(|begun| *begun += 1);
        answer(request)
    });
    let server = runtime.spawn(listener.serve(service, limits, shutdown.clone()));
    Running {
        runtime,
        address,
        shutdown,
        server,
        requests,
    }
}

/// Waits for as long as the path says in milliseconds, and says which version of HTTP it was.
async fn answer(request: Request<TimedBody>) -> Result<Response<Full<Bytes>>, Infallible> {
    let wait = request.uri().path().trim_start_matches('/').parse();
    tokio::time::sleep(Duration::from_millis(wait.unwrap_or(0))).await;
    let version = format!("{:?}", request.version());
    Ok(Response::new(Full::from(version)))
}

impl Running {
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        stream
    }

    /// Waits until a request has begun.
    pub(crate) fn wait_for_request(&mut self) {
        let begun = self.requests.wait_for(|requests| *requests > 0);
        self.runtime.block_on(begun).unwrap();
    }

    pub(crate) fn stop(self) {
        self.shutdown.begin();
        self.runtime.block_on(self.server).unwrap();
    }
}

/// A client that trusts one authority.
#[derive(Clone)]
pub(crate) struct Client {
    config: ClientConfig,
    address: SocketAddr,
}

impl Client {
    pub(crate) fn new(authority: &Authority, server: &Running) -> Self {
        let mut roots = RootCertStore::empty();
        let pem = fs::read(authority.path("ca.crt")).unwrap();
        roots
            .add(CertificateDer::from_pem_slice(&pem).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            config,
            address: server.address,
        }
    }

    pub(crate) async fn connect(&self, version: Version) -> Connected {
        let mut config = self.config.clone();
        config.alpn_protocols = vec![match version {
            Version::HTTP_2 => b"h2".to_vec(),
            _ => b"http/1.1".to_vec(),
        }];
        let stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector
            .connect(ServerName::try_from("localhost").unwrap(), stream)
            .await
            .unwrap();
        let subject = subject(&stream);
        let io = TokioIo::new(stream);
        let sender = match version {
            Version::HTTP_2 => {
                let handshake = http2::handshake(TokioExecutor::new(), io).await;
                let (sender, connection) = handshake.unwrap();
                tokio::spawn(connection);
                Sender::Http2(sender)
            }
            _ => {
                let (sender, connection) = http1::handshake(io).await.unwrap();
                tokio::spawn(connection);
                Sender::Http1(sender)
            }
        };
        Connected { subject, sender }
    }
}

/// A connection, and whom the server's certificate names.
pub(crate) struct Connected {
    pub(crate) subject: String,
    sender: Sender,
}

enum Sender {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

impl Connected {
    /// What the server answers to a request for `path`.
    pub(crate) async fn get(&mut self, path: &str) -> String {
        let request = Request::get(format!("https://localhost{path}"))
            .header("host", "localhost")
            .body(Empty::new())
            .unwrap();
        let response = match &mut self.sender {
            Sender::Http1(sender) => sender.send_request(request).await,
            Sender::Http2(sender) => sender.send_request(request).await,
        };
        let body = response.unwrap().into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }
}

fn subject(stream: &TlsStream<tokio::net::TcpStream>) -> String {
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates().unwrap().first().unwrap();
    let certificate = Certificate::from_der(certificate).unwrap();
    certificate.tbs_certificate().subject().to_string()
}
